"""The way of a request without a living handle to the shared instance of its program (S1, S5)."""

import asyncio

from gateway.errors import Busy, ClientGone
from gateway.program import Name, Program
from gateway.sessions.instance import Instance
from gateway.sessions.moves import Moves
from gateway.sessions.queue import Waits, waiting
from gateway.sessions.registry import Registry
from gateway.sessions.shared import MOST_WAITING


class Sharing:
    """Hands out the living shared instance; one request starts it, others that come meanwhile wait. One that
    another front holds is borrowed."""

    def __init__(self, registry: Registry, moves: Moves) -> None:
        self._registry, self._moves = registry, moves
        self._starting: dict[Name, asyncio.Future[None]] = {}
        self._waiting: dict[Name, int] = {}

    async def enter(
        self, program: Program, gone: "asyncio.Future[None]", request: Waits | None = None
    ) -> Instance | None:
        """The program's shared instance, handed out; None: start one, and tell `started` when that is
        over, well or not. `gone`: the client has left. Raises Busy, ClientGone."""
        until = self._registry.loop.time() + program.queue_timeout
        while True:
            at_most = until - self._registry.loop.time()
            if self._registry.stopping:
                raise Busy("HTS013 the gateway is stopping")
            if gone.done():
                raise ClientGone
            instance = self._registry.shared.get(program.name)
            if instance is not None:
                if self._registry.enter(instance):
                    return instance
                if self._registry.shared.get(program.name) is not instance:
                    continue  # it could not be handed out, and has been ended
                with waiting(request):
                    if await self._registry.wait_to_enter(instance, program, gone, at_most):
                        return instance
            elif (elsewhere := self._moves.elsewhere(program.name, b"")) is not None:
                with waiting(request):
                    await self._moves.borrow(elsewhere, at_most)
            elif program.name in self._starting:
                with waiting(request):
                    await self._await_start(program, gone, at_most)
            else:
                self._starting[program.name] = self._registry.loop.create_future()
                return None

    def started(self, name: Name) -> None:
        """The start that was announced by None is over: those who wait for it look again."""
        self._starting.pop(name).set_result(None)

    async def _await_start(self, program: Program, gone: "asyncio.Future[None]", at_most: float) -> None:
        name = program.name
        waiting = self._waiting.get(name, 0)
        if waiting >= MOST_WAITING:
            raise Busy(f"{program.text}: the queue is full", retry_after=5)
        self._waiting[name] = waiting + 1
        starting, first = self._starting[name], asyncio.FIRST_COMPLETED
        try:
            await asyncio.wait((starting, gone), timeout=at_most, return_when=first)
        finally:
            self._waiting[name] -= 1
            if not self._waiting[name]:
                del self._waiting[name]
        if not starting.done():
            if gone.done():
                raise ClientGone
            raise Busy(f"{program.text}: waited {program.queue_timeout:g} s", retry_after=program.queue_timeout)
