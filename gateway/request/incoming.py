"""A request on its way through the gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gateway.configuration.load import Host
from gateway.directives.settings import Settings
from gateway.protocol.environ import Request, UniqueIds
from gateway.protocol.paths import Path
from gateway.protocol.redirection import Redirection
from gateway.request.body import Body, Receive

if TYPE_CHECKING:
    from gateway.errors import GatewayError
    from gateway.mapping.found import Found
    from gateway.sessions.call import Call
    from gateway.sessions.session import Session

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_BODY_HEADERS = (b"content-length", b"transfer-encoding", b"content-type", b"expect")


class Entry(Protocol):
    """What the access log notes of a request."""

    def through(self, send: Send) -> Send:
        """What takes the place of `send`, and notes the parts of the response."""

    def begins(self, status: int, headers: Sequence[tuple[bytes, bytes]]) -> None:
        """The head of the response goes out."""

    def goes_on(self, size: int, *, whole: bool) -> None:
        """So many bytes of its body go out, the last ones if it is then `whole`."""

    def close(self) -> None:
        """The response was handed over or cut."""


class Record:
    """What is known of a request so far: for the gateway's own answers and for the logs.

    `settings` are the host's until the URL has been looked up, then those of the URL. `request` changes with a
    local redirect; `before` is the status and the user that it had then. `matched`: a living session and the
    handle in the URL; `found`: what else the URL means; `started`: a session that began with the response;
    `call`: the call of a program; `waited`: seconds in the queues before it (R5, S5, L2), `received`: for the
    body. `logged`: what the access log notes of it; `came`: when its head had come (monotonic; 0.0 where nobody
    measures).
    """

    # Defaults of the class, not slots: most requests never change them.
    user: bytes | None = None
    before: tuple[int, bytes | None] | None = None
    matched: tuple[Session, bytes] | None = None
    found: Found | None = None
    started: Session | None = None
    call: Call | None = None
    waited = received = came = 0.0
    logged: Entry | None = None
    error: GatewayError | None = None

    def __init__(self, host: Host, request: Request) -> None:
        self.host = host
        self.request = request
        self.settings: Settings = host.settings

    def redirect(self, request: Request, status: int) -> None:
        """Go on with another request, of the gateway's own; `status` is what the first one came to."""
        if self.before is None:
            self.before = status, self.user
        self.request, self.matched, self.found, self.call = request, None, None, None
        self.user = None


class Connection(Protocol):
    """What is needed of the client's connection beyond ASGI."""

    on_lost: Callable[[], object] | None

    @property
    def lost(self) -> bool:
        """Whether the client is gone."""

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by the client."""

    @property
    def full(self) -> bool:
        """Whether the client has to take something before more is written."""

    async def room(self) -> None:
        """Wait until it is no more `full`."""

    def forward(self, data: memoryview) -> bool:
        """Write a part of the body of the response under way; whether the memory is still needed then."""

    def hold(self, count: int) -> bool:
        """Read no more, if the last `count` bytes of the body under way can be poured."""

    async def pour(self, call: Call) -> int:
        """Have nearly all of the body that is held go to the program unread; returns how many bytes went."""

    def cut(self) -> None:
        """Close so that the client can tell that the response is not whole."""

    def abort(self) -> None:
        """Close at once: the client takes nothing."""


class Asgi(NamedTuple):
    """How the answer goes out."""

    scope: Scope
    receive: Receive
    send: Send


class Known(NamedTuple):
    """What requests with the same bytes say, read once; `request` is the first of them."""

    request: Request
    host: Host
    path: Path


class Incoming(NamedTuple):
    """What came, where to, and the client's end; `known`: it came before."""

    record: Record
    request: Request
    host: Host
    path: Path
    body: Body
    connection: Connection
    known: Known | None = None

    @property
    def head_only(self) -> bool:
        """Whether it is a HEAD request."""
        return self.request.method == "HEAD"


def request_of(scope: Scope, ids: UniqueIds) -> Request:
    """The request of an ASGI scope."""
    return Request(
        scope["method"],
        scope["raw_path"],
        scope["query_string"],
        scope["http_version"],
        scope["headers"],
        scope["client"],
        scope["server"],
        scope["scheme"],
        ids.next(),
    )


def redirected(
    request: Request, target: bytes, came_by: Redirection, *, drop: tuple[bytes, ...] = ()
) -> Request:
    """The request of a local redirect: GET, without a body (RFC 3875, section 6.2.2); `drop` names headers that
    the client did not mean for it."""
    raw_path, _, query = target.partition(b"#")[0].partition(b"?")
    headers = [pair for pair in request.headers if pair[0] not in _BODY_HEADERS + drop]
    return Request(
        "HEAD" if request.method == "HEAD" else "GET",
        raw_path,
        query,
        request.http_version,
        headers,
        request.client,
        request.server,
        request.scheme,
        request.unique_id,
        came_by,
    )
