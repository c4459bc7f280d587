"""One request and its response as an event machine: bytes in, bytes out, events, a verdict (pure).

Neither ASGI nor asyncio: whoever owns the descriptors writes `outgoing`, passes what the program
wrote to `received`, and asks for the `verdict` when the response has ended.
"""

from collections import deque
from typing import NamedTuple

from gateway.errors import BadAnswer, GatewayError
from gateway.keeper.reasons import Reason
from gateway.protocol.events import End, Event, Head, Invalid
from gateway.protocol.response import ResponseReader


class Fault(NamedTuple):
    """Why an exchange failed: the R4 reason, the log text (with its HTS id), how the instance ends, and what a
    client is told that has not got a head yet."""

    reason: Reason
    log: str
    how: str = "eof"
    answer: type[GatewayError] = BadAnswer


class Verdict(NamedTuple):
    """What becomes of the instance: `fault` None and `keep` False is a normal end (H8, P2, P3)."""

    keep: bool
    fault: Fault | None = None


_KEPT = Verdict(True)


class Exchange:
    """Frame and body out, head, body and end mark in. `first`: of an instance; `framed`: by the request pipe,
    else plain CGI, with the body on stdin."""

    head: Head | None = None
    end: End | None = None
    fault: Fault | None = None
    honoured = body_open = False

    def __init__(self, reader: ResponseReader, *, first: bool, framed: bool) -> None:
        self.reader = reader
        self.first, self.framed = first, framed
        self._outgoing: deque[memoryview] = deque()

    # ---- the request

    def push(self, data: bytes) -> None:
        """Queue bytes for the program."""
        if data:
            self._outgoing.append(memoryview(data))

    @property
    def outgoing(self) -> memoryview | None:
        """The next bytes for the program, None when nothing is queued."""
        return self._outgoing[0] if self._outgoing else None

    def written(self, count: int) -> None:
        """So many of the `outgoing` bytes were taken by the pipe."""
        piece = self._outgoing[0]
        if count < len(piece):
            self._outgoing[0] = piece[count:]
        else:
            self._outgoing.popleft()

    def refused(self) -> None:
        """The program closed its end: what is queued is dropped (Apache does the same)."""
        self._outgoing.clear()

    # ---- the response

    def received(self, data: bytes) -> list[Event]:
        """The events that these bytes complete."""
        return self._record(self.reader.feed(data))

    def received_eof(self) -> list[Event]:
        """The events of the end of file on the program's output (P2)."""
        return self._record(self.reader.eof())

    @property
    def over(self) -> bool:
        """Whether the response has ended, well or not."""
        return self.end is not None or self.fault is not None

    def fail(self, fault: Fault) -> None:
        """End the exchange (time-out, client gone); the first fault counts. An instance that does not
        persist is ended by TERM first (T3)."""
        if fault.how == "eof" and self.first and not self.honoured:
            fault = fault._replace(how="term")
        self.fault = self.fault or fault

    def verdict(self, unread: int) -> Verdict:
        """What becomes of the instance; `unread` bytes are left in its request pipe (B3)."""
        left_over = self.framed and bool(unread or self._outgoing or self.body_open)
        if self.fault is not None:
            return Verdict(False, self.fault._replace(how="kill") if left_over else self.fault)
        if self.end is None:
            raise ValueError("the response has not ended")
        if self.end.marked and self.end.excess:
            return Verdict(False, Fault(Reason.PROTOCOL, "HTS011 output after the end mark (P5)", "kill"))
        if left_over and self.end.marked:
            text = "HTS011 the request was not taken whole (B3, P9)"
            return Verdict(False, Fault(Reason.PROTOCOL, text, "kill"))
        return _KEPT if self.end.marked and self.honoured else Verdict(False)

    def _record(self, events: list[Event]) -> list[Event]:
        for event in events:
            if type(event) is Head:
                self.head = event
            elif type(event) is End:
                self.end = event
            elif type(event) is Invalid:
                self.fail(Fault(Reason.CRASHED, event.reason))
        return events
