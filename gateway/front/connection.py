"""A client's connection: uvicorn's HTTP protocol, with what the gateway needs beyond it."""

from types import SimpleNamespace
from typing import Any, ClassVar
from urllib.parse import unquote

import httptools
import uvicorn
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle
from uvicorn.server import ServerState

from gateway.errors import BadRequest, GatewayError, HeadTooLarge, LineTooLong, RequestTimeout
from gateway.front import heads
from gateway.front.client import Admission, Client, Stage
from gateway.front.cycle import Careful, Cycle, equip
from gateway.front.misread import Enough, meaning

_BETWEEN, _HEAD, _BODY = Stage
_WATCHED = heads.WATCHED
_PIECE = 16384  # bytes of heads that are parsed before they are looked at
_HIGH_WATER = 65536  # bytes of a body that are read before somebody wants them
_MOST_PIPELINED = 100  # requests that wait behind the one under way
_MOST_NOISE = 1 << 19  # bytes between the chunks of a body; eight are granted for each byte of the body
_NOISE_GRANTED = 8
_AROUND_FIELD = 6  # the colon, blanks and line ends of a header


class Protocol(Client):
    """Reads requests, checks their heads and has them answered in order; `Connection: close` in a drain."""

    __slots__ = ("_final", "_method", "_noise", "_progress", "_served", "_upgraded", "_version", "_watched")
    draining: ClassVar[bool] = False
    logged: int = 0  # requests that the access logs have seen, and the bytes of these
    logged_received: int = 0

    def __init__(self, config: uvicorn.Config, server_state: ServerState, crowd: Admission) -> None:
        super().__init__(config, server_state, crowd)
        self._final = self._upgraded = False
        self._served = self._noise = 0
        self._method, self._version = "GET", "1.1"
        self._progress: tuple[int, int] | None = None
        self._watched: list[tuple[bytes, bytes]] = []

    @property
    def stays(self) -> bool:
        """Whether the connection may take another request."""
        return (self.running or self.cycle).keep_alive and not self.leaving and not self.transport.is_closing()

    def data_received(self, data: bytes) -> None:
        """Parse; what cannot be served is answered in its turn."""
        if self.deaf:
            self._discard(len(data))
            return
        if len(data) > _PIECE and self.stage is not _BODY:
            self._in_pieces(data)
            return
        self.head = self.head + len(data) if self.stage is _HEAD else len(data)
        before = self.taken
        try:
            self.parser.feed_data(data)
            if self.stage is not _BETWEEN:
                self._unfinished(len(data), max(0, self.taken - before))
        except httptools.HttpParserUpgrade as upgrade:
            self._without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            self._refuse(meaning(error, data), named=isinstance(error, httptools.HttpParserInvalidURLError))
        except GatewayError as error:
            self._refuse(error)

    def _in_pieces(self, data: bytes) -> None:
        """Of a head that is too large little is parsed before it is refused."""
        Protocol.data_received(self, data[:_PIECE])
        if self.deaf:
            self._discard(len(data) - _PIECE)
        else:
            Protocol.data_received(self, data[_PIECE:])

    def _discard(self, count: int) -> None:
        """Bytes came that nobody wants."""
        self.discarded += count
        if self.discarded > self.patience:
            self.flow.pause_reading()

    def late(self) -> None:
        """The client was too slow with a head or a body (RequestReadTimeout): 408, or a reset when it is too
        late for an answer."""
        if self.stage is _BODY and (self.cycle.response_started or not isinstance(self.cycle, Careful)):
            self.abort()
        else:
            self._refuse(RequestTimeout("the request did not come in time (RequestReadTimeout)"))

    # ---- the parser's side

    def on_message_begin(self) -> None:
        """A request begins."""
        if self._final:
            raise Enough
        self.url, self.headers, self._version = b"", [], "1.1"
        self.stage, self._progress, self._watched = _HEAD, None, []

    def on_url(self, url: bytes) -> None:
        """A part of the target."""
        self.url += url
        if len(self.url) > self.limits.line:
            raise LineTooLong(f"a request line of more than {self.limits.line} bytes (LimitRequestLine)")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header, or a trailer."""
        name = name.lower()
        pair = (name, value.rstrip())
        self.headers.append(pair)
        if name in _WATCHED:
            self._watched.append(pair)

    def on_headers_complete(self) -> None:
        """Check the head; the request goes to the application, or waits until it is its turn."""
        version, method = self.parser.get_http_version(), self.parser.get_method()
        if version != "1.1":
            heads.check_version(version)
            self._version = version
        if self.head > self.limits.smallest or len(self.headers) > self.limits.fields:
            heads.check_sizes(self.limits, method, self.url, self.headers)
        if method in heads.NEVER_SERVED:
            raise heads.not_served(method)
        framing = heads.framing(version, self._watched)
        url = self.url if self.url.startswith(b"/") else heads.origin_form(method, self.url, self.headers)
        self.url = url.partition(b"#")[0] if b"#" in url else url
        self._method = method.decode("ascii")
        free = self.limits.free and not self.pipeline and not Protocol.draining
        kept = self.parser.should_keep_alive() and (free or self._goes_on())
        if framing.upgrade and self.parser.should_upgrade():
            kept, self._upgraded = False, framing.length != 0
        self.stage, self._noise, self.body_length = _BODY, 0, framing.length
        self._final = not kept
        if kept and framing.length == 0 and version == "1.1":
            self._begin(Cycle, keep_alive=True)
        else:
            self._begin(Careful, keep_alive=kept and version == "1.1", expects=framing.expects, asked=kept)

    def scope_of(self, method: str, raw_path: bytes, query: bytes, headers: heads.Headers) -> dict[str, Any]:
        """The ASGI scope of a request of HTTP/1.1."""
        path = raw_path.decode("latin-1")
        return {
            "type": "http",
            "asgi": {"version": self.asgi_version, "spec_version": "2.3"},
            "http_version": "1.1",
            "method": method,
            "scheme": self.scheme,
            "path": unquote(path) if "%" in path else path,
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": self.client,
            "server": self.server,
            "gateway.connection": self,
        }

    def _goes_on(self) -> bool:
        """Whether another request may follow the one that has just come."""
        self._served += 1
        limits = self.limits
        return (
            limits.keep_alive
            and not Protocol.draining
            and (not limits.requests or self._served < limits.requests)
            and len(self.pipeline) < _MOST_PIPELINED
        )

    def _begin(
        self,
        kind: type[RequestResponseCycle],
        *,
        keep_alive: bool,
        expects: bool = False,
        asked: bool = False,
        refusal: GatewayError | None = None,
    ) -> None:
        raw_path, _, query = self.url.partition(b"?")
        scope = self.scope_of(self._method, raw_path, query, self.headers)
        scope["http_version"], self.headers = self._version, []  # of trailers nothing is kept
        if refusal is not None:
            scope["gateway.refusal"] = refusal
        before = self.cycle
        self.cycle = cycle = kind.__new__(kind)
        equip(cycle, self, scope, keep_alive=keep_alive, expects=expects)
        if isinstance(cycle, Careful):
            cycle.connection, cycle.asked = self, asked
        if before is None or before.response_complete:
            self._run(cycle)
        else:
            self.flow.pause_reading()
            self.pipeline.appendleft((cycle, self.app))

    def start(self, cycle: RequestResponseCycle, application: Any) -> None:
        """Have an ASGI application answer a request in a task."""
        self._start_asgi_task(cycle, application)

    def _run(self, cycle: RequestResponseCycle) -> None:
        self.running, self.on_lost = cycle, None
        self.start(cycle, self.app)

    def on_body(self, body: bytes) -> None:
        """A part of the body; what comes after the response is read away."""
        self.taken += len(body)
        cycle = self.cycle
        if cycle.response_complete:
            if self.taken > self.DRAINED and not self.lingering:
                self.linger()
            return
        cycle.body += body
        if len(cycle.body) > _HIGH_WATER:
            self.flow.pause_reading()
        cycle.message_event.set()

    def on_message_complete(self) -> None:
        """The request is whole."""
        if self._upgraded:
            return
        self.stage, self.taken = _BETWEEN, 0
        cycle = self.cycle
        if not cycle.response_complete:
            cycle.more_body = False
            cycle.message_event.set()

    def on_response_complete(self) -> None:
        """The next request's turn, or the end; the sweeper closes a connection that stays idle."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.leaving or (self.remaining > self.DRAINED and not self.pipeline):
            self.linger()
            return
        self.flow.resume_reading()
        if self.pipeline:
            self._run(self.pipeline.pop()[0])

    # ---- what cannot be served

    def _unfinished(self, count: int, gained: int) -> None:
        """Keep a head or a body that never ends within bounds: of `count` bytes `gained` were of the body."""
        if self.stage is _BODY:
            self._noise = max(0, self._noise + count - _NOISE_GRANTED * gained)
            if self._noise > _MOST_NOISE:
                raise BadRequest("a body that is all chunk extensions or trailers")
            heads.check_fields(self.limits, self.headers)  # of a trailer
            return
        heads.check_fields(self.limits, self.headers)
        progress = len(self.headers), len(self.url)
        self._noise = self._noise + count if progress == self._progress else 0
        self._progress = progress
        if self._noise > self.limits.field + _AROUND_FIELD:
            raise HeadTooLarge(f"a header of more than {self.limits.field} bytes (LimitRequestFieldSize)")

    def _without_upgrade(self, rest: bytes) -> None:
        """Nothing but HTTP/1 is spoken; the parser takes the body of a request with Upgrade for another
        protocol."""
        if not self._upgraded:
            self.deaf = True
            return
        self._upgraded = False
        receiver = SimpleNamespace(on_body=self.on_body, on_message_complete=self.on_message_complete)
        self.parser = httptools.HttpRequestParser(receiver)
        length = b"Content-Length: %d" % self.body_length if self.body_length else b"Transfer-Encoding: chunked"
        self.parser.feed_data(b"POST / HTTP/1.1\r\nHost: x\r\n%b\r\n\r\n" % length)
        self.data_received(rest)

    def _refuse(self, error: GatewayError | None, *, named: bool = False) -> None:
        """Answer what cannot be served, behind what is under way; nothing more of this client is parsed.
        `named`: the method is known, although there is no target."""
        self.deaf = True
        if self.stage is _BODY:
            self._fail(error)
            return
        if self._final or error is None:
            return
        if self.stage is _BETWEEN:
            self.url, self.headers, self._version = b"", [], "1.1"
        self.stage, self._final, self.body_length = _BODY, True, None
        self.patience = self.DRAINED
        self._method = self.parser.get_method().decode("ascii") if self.url or named else "GET"
        self._begin(Careful, keep_alive=False, refusal=error)

    def _fail(self, error: GatewayError | None) -> None:
        if self.cycle.response_complete:
            self.linger()
        elif error is not None and isinstance(self.cycle, Careful):
            self.cycle.fail(error)
