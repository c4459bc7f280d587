"""The application: what a front is made of, and what the keeper's messages do to it."""

import asyncio
import os
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.responses import Response

from gateway.configuration.load import Configuration
from gateway.control.application import Control
from gateway.control.closing import Closing
from gateway.control.overview import Crowd, Overview
from gateway.control.seek import Seeker
from gateway.directives import table as directives
from gateway.directives.foreign.handlers import METRICS, STATUS
from gateway.directives.readers.addresses import Listener
from gateway.errors import Busy
from gateway.handler import Handler, Services
from gateway.keeper.link import Message
from gateway.keeper.reasons import Reason
from gateway.keeper.table import Entry, attach
from gateway.logs.access.logs import AccessLogs
from gateway.logs.access.masks import Masks
from gateway.logs.opened import Logs
from gateway.logs.script import ScriptLogs
from gateway.logs.session import Ending
from gateway.mapping.own import asked_for
from gateway.mapping.programs import Programs
from gateway.measure.lag import Lag
from gateway.measure.measures import Measures
from gateway.measure.sampler import Sampler
from gateway.measure.series import Series
from gateway.measure.sources import History, Starts, Traffic
from gateway.protocol.environ import UniqueIds
from gateway.request.caller import Caller, Engine
from gateway.request.incoming import Incoming
from gateway.request.newcomer import Newcomers
from gateway.sessions.exchange import Fault
from gateway.sessions.handle import HandleMint
from gateway.sessions.holdings import ServerLimits
from gateway.sessions.judge import Judge
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.moves import Moves
from gateway.sessions.registry import Registry
from gateway.sessions.starter import Starter
from gateway.web.own import OwnPages

if TYPE_CHECKING:
    from gateway.status.answers import StatusPage
    from gateway.web.metrics import Metrics

_SEED_BYTES = 9
_MOST_PATIENCE = 10.0  # seconds for an answer of the keeper


