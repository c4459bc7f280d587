"""The session lane: requests to living sessions, relayed between socket and pipes without a task.

Look-up, access, variables, parser, registry and logs are those of the ASGI path. A request that has to wait for
anything before its session is called takes that path from the beginning; a response that is not whole, small
and plain is finished there.
"""

import asyncio
from collections.abc import Sequence

import uvicorn
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, RequestResponseCycle
from uvicorn.server import ServerState

from gateway.errors import GatewayError
from gateway.front.client import Admission
from gateway.front.connection import Protocol
from gateway.front.cycle import Careful
from gateway.handler import Handler
from gateway.protocol.environ import Request
from gateway.protocol.events import Event, Head
from gateway.request.body import Body, Receive
from gateway.request.incoming import Asgi, Incoming, Scope, Send
from gateway.request.relay import Relay, body_of, headers_of

Headers = Sequence[tuple[bytes, bytes]]

LARGEST_BODY = 65536  # bytes of a request's body
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
        if exchange.end is None or exchange.fault is not None or call.eof or not self.keep_alive:
            return False
        head = events[0]
        if type(head) is not Head or head.local_redirect is not None or head.validators is not None:
            return False
        if connection.lost or connection.flow.write_paused:
            return False
        body, record = body_of(events), self.on.record
        headers = headers_of(call, head, body, whole=True)
        self.response_started = self.response_complete = True
        self._handler.over(self)
        connection.transport.write(
            _written(head.status, connection.server_state.default_headers, headers, body)
        )
        if record.logged is not None:
            record.logged.begins(head.status, headers)
            record.logged.goes_on(len(body), whole=True)
        self._handler.close(record)
        self.on = None
        connection.on_response_complete()
        return True

    def _leave(self) -> None:
        """Become a cycle of uvicorn's, and go on in a task."""
        self._left = True
        assert self.on is not None
        gone, connection, request = self.disconnected, self.connection, self.on.request
        scope = connection.scope_of(request.method, request.raw_path, request.query, request.headers)
        connection.equip(self, scope, keep_alive=self.keep_alive)
        self.more_body, self.disconnected = False, gone
        self.message_event.set()
        connection.start(self, self._go_on)

    async def _go_on(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.on is not None
        on, self.on = self.on, None
        await self._handler.go_on(on, self, Asgi(scope, receive, send))


class Lane(Protocol):
    """A connection whose requests may take the lane. A small body is waited for as long as it is in what was
    received together with its head."""

    __slots__ = ("_handler", "_held", "_pieces")

    def __init__(
        self, config: uvicorn.Config, server_state: ServerState, crowd: Admission, handler: Handler | None
    ) -> None:
        """Without a handler (SessionLane Off) every request takes the ASGI path."""
        super().__init__(config, server_state, crowd)
        self._handler = handler
        self._held: tuple[type[RequestResponseCycle], bool] | None = None
        self._pieces: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        """As for every connection; what was held for a body that is not whole goes its way."""
        super().data_received(data)
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
            body = b"".join(self._pieces)
            if self._relayed(body):
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
        if keep_alive and not expects and self._handler is not None and self._is_free():
            length = self.body_length
            if length == 0:
                if self._relayed(b""):
                    return
            elif length is not None and length <= LARGEST_BODY:
                self._held, self._pieces = (kind, asked), []
                return
        super()._begin(kind, keep_alive=keep_alive, expects=expects, asked=asked, refusal=refusal)

    def _is_free(self) -> bool:
        cycle = self.cycle
        return (
            (cycle is None or cycle.response_complete) and not self.flow.write_paused and self._method != "HEAD"
        )

    def _relayed(self, body: bytes) -> bool:
        handler, before = self._handler, self.cycle
        assert handler is not None
        raw_path, _, query = self.url.partition(b"?")
        request = Request(
            self._method, raw_path, query, "1.1", self.headers, self.client, self.server, self.scheme or "http",
            handler.ids.next(),
        )  # fmt: skip
        self.cycle = direct = Direct(self, handler)
        direct.on = handler.at_once(request, Body.taken(body), direct)
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
    fields = [b"%b: %b\r\n" % pair for pair in (*default, *headers)]
    return b"".join((STATUS_LINE[status], *fields, b"\r\n", body))
