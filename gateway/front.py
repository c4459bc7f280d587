"""The front process: uvicorn on the keeper's sockets. The only place that imports uvicorn.

`python -m gateway.front CONF [DEFINE …]`, with the link to the keeper on descriptor 3.
"""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import struct
import sys
from collections.abc import Callable, Iterator, MutableMapping
from typing import Any, ClassVar

import uvicorn
import uvloop
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.announce import announce
from gateway.app import Application, addresses
from gateway.configuration import Configuration, ConfigurationErrors, load
from gateway.directives import table
from gateway.keeper.fronts import LINK_DESCRIPTOR
from gateway.keeper.link import Message
from gateway.logs import ErrorLog
from gateway.sessions.keeper import KeeperLink

KEEP_ALIVE = 5  # seconds
_POLL = 0.05
_NO_LINGER = struct.pack("ii", 1, 0)
_LAST_WORDS = 1.0


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


class Server(uvicorn.Server):
    """Serves until told to drain; signals belong to the keeper."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: the keeper tells what to do."""
        yield

    async def begin(self, sockets: list[socket.socket]) -> None:
        """Accept connections from now on."""
        self.config.load()
        self.lifespan = self.config.lifespan_class(self.config)
        await self.on_tick(0)
        await self.startup(sockets=sockets)
        if Protocol.draining:  # it was told so meanwhile
            self.accept_no_more()

    def accept_no_more(self) -> None:
        """Leave the listening sockets to others; responses close their connections from now on."""
        Protocol.draining = True
        for server in getattr(self, "servers", ()):  # none before `begin`
            server.close()
        for connection in self._connections():
            if not connection.is_idle():
                connection.cycle.keep_alive = False

    def close_idle(self) -> None:
        """Close the connections on which no request is under way."""
        for connection in self._connections():
            if connection.is_idle():
                connection.transport.close()

    def _connections(self) -> list[Protocol]:
        return [connection for connection in self.server_state.connections if isinstance(connection, Protocol)]


class Front:
    """The life of the process: standing by, serving, draining or stopping, gone."""

    def __init__(self, configuration: Configuration, link: KeeperLink, application: Application) -> None:
        self._configuration, self._link, self._application = configuration, link, application
        self._settings = configuration.server.settings
        self.server = Server(_uvicorn_config(application))
        self._activated, self._leaving = asyncio.Event(), asyncio.Event()
        self._hurried = self._first = False
        link.on |= {
            "activate": self._activate,
            "drain": lambda message: self._drain(),
            "stop": lambda message: self._stop(),
            "hurry": self._hurry,
        }

    async def run(self, sockets: list[socket.socket]) -> None:
        """Until the keeper says drain or stop, and everything under way is finished."""
        self._link.tell("ready")
        await self._activated.wait()
        await self.server.begin(sockets)
        if self._first:
            announce(self._configuration)
        ticking = asyncio.create_task(self.server.main_loop())
        await self._leaving.wait()
        registry = self._application.registry
        if not registry.stopping:
            await self._until(lambda: registry.stopping or not self.server.server_state.connections, None)
        if registry.stopping:
            await self._until(self._quiet, self._settings[table.GracefulShutdownTimeout])
            self._application.stop_calls()
            await self._until(self._quiet, _LAST_WORDS)
        self.server.should_exit = True
        await ticking

    def _activate(self, message: Message) -> None:
        self._first = bool(message.fields["first"])
        self._activated.set()

    def _drain(self) -> None:
        self.server.accept_no_more()
        self._application.drain()
        self._leaving.set()

    def _stop(self) -> None:
        if self._activated.is_set():
            self.server.accept_no_more()
        self._application.stop()
        self._leaving.set()

    def _hurry(self, message: Message) -> None:
        self._hurried = True

    def _quiet(self) -> bool:
        self.server.close_idle()
        return not self._application.registry.calls and not self.server.server_state.connections

    async def _until(self, done: Callable[[], bool], bound: float | None) -> None:
        """Wait for `done`, at most `bound` seconds; a hurried drain gets the bound of a stop."""
        loop = asyncio.get_running_loop()
        end = None if bound is None else loop.time() + bound
        while not done() and (end is None or loop.time() < end):
            await asyncio.sleep(_POLL)
            if self._hurried and self._application.registry.stopping:
                return
            if self._hurried and end is None:
                self.server.close_idle()
                end = loop.time() + self._settings[table.GracefulShutdownTimeout]


def _uvicorn_config(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application.handler,
        http=Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE,
    )


class _ToErrorLog(logging.Handler):
    """Uvicorn's own messages, those of the connections that we cut left out."""

    def __init__(self, log: ErrorLog) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record."""
        if "without completing response" not in record.getMessage():
            level = "warn" if record.levelno < logging.ERROR else "error"
            self._log(level, self.format(record), module="http")


async def main() -> int:
    """Be a front; the exit status."""
    loop = asyncio.get_running_loop()
    link = KeeperLink(socket.socket(fileno=LINK_DESCRIPTOR), loop)
    link.on_lost = lambda: os._exit(1)  # the keeper died; its guardian ends the instances
    try:
        configuration = load(sys.argv[1], defines=sys.argv[2:])
        settings = configuration.server.settings
        path = settings[table.ErrorLog]
        log = ErrorLog(None if path == "stderr" else path, settings[table.LogLevel])
        descriptor, key = await link.hello()
        sockets = await link.listen(addresses(configuration))
    except (ConfigurationErrors, OSError) as error:
        link.tell("refuse", text=str(error))
        link.close()
        return 1
    link.tell(
        "configure",
        error_log=log.path,
        level=settings[table.LogLevel],
        graceful=settings[table.GracefulShutdownTimeout],
    )
    link.on["reopen"] = lambda message: log.reopen()
    logging.getLogger("uvicorn").addHandler(_ToErrorLog(log))
    logging.getLogger("uvicorn").propagate = False
    application = Application(configuration, link, descriptor, key, log)
    gc.freeze()  # what is there now stays: the collector need not look at it again
    await Front(configuration, link, application).run(sockets)
    return 0


if __name__ == "__main__":
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    sys.exit(uvloop.run(main()))
