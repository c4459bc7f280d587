"""A program's output: bytes in any pieces in, events out (P1, P2, P4, P6)."""

from enum import Enum
from functools import lru_cache

from gateway.protocol.events import Data, End, Event, Invalid
from gateway.protocol.head import MalformedHead, excerpt, from_status_line, read_head

EOT = 4
HEAD_LIMIT = 65536


class _Phase(Enum):
    HEAD = "the header block is not complete"
    BODY = "the header block was handed out"
    DONE = "End or Invalid was handed out"


_HEAD, _BODY, _DONE = _Phase


class ResponseReader:
    """Reads one response. The last event is End or Invalid; after it nothing more comes out.

    `mark` is the instance's end mark without EOT. With `bodiless` (an answer to HEAD), for 204 and 304
    and for local redirects, body bytes are dropped and Content-Length is not compared with them.
    `nph`: the output begins with a status line. No input raises. Bytes that come in a later read than the
    end mark are the caller's to judge (P5).
    """

    __slots__ = ("_bodiless", "_end", "_head_limit", "_held", "_missing", "_nph", "_phase", "_promised")

    def __init__(
        self, mark: bytes, *, head_limit: int = HEAD_LIMIT, bodiless: bool = False, nph: bool = False
    ) -> None:
        self._end = _end(mark)
        self._head_limit = head_limit
        self._bodiless = bodiless
        self._nph = nph
        self._phase = _HEAD
        self._held = b""
        self._promised: int | None = None
        self._missing = 0

    def feed(self, data: bytes) -> list[Event]:
        """The events that `data` completes. Held back: the header block, the beginning of an end mark."""
        if self._phase is _DONE:
            return []
        if self._held:
            data = self._held + data
            self._held = b""
        events: list[Event] = []
        mark_at = data.find(self._end) if EOT in data else -1
        start = self._read_head(data, mark_at, events) if self._phase is _HEAD else 0
        if self._phase is _BODY:
            self._read_body(data, start, mark_at, events)
        return events

    def eof(self) -> list[Event]:
        """The events at end of file on the program's stdout (P2)."""
        if self._phase is _DONE:
            return []
        events: list[Event] = []
        if self._phase is _HEAD:
            self._reject(_unfinished(self._held), events)
            return events
        marked = self._held == self._end[:-1]
        if not marked:
            self._deliver(self._held, events)
        self._finish(End(marked), events)
        return events

    def is_body(self, data: bytearray, size: int) -> bool:
        """Whether the first `size` bytes, as the next to be fed, would come out as they are.

        Of a promised length an end mark is looked for at the end only: one that comes too early (P4) is the
        last thing that a program writes.
        """
        if self._phase is not _BODY or self._held or self._bodiless:
            return False
        end = self._end
        begun = data.rfind(EOT, max(0, size - len(end)), size)
        if begun >= 0 and end.startswith(data[begun:size]):
            return False
        if self._promised is not None:
            return size <= self._missing
        begun = data.find(EOT, 0, size)
        return begun < 0 or data.find(end, begun, size) < 0

    def skip(self, count: int) -> None:
        """So many bytes that are of the body need not be fed."""
        if self._promised is not None:
            self._missing -= count

    def _read_head(self, data: bytes, mark_at: int, events: list[Event]) -> int:
        """Hand out the head; returns where the body starts."""
        length = _head_length(data, self._head_limit)
        if 0 <= mark_at < length or (length < 0 and 0 <= mark_at <= self._head_limit - len(self._end)):
            self._reject(_unfinished(data[:mark_at]), events)
        elif length >= 0:
            self._open(data[:length], events)
        elif len(data) > self._head_limit:
            found = excerpt(data[: self._head_limit])
            self._reject(f"expected a blank line within {self._head_limit} bytes, found {found}", events)
        else:
            self._held = data
        return length

    def _open(self, block: bytes, events: list[Event]) -> None:
        try:
            head = read_head(from_status_line(block) if self._nph else block)
        except MalformedHead as error:
            self._reject(str(error), events)
            return
        self._phase = _BODY
        self._bodiless = self._bodiless or head.status in (204, 304) or head.local_redirect is not None
        if head.content_length is not None and not self._bodiless:
            self._promised = self._missing = head.content_length
        events.append(head)

    def _read_body(self, data: bytes, start: int, mark_at: int, events: list[Event]) -> None:
        if mark_at >= 0:
            self._deliver(data[start:mark_at], events)
            self._finish(End(True, len(data) > mark_at + len(self._end)), events)
            return
        stop = len(data)
        begun = data.rfind(EOT, max(start, stop - len(self._end) + 1))
        if begun >= 0 and self._end.startswith(data[begun:]):
            stop = begun
        self._deliver(data[start:stop], events)
        if self._phase is _BODY:
            self._held = data[stop:]

    def _deliver(self, body: bytes, events: list[Event]) -> None:
        if self._bodiless or not body:
            return
        if self._promised is not None:
            excess = len(body) > self._missing
            body = body[: self._missing]
            self._missing -= len(body)
            if excess:
                if body:
                    events.append(Data(body))
                self._reject(f"expected {self._promised} bytes of body (Content-Length), found more", events)
                return
        events.append(Data(body))

    def _finish(self, end: End, events: list[Event]) -> None:
        if self._phase is _DONE:
            return
        if self._missing:
            found = (self._promised or 0) - self._missing
            self._reject(f"expected {self._promised} bytes of body (Content-Length), found {found}", events)
            return
        self._phase = _DONE
        events.append(end)

    def _reject(self, reason: str, events: list[Event]) -> None:
        events.append(Invalid(reason, self._phase is _BODY))
        self._phase = _DONE
        self._held = b""


@lru_cache(maxsize=4096)
def _end(mark: bytes) -> bytes:
    if not mark.isalnum():
        raise ValueError(f"expected an end mark of letters and digits, found {mark!r}")
    return b"%c%b\n" % (EOT, mark)


def _head_length(data: bytes, limit: int) -> int:
    """Bytes up to and with the blank line, at most `limit`; -1 when it has not come."""
    if data.startswith((b"\n", b"\r\n")):
        return data.index(b"\n") + 1
    bare = data.find(b"\n\n", 0, limit)
    full = data.find(b"\n\r\n", 0, limit if bare < 0 else bare + 1)
    if full >= 0:
        return full + 3
    return bare + 2 if bare >= 0 else -1


def _unfinished(data: bytes) -> str:
    if not data:
        return "expected a header block, found no output"
    return f"expected a blank line after the header block, found the end after {excerpt(data)}"
