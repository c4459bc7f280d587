"""uvicorn's servers, one for each kind of listener, told by the keeper when to begin and when to leave."""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import Enum
from functools import partial
from math import ceil

import uvicorn

from gateway.app import Application, sockets_of
from gateway.configuration.load import Configuration
from gateway.directives import table
from gateway.directives.readers.addresses import Listener
from gateway.front.acceptor import Acceptor, Relieved
from gateway.front.config import uvicorn_config
from gateway.front.connection import Protocol
from gateway.front.counting import CountingProtocol
from gateway.front.crowd import Crowd
from gateway.front.lane import Lane, Track
from gateway.front.tls import Certificates, Handshakes
from gateway.logs.error import ErrorLog
from gateway.measure.sources import Traffic

_HELD = 8  # clients above a limit hold up to one in so many connections


class Kind(Enum):
    """What connections to a listener begin with."""

    PLAIN = "HTTP"
    TLS = "a handshake"
    UNIX = "HTTP, from this machine"


Listening = Acceptor | Relieved


class Server(uvicorn.Server):
    """The server of one kind; signals belong to the keeper."""

    def __init__(
        self, config: uvicorn.Config, listen: "Callable[[socket.socket], Awaitable[Listening]]"
    ) -> None:
        super().__init__(config)
        self._listen = listen
        self.listening: list[Listening] = []

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """None: the keeper tells what to do."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections on the keeper's sockets."""
        self.listening = [await self._listen(sock) for sock in sockets or ()]
        self.started = True


class Servers:
    """The servers of a front. They share their state: connections, tasks, the headers of every response."""

    def __init__(self, configuration: Configuration, application: Application, log: ErrorLog) -> None:
        """Raises BadCertificate."""
        self._configuration = configuration
        self.crowd = Crowd(configuration, log)
        self._contexts = Certificates(configuration)
        own = [("server", "persistent-cgi")]
        self._config = uvicorn_config(application.handler, Lane, headers=own)
        self._config.load()
        self._kind = CountingProtocol if application.counts_bytes else Lane
        on = configuration.server.settings[table.SessionLane] == "On"
        self._track = Track(application.handler) if on else None
        self._servers = {
            kind: Server(self._config, self._listen_tls if kind is Kind.TLS else self._listen)
            for kind in map(kind_of, configuration.listeners)
        }
        self._state = uvicorn.server.ServerState()
        self._state.connections = self.crowd.connections  # type: ignore[assignment]
        for server in self._servers.values():
            server.server_state = self._state
        application.traffic = self._traffic
        application.handler.brake.most = ceil(self.crowd.most / _HELD)

    @property
    def busy(self) -> bool:
        """Whether there is a connection, or about to be one."""
        accepting = (one for server in self._servers.values() for one in server.listening)
        return bool(self.crowd.connections or self.crowd.guests or any(one.busy for one in accepting))

    def _traffic(self) -> Traffic:
        """The connections, and their bytes where these are counted."""
        crowd = self.crowd
        here = [one for one in crowd.connections if isinstance(one, CountingProtocol)]
        received = CountingProtocol.all_received + sum(one.received for one in here)
        sent = CountingProtocol.all_sent + sum(one.sent for one in here)
        return Traffic(len(crowd.connections) + len(crowd.guests), crowd.most, received, sent)

    async def begin(self, sockets: Sequence[socket.socket]) -> None:
        """Accept connections from now on; the sockets are in the order of `app.addresses`."""
        waiting = iter(sockets)
        groups: dict[Kind, list[socket.socket]] = {kind: [] for kind in self._servers}
        for listener in self._configuration.listeners:
            groups[kind_of(listener)] += [next(waiting) for _ in sockets_of(listener)]
        for kind, server in self._servers.items():
            await server.on_tick(0)
            await server.startup(groups[kind])
        if Protocol.draining:  # it was told so meanwhile
            self.accept_no_more()

    async def run(self) -> None:
        """Keep the date of the responses, until `leave`."""
        await next(iter(self._servers.values())).main_loop()

    def leave(self) -> None:
        """End `run`."""
        for server in self._servers.values():
            server.should_exit = True

    def accept_no_more(self) -> None:
        """Leave the listening sockets to others; responses close their connections from now on."""
        Protocol.draining = True
        for server in self._servers.values():
            for listening in server.listening:
                listening.close()
        for connection in self.crowd.connections:
            if not connection.is_idle() and connection.cycle is not None:
                connection.cycle.keep_alive = False

    def close_idle(self) -> None:
        """Close the connections on which no request is under way."""
        for connection in list(self.crowd.connections):
            if connection.is_idle():
                connection.transport.close()

    async def _listen(self, sock: socket.socket) -> Listening:
        loop = asyncio.get_running_loop()
        begin = partial(loop.connect_accepted_socket, self._client)
        relieved = Relieved(sock, begin, self.crowd.most, self.crowd.shuts_out, self._client)
        return await relieved.listen(self._config.backlog)

    async def _listen_tls(self, sock: socket.socket) -> Listening:
        begin = Handshakes(self.crowd, self._contexts, self._client).begin
        return Acceptor(sock, begin, self.crowd.most, self.crowd.shuts_out)

    def _client(self) -> Protocol:
        return self._kind(self._config, self._state, self.crowd, self._track)


def kind_of(listener: Listener) -> Kind:
    """The server that a listener belongs to."""
    if listener.unix_path is not None:
        return Kind.UNIX
    return Kind.TLS if listener.scheme == "https" else Kind.PLAIN
