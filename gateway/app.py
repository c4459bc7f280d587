"""The application: what a front is made of, and what the keeper's messages do to it."""

import asyncio
import os
import socket

from gateway.caller import Caller, Engine
from gateway.configuration import Configuration
from gateway.directives import table as directives
from gateway.errors import Busy
from gateway.handler import Handler, Services
from gateway.keeper.link import Message
from gateway.keeper.reasons import Reason
from gateway.keeper.table import Entry, attach
from gateway.logs import ErrorLog
from gateway.programs import Programs
from gateway.protocol.environ import UniqueIds
from gateway.sessions.exchange import Fault
from gateway.sessions.handle import HandleMint
from gateway.sessions.judge import Judge
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.moves import Moves
from gateway.sessions.registry import Registry, ServerLimits
from gateway.sessions.starter import Starter

_SEED_BYTES = 9


class Application:
    """Everything of one front but the HTTP server."""

    def __init__(
        self, configuration: Configuration, link: KeeperLink, table_descriptor: int, key: bytes, log: ErrorLog
    ) -> None:
        loop, settings = asyncio.get_running_loop(), configuration.server.settings
        limits = ServerLimits(settings[directives.MaxPersistentCGI], settings[directives.MaxCGIJobs])
        programs = Programs(configuration)
        self.registry = Registry(loop, link, attach(table_descriptor), log, limits)
        self.moves = Moves(self.registry, link, programs.by_name)
        self.starter = Starter(self.registry, link, limits.jobs)
        ids = UniqueIds(os.urandom(_SEED_BYTES))
        judge = Judge(self.registry, log)
        caller = Caller(Engine(self.registry, self.starter, self.moves, judge, HandleMint(key)))
        self.handler = Handler(Services(configuration, programs, self.registry, caller, ids, log))
        self._link = link
        link.on |= {
            "gone": self._gone,
            "grant": self.moves.granted,
            "missing": self.moves.missing,
            "recall": self.moves.recalled,
            "retired": self._retired,
            "overlap": self._overlap,
        }

    def drain(self) -> None:
        """A new front takes over: it writes the rings from now on, and gets every idle session."""
        self.registry.store.retired.forward = self._link.retire
        self.moves.drain()
        self._link.tell("released")

    def stop(self) -> None:
        """No new requests; those that wait get 503; idle sessions end at once (T5)."""
        self.registry.stop()
        self.starter.stop()

    def stop_calls(self) -> None:
        """The bound of a graceful stop has passed: end what still runs."""
        for call in self.registry.calls.running():
            call.fail(Fault(Reason.ENDED, "HTS013 the gateway is stopping", answer=Busy))

    def _gone(self, message: Message) -> None:
        instance = self.registry.instances.get(message.fields["id"])
        if instance is not None:
            instance.exited.set_result(message.fields)
            self.registry.gone(instance)

    def _retired(self, message: Message) -> None:
        fields = message.fields
        key, at = bytes.fromhex(fields["key"]), fields["at"]
        self.registry.store.retired.store(Entry(key, at, fields["timeout"], fields["reason"]))

    def _overlap(self, message: Message) -> None:
        self.registry.overlap = message.fields["on"] or self.registry.draining


def addresses(configuration: Configuration) -> list[tuple[str, str, int]]:
    """What the keeper has to listen on; a port alone means every address of both families."""
    wanted: list[tuple[str, str, int]] = []
    for listener in configuration.listeners:
        if listener.unix_path is not None:
            wanted.append(("unix", listener.unix_path, 0))
        elif listener.address:
            wanted.append(("tcp", listener.address, listener.port))
        else:
            families = ["0.0.0.0", "::"] if _has_ipv6() else ["0.0.0.0"]
            wanted += [("tcp", address, listener.port) for address in families]
    return wanted


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True
