"""The memory of retired handles (R4), kept in the shared table so that it outlives the front."""

import time
from collections.abc import Callable

from gateway.keeper.reasons import Reason
from gateway.keeper.table import Entry, Ring, Table

KEPT = 24 * 3600.0  # seconds

Forward = Callable[[Entry], None]


class Retired:
    """Look-up by session key. A front that drains forwards what it retires: one front writes the rings."""

    def __init__(self, table: Table) -> None:
        self._rings = {True: _Indexed(table.replaced), False: _Indexed(table.retired)}
        self.forward: Forward | None = None

    def add(self, key: bytes, reason: Reason, timeout: float) -> None:
        """Remember that a handle is over, now."""
        self.store(Entry(key, time.monotonic(), timeout, reason))

    def store(self, entry: Entry) -> None:
        """Write an entry, or pass it on while another front writes."""
        if self.forward is not None:
            self.forward(entry)
        else:
            self.forget(entry.key)
            self._rings[entry.reason == Reason.REPLACED].append(entry)

    def find(self, key: bytes) -> Entry | None:
        """The newest entry of a handle, None when it is not remembered (any more)."""
        found = [entry for ring in self._rings.values() if (entry := ring.find(key)) is not None]
        newest = max(found, key=lambda entry: entry.at, default=None)
        return newest if newest is not None and time.monotonic() - newest.at < KEPT else None

    def forget(self, key: bytes) -> None:
        """The handle is issued again (H4)."""
        for ring in self._rings.values():
            ring.forget(key)


class _Indexed:
    """A ring with an index: session key -> number of its entry, caught up with the ring on every look."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._numbers: dict[bytes, int] = {}
        self._keys: dict[int, bytes] = {}
        self._seen = 0

    def append(self, entry: Entry) -> None:
        self._ring.append(entry)
        self._catch_up()

    def find(self, key: bytes) -> Entry | None:
        self._catch_up()
        number = self._numbers.get(key)
        if number is None:
            return None
        entry = self._ring.entry(number)
        return entry if entry.key == key else None

    def forget(self, key: bytes) -> None:
        if self.find(key) is not None:
            number = self._numbers.pop(key)
            del self._keys[number]
            self._ring.forget(number)

    def _catch_up(self) -> None:
        if self._seen == self._ring.count:
            return
        for number, entry in self._ring.entries(self._seen):
            self._drop(number - self._ring.length)
            self._drop(self._numbers.get(entry.key, -1))
            self._numbers[entry.key], self._keys[number] = number, entry.key
        self._seen = self._ring.count

    def _drop(self, number: int) -> None:
        key = self._keys.pop(number, None)
        if key is not None and self._numbers.get(key) == number:
            del self._numbers[key]
