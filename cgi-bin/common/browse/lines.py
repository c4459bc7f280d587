"""A text file of any size, page by page, in bounded memory: an open file, and an index of where lines begin."""

import io
import os
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import closing

LONGEST = 1024  # bytes of a line that are shown
MOST = 8192  # entries of the index; when there are more, every other one goes
EFFORT = 1 << 28, 4_000_000  # bytes, and lines, that are counted for one page
_BLOCK, _BUFFER = 1 << 16, 1 << 13  # bytes
_PICTURES = {code: 0x2400 + code for code in range(32) if code != 9} | {127: 0x2421}  # of control characters


class Lines:
    """An open file, whose lines are numbered from 1. Raises OSError.

    Nothing of its content is kept: a page is read anew, from the nearest line before it whose offset is known.
    Lines are counted as far as somebody has asked for them.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self.file = open(path, "rb", buffering=0)  # noqa: SIM115 - for as long as the session
        self._state = os.fstat(self.file.fileno())
        self._forget()

    def _forget(self) -> None:
        self._stride, self._begins = 64, [0]  # line 1 + i * stride begins at _begins[i]
        self._ends, self._at = 0, 0  # so many lines end before this offset

    def news(self) -> str:
        """What has happened to the file since the last page: "", "changed"; since it was opened: "replaced"."""
        before, now = self._state, os.fstat(self.file.fileno())
        self._state = now
        grown = now.st_size > before.st_size  # which leaves the lines before where they were
        if now.st_size < before.st_size or (now.st_mtime_ns != before.st_mtime_ns and not grown):
            self._forget()
            return "changed"
        try:
            same = os.path.samestat(os.stat(self.path), now)
        except OSError:
            same = False
        return "" if same else "replaced"

    @property
    def complete(self) -> bool:
        """Whether all of the file is counted."""
        return self._at >= self._state.st_size

    @property
    def counted(self) -> int:
        """The number of lines so far; the last may lack its line feed."""
        return self._ends + (self.complete and self._at > 0 and self._byte(self._at - 1) != b"\n")

    def page(self, first: int, count: int) -> list[str]:
        """At most so many lines from line `first` on; none if that is behind what can be counted."""
        self._count(first + count, self._state.st_size)
        if first > self.counted:
            return []
        with closing(self._lines((first - 1) // self._stride)) as lines:
            wanted = ((number, start, length) for number, _, start, length in lines if number >= first)
            return [_shown(start, length) for (_, start, length), _ in zip(wanted, range(count), strict=False)]

    def line_at(self, percent: int) -> int:
        """The first line that begins in this part of the file, or the last that can be counted."""
        goal, number = self._state.st_size * percent // 100, 1
        self._count(self._state.st_size, goal)
        with closing(self._lines(bisect_right(self._begins, goal) - 1)) as lines:
            for number, begin, _, _ in lines:  # noqa: B007
                if begin >= min(goal, self._at):
                    break
        return number

    def _count(self, line: int, offset: int) -> None:
        """Go on until the begin of this line, or this offset, or EFFORT."""
        most = self._at + EFFORT[0], self._ends + EFFORT[1]
        while self._ends < min(line, most[1]) and self._at < min(offset, most[0]):
            block = os.pread(self.file.fileno(), _BLOCK, self._at)
            if not block:
                return
            ends, end, wanted = self._ends, block.find(b"\n"), len(self._begins) * self._stride
            while end >= 0:
                ends += 1
                if ends == wanted:
                    wanted = self._index(self._at + end + 1)
                end = block.find(b"\n", end + 1)
            self._ends, self._at = ends, self._at + len(block)

    def _index(self, begin: int) -> int:
        """Remember where the index's next line begins; returns how many lines end before the one behind."""
        self._begins.append(begin)
        if len(self._begins) > MOST:
            self._begins, self._stride = self._begins[::2], self._stride * 2
        return len(self._begins) * self._stride

    def _lines(self, entry: int) -> Iterator[tuple[int, int, bytes, int]]:
        """Lines from this entry of the index on: number, offset, first bytes, length."""
        offset = self._begins[entry]
        if offset and self._byte(offset - 1) != b"\n":  # somebody has written into the middle
            self._forget()
            entry = offset = 0
        number = 1 + entry * self._stride
        reader = io.BufferedReader(self.file, _BUFFER)
        try:
            reader.seek(offset)
            while start := reader.readline(LONGEST):
                length, last = len(start), start
                while not last.endswith(b"\n") and (last := reader.readline(LONGEST)):
                    length += len(last)
                yield number, offset, start, length
                number, offset = number + 1, offset + length
        finally:
            reader.detach()  # the buffer goes, the file stays open

    def _byte(self, offset: int) -> bytes:
        return os.pread(self.file.fileno(), 1, offset)


def _shown(start: bytes, length: int) -> str:
    """A line as text, with signs for what is no UTF-8 or cannot be printed; what is too long is cut."""
    text = start.rstrip(b"\r\n").decode(errors="replace").translate(_PICTURES)
    return text if length <= LONGEST else f"{text}… ({length:,} bytes)"
