"""What an access log knows of one request: it follows the response while it is sent."""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, Protocol

from gateway.protocol.environ import Request
from gateway.request.incoming import Record, Send

_BODILESS = (204, 304)
_FAILED = 500
Headers = Sequence[tuple[bytes, bytes]]


class Connection(Protocol):
    """What is asked of a client's connection. `sent` and `received` count its bytes when a format wants them;
    `logged` and `logged_received` are the requests, and what was received, of entries that are closed;
    `running`: the request whose response is due."""

    sent: int
    received: int
    logged: int
    logged_received: int
    running: object
    client: tuple[str, int] | None
    transport: Any

    @property
    def lost(self) -> bool:
        """Whether the client left before it had the whole response."""

    @property
    def stays(self) -> bool:
        """Whether the connection may take another request."""


class Entry:
    """One request. `request` is as it came, `record.request` as it was redirected; `status` is None when
    nothing was answered; `shown` keeps masked paths; `number`: how many requests of the connection came before;
    `followed`: the next one began when this one's response was over. Times in seconds, sizes in bytes.
    """

    __slots__ = (
        "_clock",
        "_close",
        "_counted",
        "_send",
        "bodiless",
        "connection",
        "followed",
        "headers",
        "number",
        "received",
        "record",
        "request",
        "seconds",
        "sent",
        "sent_before",
        "shown",
        "size",
        "started",
        "status",
        "whole",
    )

    def __init__(
        self,
        record: Record,
        request: Request,
        connection: Connection,
        close: "Callable[[Entry], None]",
    ) -> None:
        self.record, self.request, self.connection = record, request, connection
        self._close = close
        self.started, self._clock = time.time(), time.perf_counter()
        self.status: int | None = None
        self.headers: Headers = ()
        self.shown: dict[bytes, bytes] = {}
        self.size = self.sent = self.received = 0
        self.number = connection.logged
        self.seconds = 0.0
        self.sent_before = connection.sent
        self.bodiless = self.whole = self.followed = self._counted = False

    def through(self, send: Send) -> Send:
        """What takes the place of `send`, and notes the parts of the response."""
        self._send = send
        return self._pass

    def _pass(self, message: MutableMapping[str, Any]) -> Awaitable[None]:
        if message["type"] == "http.response.start":
            self.begins(message["status"], message["headers"])
        elif "gateway.forwarded" in message:
            self.size += message["gateway.forwarded"]
        elif message.get("more_body", False):
            self.goes_on(len(message.get("body", b"")), whole=False)
        else:
            self.goes_on(len(message.get("body", b"")), whole=True)
            return self._last(message)
        return self._send(message)

    async def _last(self, message: MutableMapping[str, Any]) -> None:
        running = self.connection.running
        await self._send(message)
        self.followed = self.connection.running is not running
        self._count()

    def begins(self, status: int, headers: Headers) -> None:
        """The head of the response goes out."""
        self.status, self.headers = status, headers
        self.bodiless = self.request.method == "HEAD" or status in _BODILESS

    def goes_on(self, size: int, *, whole: bool) -> None:
        """So many bytes of its body go out, the last ones if it is then `whole`."""
        if not self.connection.lost:
            if not self.bodiless:
                self.size += size
            self.whole = whole

    def close(self) -> None:
        """The response was handed over or cut: write the lines."""
        error = sys.exc_info()[1]
        if self.status is None and error is not None and not isinstance(error, asyncio.CancelledError):
            self.status = _FAILED  # the HTTP server says so to the client
        self.seconds = time.perf_counter() - self._clock
        if not self._counted:
            self._count()
        self._close(self)

    def _count(self) -> None:
        """What the connection has sent and received by now is this request's; the next one may begin before it
        is closed."""
        connection, self._counted = self.connection, True
        self.sent = connection.sent - self.sent_before
        self.received = connection.received - connection.logged_received
        self.number = connection.logged
        connection.logged += 1
        connection.logged_received = connection.received
