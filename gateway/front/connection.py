"""A client's connection: uvicorn's HTTP protocol, with what the gateway needs beyond it."""

import socket
import struct
from collections.abc import Callable, MutableMapping
from typing import Any, ClassVar

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

KEEP_ALIVE = 5  # seconds
_NO_LINGER = struct.pack("ii", 1, 0)


class _Unchunked(RequestResponseCycle):
    """A response to HTTP/1.0: without a length it ends with the connection (RFC 9112, section 6.3)."""

    async def send(self, message: MutableMapping[str, Any]) -> None:  # type: ignore[override]
        """Pass a message on; a body without a declared length is expected as it comes."""
        if message["type"] == "http.response.start":
            self._counted = any(name == b"content-length" for name, _ in message["headers"])
            self.chunked_encoding = None if self._counted else False
        elif not self._counted:
            self.expected_content_length = len(message.get("body", b""))
        await super().send(message)  # type: ignore[arg-type]


class Protocol(HttpToolsProtocol):
    """A client's connection: tells when it is lost, can be cut, is answered `Connection: close` in a drain."""

    draining: ClassVar[bool] = False
    on_lost: Callable[[], None] | None = None

    @property
    def lost(self) -> bool:
        """Whether the client left before it had the whole response of the request under way."""
        cycle = self.cycle
        return cycle.disconnected or (self.transport.is_closing() and not cycle.response_complete)

    @property
    def backlog(self) -> int:
        """Bytes that wait in this process to be taken by the client."""
        return self.transport.get_write_buffer_size()

    def cut(self) -> None:
        """Close without a clean end of the response. A chunked or counted one then shows that it is not
        whole; one that ends with the connection (HTTP/1.0) needs a reset."""
        if self.cycle is not None and self.cycle.scope["http_version"] == "1.0":
            self.abort()
        else:
            self.transport.close()
            self.loop.call_later(KEEP_ALIVE, self.transport.abort)  # it may never take the rest

    def abort(self) -> None:
        """Close at once, by a reset, whatever the client has not taken yet."""
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def on_message_begin(self) -> None:
        """Let the application reach the connection."""
        super().on_message_begin()
        self.scope["gateway.connection"] = self  # type: ignore[typeddict-unknown-key]

    def on_headers_complete(self) -> None:
        """The request goes to the application."""
        super().on_headers_complete()
        if self.cycle is None:
            return
        if self.scope["http_version"] == "1.0":
            self.cycle.__class__ = _Unchunked
        if Protocol.draining:
            self.cycle.keep_alive = False

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever answers a request of this client."""
        super().connection_lost(exc)
        if self.on_lost is not None:
            self.on_lost()

    def is_idle(self) -> bool:
        """Whether no request is under way."""
        return self.cycle is None or self.cycle.response_complete
