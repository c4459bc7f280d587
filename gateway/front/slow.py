"""Slow clients: one look at all connections every now and then, instead of a timer for each request."""

import asyncio
from collections.abc import Collection
from enum import Enum
from typing import NamedTuple

from gateway.front.client import Client, Stage

_LONGEST_TICK = 1.0  # seconds
_LOOKS = 4  # within the shortest time-out
_TOGETHER = 64  # connections that are looked at before others get their turn
_CLOSING = 5.0  # seconds in which a client that is to be closed takes nothing
_LINGERING, _LINGERING_IN_ALL = 2.0, 30.0  # as in Apache


class Wait(Enum):
    """What the gateway waits for."""

    FIRST = "the first byte of a connection"
    IDLE = "the next request"
    HEAD = "the rest of a head"
    BODY = "the rest of a body"
    TAKE = "that the client takes what is there"
    CLOSE = "that it takes the last, and the connection ends"
    LINGER = "that the client closes"


class _Watch(NamedTuple):
    """`mark` changes when the client does what is waited for."""

    wait: Wait
    mark: object


class _Waited:
    """For how many seconds a client had been waited for when it was looked at, by the clock of the loop, and
    `before` at the look before that: what came between the two has been read by now."""

    __slots__ = ("before", "looked", "seconds", "watch")

    def __init__(self, watch: _Watch, now: float) -> None:
        self.watch, self.before, self.seconds, self.looked = watch, 0.0, 0.0, now

    def again(self, watch: _Watch | None, now: float, most: float) -> bool:
        """Whether there is still something to wait for. Of a longer time than `most` seconds the rest does not
        count: the front stood still."""
        passed, self.looked = min(now - self.looked, most), now
        if watch is None:
            return self.watch.wait is Wait.BODY  # the time in which we do not read does not count
        if watch == self.watch:
            self.before, self.seconds = self.seconds, self.seconds + passed
        else:
            self.watch, self.before, self.seconds = watch, 0.0, 0.0
        return True


class Sweeper:
    """Looks at `connections` while there are any; never more exact than a second, to the client's advantage.
    Of thousands it looks at a few at a time, all through that second, so that nobody waits for it."""

    def __init__(self, connections: Collection[Client], quickest: float) -> None:
        self._connections = connections
        self._tick = min(_LONGEST_TICK, quickest / _LOOKS)
        self._waited: dict[Client, _Waited] = {}
        self._sleeping: asyncio.TimerHandle | None = None

    def wake(self) -> None:
        """There is a connection."""
        if self._sleeping is None:
            loop = asyncio.get_running_loop()
            self._sleeping = loop.call_later(self._tick, self._sweep, loop)

    def _sweep(self, loop: asyncio.AbstractEventLoop) -> None:
        before, self._waited = self._waited, {}
        unseen = list(self._connections)
        pause = self._tick / (1 + len(unseen) // _TOGETHER)
        self._look(loop, before, unseen, pause)

    def _look(
        self, loop: asyncio.AbstractEventLoop, before: dict[Client, _Waited], unseen: list[Client], pause: float
    ) -> None:
        now = loop.time()
        for _ in range(min(_TOGETHER, len(unseen))):
            connection = unseen.pop()
            if connection in self._connections:
                self._see(connection, before.get(connection), now)
        if unseen:
            self._sleeping = loop.call_later(pause, self._look, loop, before, unseen, pause)
        elif self._connections:
            self._sleeping = loop.call_later(pause, self._sweep, loop)
        else:
            self._sleeping = None

    def _see(self, connection: Client, waited: _Waited | None, now: float) -> None:
        watch = _watch(connection)
        if waited is None:
            if watch is not None:
                self._waited[connection] = _Waited(watch, now)
        elif waited.again(watch, now, 2 * self._tick):
            self._waited[connection] = waited
            if watch is not None:
                _judge(connection, watch.wait, waited.before, now)


def _watch(connection: Client) -> _Watch | None:
    """What the client has to do; None when it is the gateway's turn."""
    if connection.lingering:
        return _Watch(Wait.LINGER, connection.discarded)
    backlog, cycle = connection.backlog, connection.cycle
    if connection.transport.is_closing():
        return _Watch(Wait.CLOSE, backlog)
    if backlog:
        return None if connection.on_lost is not None else _Watch(Wait.TAKE, backlog)
    idle = cycle is None or cycle.response_complete
    if connection.stage is Stage.BODY and not connection.deaf:
        paused = connection.flow.read_paused and not connection.reads_bare
        held = paused or cycle.waiting_for_100_continue or connection.pipeline
        return None if held else _Watch(Wait.BODY, cycle)
    if not idle:
        return None
    if connection.stage is Stage.HEAD:
        return _Watch(Wait.HEAD, cycle)
    return _Watch(Wait.FIRST if cycle is None else Wait.IDLE, cycle)


def _judge(connection: Client, wait: Wait, waited: float, now: float) -> None:
    limits = connection.limits
    if wait is Wait.FIRST or wait is Wait.IDLE:
        allowed = limits.header.allowed(0) if wait is Wait.FIRST else limits.keep_alive_timeout
        if waited > allowed:
            connection.transport.close()
    elif wait is Wait.HEAD:
        if waited > limits.header.allowed(connection.head):
            connection.late()
    elif wait is Wait.BODY:
        if waited > limits.body.allowed(connection.taken):
            connection.late()
    elif wait is Wait.LINGER:
        if waited > _LINGERING or now - connection.lingers_since > _LINGERING_IN_ALL:
            connection.transport.abort()
    elif waited > (limits.timeout if wait is Wait.TAKE else min(_CLOSING, limits.timeout)):
        connection.abort()
