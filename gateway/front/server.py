"""uvicorn's server, told by the keeper when to begin and when to leave."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn

from gateway.app import Application
from gateway.front.connection import KEEP_ALIVE, Protocol


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


def uvicorn_config(application: Application) -> uvicorn.Config:
    """What uvicorn is told: what it can leave to others is off."""
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
