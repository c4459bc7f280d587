"""One call of an instance: the exchange, bound to the pipes and to whoever takes the response."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Protocol

from gateway.program import Program
from gateway.protocol.events import Event, Head
from gateway.protocol.response import ResponseReader
from gateway.sessions.decision import Asked
from gateway.sessions.exchange import Exchange, Fault, Verdict
from gateway.sessions.guest import NOBODY, Guest
from gateway.sessions.instance import Instance
from gateway.sessions.session import Session


class Sink(Protocol):
    """Who takes the response: the ASGI path today, the session lane later."""

    def events(self, events: Sequence[Event]) -> None:
        """Parts of the response; an empty sequence says that the exchange has ended by a fault."""

    def drained(self) -> None:
        """Everything that was sent to the program so far has been taken."""

    def backlog(self) -> int:
        """Bytes that the client has not taken yet; it moves as long as they change (T4)."""

    def stalled(self) -> None:
        """The client gave or took nothing for Timeout: it counts as gone (T4)."""


Decide = Callable[["Call", Head], "asyncio.Future[None] | None"]


class Call:
    """`session` is None for a first request (`newcomer`); `handle` is the handle by which the request came.

    `head_only`: HEAD never starts a session (L3); `user` is REMOTE_USER (W1), `guest` what else is known of who
    may begin a session. `segment` is the URL's first segment behind the cgi-name (R3), `path_info` (of a first
    request) all behind it; `since` the time of the last progress, `reading` whether the program is read from,
    `lost_at` when the client was found gone (R7), `eof` whether the program has closed its output, `undecided`
    whether the keeper is asked about its handle; `output` takes what comes until the head is known, for
    ScriptLog. `began`, `answered` and `ended` (0.0: not yet) are when the program was handed out, when its head
    had come and its response was over, monotonic; `bytes_in` are of the request's body, `bytes_out` of what the
    program wrote, as far as the session has not got them yet; `counted`: until when it has got the time.
    `number`: of the request within the session that it has or begins.
    """

    # Defaults of the class, not slots: what most calls never change is not set for each.
    asked: Asked | None = None
    verdict: Verdict | None = None
    extra_headers: Sequence[tuple[bytes, bytes]] = ()
    output: bytearray | None = None
    eof = waits_for_body = undecided = False
    reading = True
    ended = answered = lost_at = 0.0
    bytes_in = bytes_out = _backlog = 0

    def __init__(
        self,
        instance: Instance,
        program: Program,
        sink: Sink,
        decide: Decide,
        *,
        session: Session | None = None,
        handle: bytes = b"",
        segment: bytes = b"",
        path_info: bytes = b"",
        head_only: bool = False,
        user: bytes | None = None,
        guest: Guest = NOBODY,
    ) -> None:
        reader = ResponseReader(instance.mark, bodiless=head_only, nph=program.nph)
        self.exchange = Exchange(reader, first=not instance.persistent, framed=instance.framed)
        self.instance = instance
        self.program = program
        self.session, self.handle, self.segment = session, handle, segment
        self.path_info = path_info
        self.newcomer = session is None
        self.number = 1 if session is None else session.requests
        self.head_only = head_only
        self.user, self.guest = user, guest
        self.since = self.began = self.counted = time.monotonic()
        self._sink, self._decide = sink, decide
        instance.call = self
        instance.resume()

    @property
    def settled(self) -> bool:
        """Whether nothing more comes for the sink: the exchange has failed, or is over and judged."""
        exchange = self.exchange
        return exchange.fault is not None or (exchange.end is not None and not self.undecided)

    # ---- to the program

    def send(self, data: bytes, *, more: bool = False) -> None:
        """Queue bytes for the program and write what goes; `more`: the body goes on."""
        exchange = self.exchange
        exchange.body_open = more
        if exchange.framed and not more and exchange.outgoing is None:
            data = self.instance.put(data)
            if not data:
                return
        exchange.push(data)
        self.instance.write(self)

    @property
    def blocked(self) -> bool:
        """Whether the pipe is full: wait for `Sink.drained`."""
        return self.exchange.outgoing is not None

    def drained(self) -> None:
        """The pipe took everything."""
        self._sink.drained()

    def touched(self) -> None:
        """Somebody moved: the clock starts anew (T4)."""
        self.since = time.monotonic()

    def excuse(self, seconds: float) -> None:
        """The front stood still for so long: its clocks did as well."""
        self.since += seconds
        if self.lost_at:
            self.lost_at += seconds

    @property
    def waits_for_client(self) -> bool:
        """Whether the client has to move first: to take output, or to send more of the body (T4). It may have
        taken a whole response before the program's exit is known."""
        if self.lost_at:
            return False
        if self.exchange.over:
            return self._sink.backlog() > 0
        return not self.reading or (self.waits_for_body and not self.blocked)

    def client_moved(self) -> bool:
        """Whether the client has taken something since this was asked last."""
        before, self._backlog = self._backlog, self._sink.backlog()
        return self._backlog != before

    def client_stalled(self) -> None:
        """The client did not move for Timeout."""
        self._sink.stalled()

    def client_lost(self) -> None:
        """The client is gone: what still comes is read and dropped (R7)."""
        self.lost_at = self.lost_at or time.monotonic()

    # ---- from the program

    def received(self, data: bytes, *, last: bool = False) -> None:
        """Bytes of the program, or its end of file, which may follow them at once (`last`)."""
        self.since = time.monotonic()
        self.eof = eof = last or not data
        self.bytes_out += len(data)
        exchange = self.exchange
        if exchange.over:
            if data and exchange.end is not None:
                exchange.end.excess = True  # P5
                self.verdict = None
            self.instance.pause()
            return
        known = exchange.head
        if self.output is not None and known is None:
            self.output += data
        events = exchange.received(data) if data else []
        if eof and not exchange.over:
            events += exchange.received_eof()
        if exchange.over:
            self.reading = False
            self.ended = self.since
            if eof:
                self.instance.pause()
        if known is None and exchange.head is not None:
            self.answered = self.since
            decision = self._decide(self, exchange.head)
            if decision is not None:
                self.undecided = True
                self.pause()
                decision.add_done_callback(lambda _: self._decided(events))
                return
        if events:
            self._sink.events(events)

    def passed(self, count: int) -> None:
        """So many bytes of the body went from the pipe to the client: they need not be `received`."""
        self.since = time.monotonic()
        self.bytes_out += count
        self.exchange.reader.skip(count)

    def _decided(self, events: list[Event]) -> None:
        self.undecided = False
        self.resume()
        self._sink.events(events)

    def fail(self, fault: Fault) -> None:
        """The exchange ends by a fault from outside."""
        if not self.exchange.over:
            self.exchange.fail(fault)
            self.reading = False
            self.ended = time.monotonic()
            self._sink.events(())

    def pause(self) -> None:
        """The client is slower than the program: back-pressure by the pipe."""
        self.reading = False
        self.since = time.monotonic()
        self.instance.pause()

    def resume(self) -> None:
        """The client has taken what there was."""
        if not self.exchange.over:
            self.since = time.monotonic()
            self.reading = True
            self.instance.resume()
