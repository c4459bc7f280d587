"""The session lane: requests to living sessions, and starts, relayed between socket and pipes without a task.

Look-up, access, variables, parser, registry and logs are those of the ASGI path. A request that has to wait for
anything before its session is called takes that path from the beginning; a response that is not whole, small
and plain is finished there.
"""

import asyncio
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from gateway.errors import GatewayError
from gateway.front.client import Admission, Stage
from gateway.front.connection import Protocol
from gateway.front.cycle import Careful, equip
from gateway.handler import Handler
from gateway.protocol.environ import Request
from gateway.protocol.events import Event, Head
from gateway.request.body import NO_BODY, Body, Receive
from gateway.request.incoming import Asgi, Incoming, Known, Scope, Send
from gateway.request.relay import Relay, body_of, headers_of, judge_exit

Headers = Sequence[tuple[bytes, bytes]]

LARGEST_BODY = 65536  # bytes of a request's body
_LONGEST = 2048  # bytes of a request that is remembered
_MOST_KNOWN, _MOST_SEEN, _MOST_ADDRESSES = 1024, 8192, 64
_BETWEEN = Stage.BETWEEN
_UNHEARD = asyncio.Event()  # nobody waits for what a request in the lane has to say


class Direct(Relay, Careful):
    """A request in the lane: it takes what its call says, and stands where uvicorn has a cycle. What else that
    has is made when the request leaves the lane."""

    connection: "Lane"
    keep_alive = True
    disconnected = response_started = response_complete = more_body = waiting_for_100_continue = False
    message_event = _UNHEARD
    _left = False

    def __init__(self, connection: "Lane", handler: Handler) -> None:
        Relay.__init__(self, connection, connection.loop, handler.whole)
        self._handler = handler
        self.on: Incoming | None = None

    def events(self, events: Sequence[Event]) -> None:
        """Answer with a response that has come whole; any other one goes on by ASGI."""
        if self._left:
            super().events(events)
        elif not self._answered(events):
            super().events(events)
            self._leave()

    def _answered(self, events: Sequence[Event]) -> bool:
        call, connection = self.call, self.connection
        assert call is not None and self.on is not None
        exchange = call.exchange
        if exchange.end is None or exchange.fault is not None or not self.keep_alive:
            return False
        if call.eof and (not judge_exit(call) or exchange.fault is not None):
            return False
        head = events[0]
        if type(head) is not Head or head.local_redirect is not None or head.validators is not None:
            return False
        session = call.session
        tells = session is not None and (call.newcomer or session.handles.issued)
        if tells and not connection.lost and connection.left:
            self.disconnected = True  # R7: a page with a new handle that nobody gets
        if connection.lost or connection.flow.write_paused:
            return False
        body, record = body_of(events), self.on.record
        headers = headers_of(call, head, head.status, body, whole=True)
        written = _written(head.status, connection.server_state.default_headers, headers, body)
        if call.newcomer:
            record.started = session
        if tells:
            self._handler.whole(call)
            connection.transport.write(written)  # H5, R7: before the old handle is retired
            self._handler.over(self, delivered=not connection.lost)
        else:
            self._handler.over(self)
            connection.transport.write(written)
        self.response_started = self.response_complete = True
        if record.logged is not None:
            record.logged.begins(head.status, headers)
            record.logged.goes_on(len(body), whole=True)
        self._handler.close(record)
        self.on = None
        connection.on_response_complete()
        return True

    def failed(self, error: GatewayError) -> None:
        """There is no call: the client is told so."""
        super().failed(error)
        self._leave()

    def _leave(self) -> None:
        """Become a cycle of uvicorn's, and go on in a task."""
        self._left = True
        assert self.on is not None
        gone, connection, request = self.disconnected, self.connection, self.on.request
        scope = connection.scope_of(request.method, request.raw_path, request.query, request.headers)
        equip(self, connection, scope, keep_alive=self.keep_alive)
        self.more_body, self.disconnected = False, gone
        self.message_event.set()
        connection.start(self, self._go_on)

    async def _go_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.on is not None
        on, self.on = self.on, None
        await self._handler.go_on(on, self, Asgi(scope, receive, send))


class Memory:
    """Requests to living sessions that came before, by their bytes, at one address."""

    def __init__(self) -> None:
        self.known: dict[bytes, Known] = {}
        self._seen: set[int] = set()

    def add(self, data: bytes, known: Known) -> None:
        """Remember a request when it comes for the second time."""
        seen = hash(data)
        if seen not in self._seen:
            if len(self._seen) >= _MOST_SEEN:
                self._seen.clear()
            self._seen.add(seen)
            return
        if len(self.known) >= _MOST_KNOWN:
            del self.known[next(iter(self.known))]
        self.known[data] = known


class Track:
    """What the connections of a front share: who calls the sessions, and the requests that came before."""

    def __init__(self, handler: Handler) -> None:
        self.handler = handler
        self.memory = lru_cache(_MOST_ADDRESSES)(lambda server: Memory())


