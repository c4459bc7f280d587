"""The ASGI path: a thin adapter between an exchange and a client's connection."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from gateway.errors import BadAnswer, ClientGone, GatewayError, PreconditionFailed
from gateway.keeper.reasons import Reason
from gateway.protocol.conditions import outcome, without_content
from gateway.protocol.environ import Request
from gateway.protocol.events import Data, Event, Head
from gateway.request.forward import Forward
from gateway.request.incoming import Connection, Send
from gateway.request.warning import insertion, lengthened
from gateway.sessions.call import Call
from gateway.sessions.ends import describe
from gateway.sessions.exchange import Fault
from gateway.sessions.instance import READ_SIZE

HIGH_WATER = 65536
_BODILESS = (204, 304)


class Relay:
    """The sink of one call: keeps what the program sends until the client takes it, within bounds."""

    _parts: Sequence[Event] = ()
    _size = 0
    _paused = delivered = False
    _ready: asyncio.Future[None] | None = None
    _room: asyncio.Future[None] | None = None
    call: Call | None = None
    failure: GatewayError | None = None

    def __init__(
        self, connection: Connection, loop: asyncio.AbstractEventLoop, on_whole: Callable[[Call], None]
    ) -> None:
        """`on_whole` is called before the last bytes of a response are handed to the client's connection;
        `failure` is why there is no call."""
        self.connection = connection
        self.on_whole = on_whole
        self._loop = loop

    # ---- Sink

    def events(self, events: Sequence[Event]) -> None:
        """Parts of the response came; an empty sequence: the exchange has failed."""
        self._parts = [*self._parts, *events]
        for event in events:
            if type(event) is Data:
                self._size += len(event.data)
        self._wake()
        if self._size > HIGH_WATER and self.call is not None and not self.call.exchange.over:
            self._paused = True
            self.call.pause()

    def drained(self) -> None:
        """The pipe has room for more of the body."""
        if self._room is not None and not self._room.done():
            self._room.set_result(None)

    def backlog(self) -> int:
        """Bytes on their way to the client."""
        return self.connection.backlog

    def stalled(self) -> None:
        """The client did not move for Timeout: it counts as gone."""
        self.connection.abort()
        self.lost()

    def lost(self) -> None:
        """The client's connection is closed."""
        self._wake()
        if self.call is not None:
            self.call.client_lost()

    def failed(self, error: GatewayError) -> None:
        """There is no call: its program could not be started."""
        self.failure = error

    def _wake(self) -> None:
        if self._ready is not None and not self._ready.done():
            self._ready.set_result(None)

    # ---- the adapter's side

    async def next(self, call: Call) -> list[Event]:
        """The parts that have come since the last time; empty when the exchange has failed."""
        while not self._parts and not call.settled:
            self._ready = self._loop.create_future()
            await self._ready
        parts, self._parts, self._size = list(self._parts), (), 0
        if self._paused:
            self._paused = False
            call.resume()
        return parts

    def may_forward(self, call: Call, part: bytes) -> bool:
        """Whether what follows this part of the body is to be forwarded."""
        return len(part) >= READ_SIZE and not (self._parts or call.exchange.over or self.connection.lost)

    async def forward(self, call: Call) -> int:
        """Forward the body of a call that is paused as far as it goes; returns how many bytes went."""
        sent = 0
        while True:
            await self.connection.room()
            call.resume()
            if self._parts or call.exchange.over or self.connection.lost:
                return sent
            self._ready = self._loop.create_future()
            forward = Forward(call, self.connection, self._ready)
            try:
                await self._ready
            finally:
                forward.close()
            sent += forward.sent
            if not forward.paused:
                return sent

    async def room(self, call: Call) -> None:
        """Wait until the program has taken what it was sent."""
        while call.blocked and not call.exchange.over:
            self._room = self._loop.create_future()
            await self._room