class Application:
    """Everything of one front but the HTTP server."""

    def __init__(
        self, configuration: Configuration, link: KeeperLink, table_descriptor: int, key: bytes, logs: Logs
    ) -> None:
        loop, settings, log = asyncio.get_running_loop(), configuration.server.settings, logs.error
        self._link, self.history = link, History()
        self.traffic: Callable[[], Traffic] = Traffic
        limits = ServerLimits(settings[directives.MaxPersistentCGI], settings[directives.MaxCGIJobs])
        self._programs = programs = Programs(configuration)
        self.registry = Registry(loop, link, attach(table_descriptor), log, limits)
        self.moves = Moves(self.registry, link, programs.by_name)
        self.starter = Starter(self.registry, link, limits.jobs)
        ids = UniqueIds(os.urandom(_SEED_BYTES))
        judge = Judge(self.registry, log)
        mint = HandleMint(key)
        masks = Masks(self.registry, mint)
        asked = asked_for(configuration)
        self.series = Series(self.registry.store.table.history)
        self._sampler: Sampler | None = None
        measures = self._measure() if asked & {STATUS, METRICS} else None
        metrics = self._metrics(measures) if measures is not None and METRICS in asked else None
        self._counts_traffic = metrics is not None
        own = OwnPages(self._unready, metrics, self._status)
        self.access = AccessLogs(logs.access, masks) if logs.access else None
        scripts = ScriptLogs(logs.error.files, masks)
        engine = Engine(self.registry, self.starter, self.moves, judge, mint)
        caller = Caller(engine, scripts)
        services = Services(
            configuration, programs, self.registry, caller, Newcomers(engine, scripts, caller), ids, log,
            self.access, masks, own,
        )  # fmt: skip
        self.closing = Closing(self.registry, link, log)
        self._seeker, self._masks = Seeker(configuration, self.registry, mint), masks
        self._configuration, self._key, self._log = configuration, key, log
        self._overview = Overview(configuration, self.registry, self.closing, self._crowd, lambda: self.history)
        self._page: StatusPage | None = None
        self.handler = Handler(services)
        link.on |= {
            "gone": self._gone,
            "grant": self.moves.granted,
            "missing": self.moves.missing,
            "recall": self.moves.recalled,
            "retired": self._retired,
            "ended": lambda message: self.registry.tally.note(Ending(**message.fields["ending"])),
            "endings": lambda message: self.registry.tally.inherit(
                [Ending(**ending) for ending in message.fields["endings"]]
            ),
            "overlap": self._overlap,
        }

    @property
    def counts_bytes(self) -> bool:
        """Whether a format of an access log, or somebody who measures, wants the bytes of connections."""
        return self._counts_traffic or (self.access is not None and self.access.counts_bytes)

    def control(self) -> Starlette:
        """What the control socket answers."""
        return Control(self.registry, self._seeker, self._masks, self.closing, self._overview).application()

    def _crowd(self) -> Crowd:
        traffic = self.traffic()
        return Crowd(traffic.connections, traffic.most)

    def activate(self) -> None:
        """This front serves from now on: hosts are made ready."""
        self.closing.resume()
        if self._sampler is not None:
            self._sampler.begin()
        for group in self._programs.hosts_ahead():
            self.starter.prepare(group)

    def _measure(self) -> Measures:
        """What is measured from now on."""
        registry, starter = self.registry, self.starter
        measures = registry.measures = Measures()
        self._link.on_answer = measures.asked_keeper
        self._sampler = Sampler(registry, measures, lambda: starter.waiting, self.series)
        Lag(registry.loop, measures.lag).then = self._sampler.second
        return measures

    def _metrics(self, measures: Measures) -> "Metrics":
        """The measures, for Prometheus."""
        from gateway.web.metrics import Metrics, Sources  # the library takes its time: only who wants it waits

        registry, starter = self.registry, self.starter
        sources = Sources(
            registry,
            measures,
            starts=lambda: Starts(starter.jobs, registry.limits.jobs, starter.waiting),
            traffic=lambda: self.traffic(),
            history=lambda: self.history,
        )
        return Metrics(sources)

    async def _status(self, on: Incoming) -> Response:
        """The answer of `SetHandler server-status`."""
        if self._page is None:
            from gateway.status.making import Parts, made  # takes its time: only who looks at it waits

            asked = Parts(self._overview, self.registry, self.starter, self._link, self._seeker, self._masks)
            self._page = made(asked, self.handler.guard, self._key, self._log, self)
        return await self._page(on)

    def _unready(self) -> str | None:
        """Why no requests are taken now (server-ready)."""
        if self.registry.stopping:
            return "the gateway is stopping"
        if self.closing.on:
            return "the gateway is draining: no session begins any more"
        if self._link.waits > _MOST_PATIENCE:
            return "the keeper does not answer"
        return None

    def drain(self) -> None:
        """A new front takes over: it writes the rings from now on, and gets every idle session."""
        self.registry.store.retired.forward = self._link.retire
        if self._sampler is not None:
            self._sampler.leave()
        self._leave_status()
        self.handler.brake.release()
        self.moves.drain()
        self._link.tell("released")

    def stop(self) -> None:
        """No new requests; those that wait get 503; idle sessions end at once (T5)."""
        self._leave_status()
        self.handler.brake.release()
        self.registry.stop()
        self.starter.stop()

    def _leave_status(self) -> None:
        if self._page is not None:
            self._page.close()

    def stop_calls(self) -> None:
        """The bound of a graceful stop has passed: end what still runs."""
        for call in self.registry.calls.running():
            call.fail(Fault(Reason.STOPPING, "HTS013 the gateway is stopping", answer=Busy))

    def _gone(self, message: Message) -> None:
        instance = self.registry.instances.get(message.fields["id"])
        if instance is None:
            self._link.done(message.fields["id"])
        else:
            instance.exited.set_result(message.fields)
            self.registry.gone(instance)
            instance.ended()

    def _retired(self, message: Message) -> None:
        fields = message.fields
        key, at = bytes.fromhex(fields["key"]), fields["at"]
        self.registry.store.retired.store(Entry(key, at, fields["timeout"], fields["reason"]))

    def _overlap(self, message: Message) -> None:
        self.registry.overlap = message.fields["on"] or self.registry.draining


def addresses(configuration: Configuration) -> list[tuple[str, str, int]]:
    """What the keeper has to listen on; a port alone means every address of both families."""
    return [address for listener in configuration.listeners for address in sockets_of(listener)]


def sockets_of(listener: Listener) -> list[tuple[str, str, int]]:
    """The sockets of one listener."""
    if listener.unix_path is not None:
        return [("unix", listener.unix_path, 0)]
    if listener.address:
        return [("tcp", listener.address, listener.port)]
    families = ["0.0.0.0", "::"] if _has_ipv6() else ["0.0.0.0"]
    return [("tcp", address, listener.port) for address in families]


def _has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as probe:
            probe.bind(("::", 0))
    except OSError:
        return False
    return True
