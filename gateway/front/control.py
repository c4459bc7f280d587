"""The control socket's server: apart from the clients' connections, their limits and their log."""

import asyncio
import socket

from starlette.applications import Starlette
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from gateway.configuration.load import Configuration
from gateway.control.place import control_path
from gateway.directives import table
from gateway.front.config import uvicorn_config
from gateway.logs.error import ErrorLog
from gateway.sessions.keeper import KeeperLink

_PAUSE = 0.5  # seconds, when no descriptor is free


async def control_socket(configuration: Configuration, link: KeeperLink, log: ErrorLog) -> socket.socket | None:
    """The control socket, opened by the keeper; None where there is none, or it cannot be had and no directive
    asks for it. Raises OSError."""
    path = control_path(configuration)
    if path is None:
        return None
    try:
        return (await link.listen([("control", path, 0)]))[0]
    except OSError as error:
        if table.ControlSocket in configuration.server.settings:
            raise
        log("warn", f"no control socket, commands do not reach this gateway: {error}", module="core")
        return None


class ControlServer:
    """Accepts connections between `begin` and `close`.

    It accepts them itself: a server of the loop's would call listen(2), and then a client would see this
    process as its peer (SO_PEERCRED, unix(7)), not the keeper, which the commands `reload` and `stop` signal.
    """

    def __init__(self, sock: socket.socket | None, application: Starlette) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._config = uvicorn_config(application, HttpToolsProtocol, date_header=False)
        self._config.load()
        self._state = ServerState()
        self._entering: set[asyncio.Task[None]] = set()
        self._open = False

    def begin(self) -> None:
        """Answer from now on."""
        if self._sock is not None:
            self._sock.setblocking(False)
            self._open = True
            self._listen()

    def close(self) -> None:
        """Leave the socket to another front; what is being answered goes on."""
        if self._open:
            assert self._sock is not None
            self._open = False
            self._loop.remove_reader(self._sock)

    def _listen(self) -> None:
        if self._open:
            assert self._sock is not None
            self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        assert self._sock is not None
        try:
            sock, _ = self._sock.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError:  # no descriptor is free (accept(2))
            self._loop.remove_reader(self._sock)
            self._loop.call_later(_PAUSE, self._listen)
            return
        task = self._loop.create_task(self._enter(sock))
        self._entering.add(task)
        task.add_done_callback(self._entering.discard)

    async def _enter(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        try:
            await self._loop.connect_accepted_socket(self._client, sock)
        except OSError:
            sock.close()

    def _client(self) -> HttpToolsProtocol:
        return HttpToolsProtocol(self._config, self._state, {})
