"""Starting instances through the keeper, within MaxCGIJobs (L2)."""

import asyncio
import errno
import os
import time
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from gateway.errors import Busy, CannotStart, ClientGone
from gateway.keeper.brief import BOUND
from gateway.keeper.link import Message
from gateway.program import HostGroup, Name, Program
from gateway.protocol.environ import Variables
from gateway.sessions.call import Call
from gateway.sessions.instance import Instance
from gateway.sessions.keeper import KeeperLink, Order
from gateway.sessions.lifecycle import Event, State
from gateway.sessions.queue import Waits, waiting
from gateway.sessions.recipes import Recipes
from gateway.sessions.registry import Registry
from gateway.sessions.shared import Shared

REQUEST_DESCRIPTOR = b"3"
MARK_BYTES = 16
_MOST_BRIEF = 1024


class Cold(NamedTuple):
    """What a program gets that is started for a request: the variables that not each request has, its arguments
    (RFC 3875, 4.4), and whether a body comes on stdin."""

    variables: Variables
    words: tuple[bytes, ...] = ()
    body: bool = False


class Starter:
    """Starts programs for first requests; later ones than MaxCGIJobs wait in order of arrival."""

    def __init__(self, registry: Registry, link: KeeperLink, limit: int) -> None:
        self._registry, self._link, self._limit = registry, link, limit
        self._starting = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._recipes = Recipes(link)
        self._prepared: dict[str, HostGroup] = {}
        self._brief: set[Name] = set()  # programs whose last process was over at once
        registry.on_gone = lambda instance: self._free()

    async def start(
        self, program: Program, cold: Cold, gone: "asyncio.Future[None]", request: Waits | None = None
    ) -> Instance:
        """A new instance in state FIRST. `gone`: the client has left. Raises Busy, CannotStart, ClientGone."""
        await self._enter(program, gone, request)
        try:
            started = await self._start(program, cold, _itself)
        finally:
            self._leave()
        if isinstance(started, Instance):
            return started
        raise started

    @property
    def free(self) -> bool:
        """Whether nobody has to wait for a job to end."""
        return self._free_jobs() > 0 and not self._waiting

    def at_once(
        self,
        program: Program,
        cold: Callable[[], Cold],
        received: Callable[[Instance | Busy | CannotStart], object],
    ) -> None:
        """As `start_warm` and `start` while one is `free`; `received` gets what comes of it."""

        def over(started: Instance | Busy | CannotStart) -> None:
            self._leave()
            received(started)

        def warm(started: Instance | None) -> None:
            if started is None:
                self._start(program, cold(), over)
            else:
                over(started)

        if program.ahead is None:
            self._start(program, cold(), over)
        else:
            self._start_warm(program, program.ahead, warm)
        self._starting += 1

    def ended(self, call: Call) -> None:
        """The first call of a process is over: what is expected of the next one of its program."""
        name = call.program.name
        if call.eof and call.ended - call.answered < BOUND and call.instance.exited.done():
            if len(self._brief) >= _MOST_BRIEF:
                self._brief.clear()
            self._brief.add(name)
        else:
            self._brief.discard(name)

    def _start(
        self, program: Program, cold: Cold, received: Callable[[Instance | Busy | CannotStart], object]
    ) -> "asyncio.Future[Instance | Busy | CannotStart]":
        ordered, mark = time.monotonic(), os.urandom(MARK_BYTES).hex().encode()

        def started(message: Message) -> Instance | Busy | CannotStart:
            if message.kind == "failed":
                result: Instance | Busy | CannotStart = _failure(program, message)
            else:
                result = self._instance(program, mark, message)
                result.ordered = ordered
            received(result)
            return result

        brief = program.name in self._brief and not cold.body
        environ = {**cold.variables, b"HTSESSION_FD": REQUEST_DESCRIPTOR, b"HTSESSION_END": mark}
        order = Order(self._recipes.number(program), cold.words, environ, mark, cold.body, brief)
        return self._link.start(order, started)

    async def start_warm(
        self,
        program: Program,
        group: HostGroup,
        gone: "asyncio.Future[None]",
        request: Waits | None = None,
    ) -> Instance | None:
        """A new instance, made by a host that was ready, in state FIRST; None: there is none, start cold.
        Raises Busy, ClientGone."""
        await self._enter(program, gone, request)
        try:
            return await self._start_warm(program, group, _itself)
        finally:
            self._leave()

    def _start_warm(
        self, program: Program, group: HostGroup, received: Callable[[Instance | None], object]
    ) -> "asyncio.Future[Instance | None]":
        self.prepare(group)
        ordered = time.monotonic()

        def started(message: Message) -> Instance | None:
            instance = None
            if message.kind != "failed":
                instance = self._instance(program, message.fields["mark"].encode(), message)
                instance.framed = instance.warm = True
                instance.ordered = ordered
            received(instance)
            return instance

        return self._link.start_warm(group.id, program.about, program.grace, started)

    def prepare(self, group: HostGroup) -> None:
        """Have the hosts of a group ready, from its first mention on."""
        if group.id not in self._prepared:
            self._prepared[group.id] = group
            self._link.prepare(group)

    @property
    def prepared(self) -> tuple[HostGroup, ...]:
        """The groups whose hosts are kept ready."""
        return tuple(self._prepared.values())

    def _instance(self, program: Program, mark: bytes, message: Message) -> Instance:
        instance = Instance(
            self._registry.loop, State.STARTING, message.fields, message.descriptors, self._registry.heard_idle
        )
        instance.mark = mark
        instance.advance(Event.STARTED)
        self._registry.instances[instance.id] = instance
        self._registry.tally.starts += 1
        if program.shared:
            instance.shared = Shared(program.name)
            self._registry.shared.setdefault(program.name, instance)  # one may have been adopted meanwhile
        return instance

    @property
    def jobs(self) -> int:
        """Programs that run or are being started: what MaxCGIJobs counts."""
        return len(self._registry.instances) + self._starting

    @property
    def waiting(self) -> int:
        """Requests that wait for a start."""
        return len(self._waiting)

    def stop(self) -> None:
        """The gateway is stopping: nobody waits any more."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_exception(Busy("HTS013 the gateway is stopping"))

    async def _enter(self, program: Program, gone: "asyncio.Future[None]", request: Waits | None) -> None:
        if self._free_jobs() <= 0 or self._waiting:
            turn: asyncio.Future[None] = self._registry.loop.create_future()
            self._waiting.append(turn)
            first = asyncio.FIRST_COMPLETED
            with waiting(request):
                await asyncio.wait((turn, gone), timeout=program.queue_timeout, return_when=first)
            if not turn.done():
                self._waiting.remove(turn)
                if gone.done():
                    raise ClientGone
                text = f"{program.text}: MaxCGIJobs ({self._limit}) is reached"
                raise Busy(text, retry_after=program.queue_timeout)
            turn.result()
        else:
            self._starting += 1

    def _leave(self) -> None:
        """A start has succeeded, or failed, or is already over."""
        self._starting -= 1
        self._free()

    def _free_jobs(self) -> int:
        return self._limit - self.jobs

    def _free(self) -> None:
        """A job has ended: the next in the queue may start."""
        while self._waiting and self._free_jobs() > 0:
            turn = self._waiting.popleft()
            if not turn.done():
                self._starting += 1
                turn.set_result(None)


def _itself(started: object) -> None:
    """Whoever waits for the future gets it."""


def _failure(program: Program, message: Message) -> Busy | CannotStart:
    number = message.fields["errno"]
    step = message.fields["step"]
    reason = step if number == errno.EPERM and step else ": ".join(filter(None, (step, os.strerror(number))))
    text = f"{program.file}: cannot be started: {reason}"
    if number == errno.ENOENT and not step.startswith("chdir"):
        text += " (is the interpreter of its first line there?)"
    return Busy(text) if number in (errno.EAGAIN, errno.EMFILE, errno.ENFILE) else CannotStart(text)
