"""The life of a front process: standing by, serving, draining or stopping, gone."""

import asyncio
import socket
from collections.abc import Callable

from gateway.announce import announce
from gateway.app import Application
from gateway.configuration.load import Configuration
from gateway.directives import table
from gateway.front.control import ControlServer
from gateway.front.server import Servers
from gateway.keeper.link import Message
from gateway.logs.error import ErrorLog
from gateway.measure.sources import History
from gateway.sessions.keeper import KeeperLink

_POLL = 0.05
_LAST_WORDS = 1.0


class Front:
    """One front: `run` it on the sockets that the keeper gave."""

    def __init__(
        self,
        configuration: Configuration,
        link: KeeperLink,
        application: Application,
        log: ErrorLog,
        control: socket.socket | None,
    ) -> None:
        """`control`: the control socket, None where there is none. Raises BadCertificate."""
        self._configuration, self._link, self._application = configuration, link, application
        self._settings = configuration.server.settings
        self.servers = Servers(configuration, application, log)
        self._control = ControlServer(control, application.control())
        self._activated, self._leaving = asyncio.Event(), asyncio.Event()
        self._hurried = self._first = False
        link.on |= {
            "history": self._remember,
            "activate": self._activate,
            "drain": lambda message: self._drain(),
            "stop": lambda message: self._stop(),
            "hurry": self._hurry,
            "ping": lambda message: link.tell("pong"),
        }

    async def run(self, sockets: list[socket.socket]) -> None:
        """Until the keeper says drain or stop, and everything under way is finished."""
        self._link.tell("ready")
        await self._activated.wait()
        await self.servers.begin(sockets)
        if not self._leaving.is_set():
            self._control.begin()
        if self._first:
            announce(self._configuration)
        ticking = asyncio.create_task(self.servers.run())
        await self._leaving.wait()
        registry = self._application.registry
        if not registry.stopping:
            await self._until(lambda: registry.stopping or not self.servers.busy, None)
        if registry.stopping:
            await self._until(self._quiet, self._settings[table.GracefulShutdownTimeout])
            self._application.stop_calls()
            await self._until(self._quiet, _LAST_WORDS)
        self.servers.leave()
        await ticking

    def _activate(self, message: Message) -> None:
        fields = message.fields
        self._first = bool(fields["first"])
        self._application.activate()
        self._activated.set()

    def _remember(self, message: Message) -> None:
        fields = message.fields
        self._application.history = History(
            fields["reloads"], fields["refused"], fields["failures"], fields["refusal"]
        )

    def _drain(self) -> None:
        self._control.close()
        self.servers.accept_no_more()
        self._application.drain()
        self._leaving.set()

    def _stop(self) -> None:
        self._control.close()
        if self._activated.is_set():
            self.servers.accept_no_more()
        self._application.stop()
        self._leaving.set()

    def _hurry(self, message: Message) -> None:
        self._hurried = True

    def _quiet(self) -> bool:
        self.servers.close_idle()
        return not self._application.registry.calls and not self.servers.busy

    async def _until(self, done: Callable[[], bool], bound: float | None) -> None:
        """Wait for `done`, at most `bound` seconds; a hurried drain gets the bound of a stop."""
        loop = asyncio.get_running_loop()
        end = None if bound is None else loop.time() + bound
        while not done() and (end is None or loop.time() < end):
            await asyncio.sleep(_POLL)
            if self._hurried and self._application.registry.stopping:
                return
            if self._hurried and end is None:
                self.servers.close_idle()
                end = loop.time() + self._settings[table.GracefulShutdownTimeout]
