"""A request and its response; those that need care have a body, or are the last one of their connection."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.errors import CLOSE, GatewayError
from gateway.front.client import Client

_BODILESS = (204, 304)
_KEPT = (b"connection", b"keep-alive")


class Cycle(RequestResponseCycle):
    """A request and its response. A head whose message has a true `gateway.together` goes in one write with the
    body that follows it at once. `gateway.forwarded` are bytes of the body that were written already."""

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """As ASGI."""
        if "gateway.forwarded" in message:
            return
        if message.get("gateway.together") and self.scope["method"] != "HEAD":
            self.transport = _Together(self)  # type: ignore[assignment]
        await super().send(message)  # type: ignore[arg-type]


class _Together:
    """Stands for the transport of a cycle until its head and the beginning of its body have been written."""

    def __init__(self, cycle: Cycle) -> None:
        self._cycle, self._transport, self._head = cycle, cycle.transport, b""

    def write(self, data: bytes) -> None:
        """Keep the head; write it with what follows."""
        if self._head:
            self._cycle.transport = self._transport
            self._transport.write(self._head + data)
        else:
            self._head = data

    def close(self) -> None:
        """The application failed between both."""
        self._cycle.transport = self._transport
        self._transport.write(self._head)
        self._transport.close()


class Careful(Cycle):
    """A request and its response, when the connection must not simply be closed or kept.

    `asked`: a client of HTTP/1.0 asked for the connection to be kept. `failure`: why no more of the body comes.
    """

    connection: Client
    asked = False
    failure: GatewayError | None = None
    _counted = True

    def fail(self, error: GatewayError) -> None:
        """The rest of the body does not come: whoever waits for it gets this error."""
        self.failure = error
        self.keep_alive = False
        self.message_event.set()

    async def receive(self) -> Any:
        """As ASGI. Raises the GatewayError of a body that failed."""
        message = await super().receive()
        if self.failure is not None:
            raise self.failure
        return message

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """As ASGI. Where the client may still send, the connection is not closed behind the last message: the
        rest is read away."""
        if message["type"] == "http.response.start":
            message = self._start(message)
        else:
            if not self._counted:
                self.expected_content_length = len(message.get("body", b""))
            if not self.keep_alive and not message.get("more_body", False) and self.connection.unread(self):
                self.keep_alive = self.connection.leaving = True
        await super().send(message)

    def _start(self, message: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if self.more_body and self._unwanted(message["status"]):
            self.keep_alive = False
        if self.scope["http_version"] != "1.0":
            return message
        headers = message["headers"]
        self._counted = any(name == b"content-length" for name, _ in headers)
        self.chunked_encoding = None if self._counted else False
        bodiless = self.scope["method"] == "HEAD" or message["status"] in _BODILESS
        self.keep_alive = self.asked and (self._counted or bodiless) and CLOSE not in headers
        return {**message, "headers": [*headers, _KEPT]} if self.keep_alive else message

    def _unwanted(self, status: int) -> bool:
        """Whether the body will hardly be taken: the client was not told to go on, or an error answers it.

        A client that was not told may send the body or leave it out: what follows would be guesswork
        (RFC 9110, section 10.1.1).
        """
        connection = self.connection
        return self.waiting_for_100_continue or (status >= 400 and connection.remaining > connection.DRAINED)


def equip(
    cycle: RequestResponseCycle,
    connection: Client,
    scope: dict[str, Any],
    *,
    keep_alive: bool,
    expects: bool = False,
) -> None:
    """Give a cycle all that it has, as uvicorn does; `expects`: the client waits for 100 Continue."""
    RequestResponseCycle.__init__(
        cycle,
        scope=scope,  # type: ignore[arg-type]
        transport=connection.transport,
        flow=connection.flow,
        logger=connection.logger,
        access_logger=connection.access_logger,
        access_log=False,
        default_headers=connection.server_state.default_headers,
        message_event=asyncio.Event(),
        expect_100_continue=expects,
        keep_alive=keep_alive,
        on_response=connection.on_response_complete,
    )