async def respond(call: Call, relay: Relay, send: Send, request: Request) -> Head | None:
    """Send the response; returns the head of a local redirect instead of sending one.

    Raises the GatewayError of a response that failed before its head, PreconditionFailed, ClientGone after
    a cut.
    """
    parts = await relay.next(call)
    if call.eof:
        await _judge_exit(call)
    if not parts or type(parts[0]) is not Head:
        raise _failure(call)
    head = parts.pop(0)
    assert isinstance(head, Head)
    if head.local_redirect is not None:
        while not call.exchange.over:
            await relay.next(call)
        return head
    status = head.status
    if head.validators is not None or request.came_by is not None:
        status = _status(call, head, request)
        if status == PreconditionFailed.status and head.validators is not None:
            await _drop(call, relay)
            raise PreconditionFailed
    started, unwanted = False, status == 304
    session, warns = call.session, call.program.warning
    kept = session if call.exchange.honoured else None
    added = insertion(kept, warns, head, request) if warns and kept else None
    if request.method == "HEAD" or status != head.status:
        added = None
    while True:
        whole = call.exchange.over and call.exchange.fault is None
        body = b"" if unwanted else body_of(parts)
        if added is not None:
            body = added.into(body, last=whole)
        if relay.connection.lost and call.exchange.first and not whole:
            text = "the client left before it had the whole response"
            call.exchange.fail(Fault(Reason.UNSEEN, f"HTS006 ended: {text} (R7)"))
        if not started:
            started = True
            headers = headers_of(call, head, status, body, whole)
            if added is not None:
                headers = lengthened(headers, len(body) if whole else None)
            if request.came_by is not None:
                headers += request.came_by.missing_in([name for name, _ in headers])
            start = {"type": "http.response.start", "status": status, "headers": headers}
            await send(start | {"gateway.together": bool(body)})
        if call.exchange.fault is not None:
            await send({"type": "http.response.body", "body": body, "more_body": True})
            relay.connection.cut()
            raise ClientGone
        if whole:
            relay.on_whole(call)
            there = not relay.connection.lost
            await send({"type": "http.response.body", "body": body, "more_body": False})
            relay.delivered = there and not relay.connection.lost
            return None
        if body:
            part = {"type": "http.response.body", "body": body, "more_body": True}
            if added is None and relay.may_forward(call, body):
                call.pause()
                await send(part)
                if sent := await relay.forward(call):
                    await send({"type": part["type"], "gateway.forwarded": sent, "more_body": True})
            else:
                await send(part)
        parts = await relay.next(call)
        if call.eof:
            await _judge_exit(call)


def _status(call: Call, head: Head, request: Request) -> int:
    """The status that the client gets: that of the error whose document this is, 304 or 412 for a condition.

    A page that carries a handle is sent whole: the one that the client has kept has got an older one.
    """
    if head.status == 200 and not head.stated and request.came_by is not None:
        return request.came_by.status
    if head.validators is None or call.exchange.honoured:
        return head.status
    return outcome(head.validators, request.method, request.headers)


async def _drop(call: Call, relay: Relay) -> None:
    """Read to the end of a response that nobody gets."""
    while not call.exchange.over:
        await relay.next(call)
        if relay.connection.lost and call.exchange.first:
            raise ClientGone


def body_of(parts: Iterable[Event]) -> bytes:
    """What the parts of a response hold of its body."""
    pieces = [part.data for part in parts if type(part) is Data]
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def headers_of(call: Call, head: Head, status: int, body: bytes, whole: bool) -> list[tuple[bytes, bytes]]:
    """The headers of a response; the body, if it is known by now, says its length (but of one to HEAD, which is
    not known: RFC 9110, section 8.6)."""
    headers = [*head.headers, *call.extra_headers]
    if status == 304:
        return without_content(headers)
    if head.status in _BODILESS:
        return [pair for pair in headers if pair[0] != b"content-length"]
    if whole and head.content_length is None and not call.head_only:
        headers.append((b"content-length", b"%d" % len(body)))
    return headers


async def _judge_exit(call: Call) -> None:
    """The output is at its end of file: a program that was killed, or a host with an error, did not finish.

    A program that closed its output and lives on has finished.
    """
    if not judge_exit(call):
        await call.instance.exit()
        judge_exit(call)


def judge_exit(call: Call) -> bool:
    """As far as it is known how the program has ended. False: it matters, and is not known."""
    exchange, instance = call.exchange, call.instance
    promised = exchange.head is not None and exchange.head.content_length is not None
    if exchange.end is not None and (exchange.end.marked or promised):
        return True
    if not instance.exited.done():
        return False
    facts = instance.exited.result()
    strict = call.instance.persistent or call.program.hosted
    if exchange.end is None or facts["status"] < 0 or (facts["status"] and strict):
        exchange.fault = Fault(Reason.CRASHED, f"{_what(call)}{describe(facts)}")
    return True


def _what(call: Call) -> str:
    fault = call.exchange.fault
    before = "" if call.exchange.head is not None else " before it sent a header"
    if call.instance.persistent:
        return f"HTS007 exited{before} while it should persist"
    return f"the program ended{before}" if fault is None else fault.log


def _failure(call: Call) -> GatewayError:
    """Why there is no head. A session's own end says it in the log; a first request's is said here."""
    fault = call.exchange.fault
    log = "" if call.session is not None or fault is None else f"{call.program.text}: {fault.log}"
    return BadAnswer(log) if fault is None else fault.answer(log)