class Lane(Protocol):
    """A connection whose requests may take the lane. A small body is waited for as long as it is in what was
    received together with its head."""

    __slots__ = ("_begun", "_called", "_held", "_memory", "_pieces", "_track")

    def __init__(
        self, config: uvicorn.Config, server_state: ServerState, crowd: Admission, track: Track | None
    ) -> None:
        """Without a track (SessionLane Off) every request takes the ASGI path."""
        super().__init__(config, server_state, crowd)
        self._track = track
        self._memory: Memory | None = None
        self._called: Known | None = None
        self._begun = 0
        self._held: tuple[type[RequestResponseCycle], bool] | None = None
        self._pieces: list[bytes] = []

    def connection_made(self, transport: Any) -> None:
        """As for every connection."""
        super().connection_made(transport)
        if self._track is not None and self._track.handler.remembers and self.limits.free:
            self._memory = self._track.memory(self.server)

    def data_received(self, data: bytes) -> None:
        """A request that came before is not read again: the same bytes, and nothing else, say the same."""
        memory = self._memory
        if memory is None or self.stage is not _BETWEEN or len(data) > _LONGEST:
            super().data_received(data)
        elif (known := memory.known.get(data)) is None or not self._repeated(known):
            self._called, self._begun = None, 0
            super().data_received(data)
            if self._called is not None and self._begun == 1 and self.stage is _BETWEEN:
                memory.add(data, self._called)
        if self._held is not None:
            self._release()

    def on_body(self, body: bytes) -> None:
        """A part of the body."""
        if self._held is None:
            super().on_body(body)
        else:
            self.taken += len(body)
            self._pieces.append(body)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._held is not None:
            if self._relayed(b"".join(self._pieces)):
                self._held = None
            else:
                self._release()
        super().on_message_complete()

    def _begin(
        self,
        kind: type[RequestResponseCycle],
        *,
        keep_alive: bool,
        expects: bool = False,
        asked: bool = False,
        refusal: GatewayError | None = None,
    ) -> None:
        self._begun += 1
        if (
            self._track is not None
            and keep_alive
            and not expects
            and self._method != "HEAD"
            and self._is_free()
        ):
            length = self.body_length
            if length == 0:
                if self._relayed(b""):
                    return
            elif length is not None and length <= LARGEST_BODY:
                self._held, self._pieces = (kind, asked), []
                return
        super()._begin(kind, keep_alive=keep_alive, expects=expects, asked=asked, refusal=refusal)

    def _run(self, cycle: RequestResponseCycle) -> None:
        if self._track is not None:
            self._track.handler.ahead.add(cycle.scope["raw_path"])
        super()._run(cycle)

    def _is_free(self) -> bool:
        """Whether nothing is under way that has to be answered before."""
        cycle = self.cycle
        return (cycle is None or cycle.response_complete) and not self.flow.write_paused

    def _repeated(self, known: Known) -> bool:
        if Protocol.draining or self.deaf or self.pipeline or not self._is_free():
            return False
        return self._call(known, self._copy(known.request), b"", again=True)

    def _copy(self, first: Request) -> Request:
        """The same request, from this client."""
        assert self._track is not None
        return Request(
            first.method, first.raw_path, first.query, "1.1", first.headers,
            self.client, self.server, first.scheme, self._track.handler.ids.next(),
        )  # fmt: skip

    def _relayed(self, body: bytes) -> bool:
        """Whether the request whose head has come, and this body, took the lane."""
        assert self._track is not None
        handler, (raw_path, _, query) = self._track.handler, self.url.partition(b"?")
        request = Request(
            self._method, raw_path, query, "1.1", self.headers,
            self.client, self.server, self.scheme or "http", handler.ids.next(),
        )  # fmt: skip
        known = handler.known(request)
        if known is None or not self._call(known, request, body):
            return False
        self._called = known if self.body_length == 0 else None
        return True

    def _call(self, known: Known, request: Request, body: bytes, *, again: bool = False) -> bool:
        assert self._track is not None
        handler, before = self._track.handler, self.cycle
        self.cycle = direct = Direct(self, handler)
        direct.on = handler.at_once(known, request, Body.taken(body) if body else NO_BODY, direct, again=again)
        if direct.on is None:
            self.cycle = before
            return False
        self.running = direct
        return True

    def _release(self) -> None:
        """What was held takes the ASGI path, with as much of its body as is there."""
        assert self._held is not None
        (kind, asked), self._held = self._held, None
        super()._begin(kind, keep_alive=True, asked=asked)
        self.cycle.body += b"".join(self._pieces)
        self.cycle.message_event.set()


def _written(status: int, default: Headers, headers: Headers, body: bytes) -> bytes:
    """A response as uvicorn writes it, in one piece."""
    fields = b"\r\n".join(map(b": ".join, (*default, *headers)))
    return b"%b%b\r\n\r\n%b" % (STATUS_LINE[status], fields, body)
