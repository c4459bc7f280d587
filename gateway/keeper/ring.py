"""The rings of retired handles in the shared table (R4)."""

import mmap
import struct
from collections.abc import Iterator
from typing import NamedTuple

KEY_SIZE = 16
RING_LENGTH = 10_000
_WORD = (1 << 64) - 1
_RING_ENTRY = struct.Struct("=16sddQ")


class Entry(NamedTuple):
    """One retired handle: its session key, when (monotonic), the session's time-out, and why."""

    key: bytes
    at: float
    timeout: float
    reason: int


class Ring:
    """The newest retired handles, oldest overwritten."""

    def __init__(self, memory: mmap.mmap, offset: int, length: int) -> None:
        self._memory, self._offset, self.length = memory, offset, length
        self._count = memoryview(memory)[offset : offset + 8].cast("Q")

    def close(self) -> None:
        """Let go of the memory."""
        self._count.release()

    @staticmethod
    def size(length: int) -> int:
        """Bytes that a ring of `length` entries takes."""
        return 64 + length * _RING_ENTRY.size

    @property
    def count(self) -> int:
        """Entries ever written."""
        return self._count[0]

    def append(self, entry: Entry) -> None:
        """Write one entry over the oldest; the count is stored last."""
        _RING_ENTRY.pack_into(self._memory, self._at(self._count[0]), *entry)
        self._count[0] = (self._count[0] + 1) & _WORD

    def forget(self, number: int) -> None:
        """Empty one entry (its handle was issued again, H4)."""
        _RING_ENTRY.pack_into(self._memory, self._at(number), bytes(KEY_SIZE), 0.0, 0.0, 0)

    def entry(self, number: int) -> Entry:
        """The entry in the place of this number (another one's when it was overwritten)."""
        return Entry(*_RING_ENTRY.unpack_from(self._memory, self._at(number)))

    def entries(self, since: int = 0) -> Iterator[tuple[int, Entry]]:
        """Numbered entries from `since` on that are still there and not forgotten."""
        count = self.count
        for number in range(max(since, count - self.length), count):
            entry = self.entry(number)
            if entry.reason:
                yield number, entry

    def _at(self, number: int) -> int:
        return self._offset + 64 + number % self.length * _RING_ENTRY.size
