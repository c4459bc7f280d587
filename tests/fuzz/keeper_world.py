"""A keeper without processes: its fronts are the ends of links, its instances numbers that no process has."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import socket
from collections.abc import Iterator, Sequence
from typing import Any

from gateway.keeper import children, fronts, keeper
from gateway.keeper.child import Child
from gateway.keeper.fronts import Front, Role
from gateway.keeper.notify import Service
from gateway.keeper.permit import Permit
from gateway.keeper.roll import Roll
from gateway.keeper.spawn import Order
from gateway.logs.error import ErrorLog
from gateway.logs.session import line

SLOTS, SHARED = 4, 3
PERMIT = Permit({"identities": (), "anybody": True, "roots": (), "hosts": (), "names": (), "fixed": {}})
_NO_PROCESS = 1 << 23  # beyond PID_MAX_LIMIT of linux/threads.h
_ROUNDS = 8  # of timers: each may set another


class Alone:
    """There is nobody to guard."""

    pid = _NO_PROCESS - 1

    def __init__(self, roll: Roll) -> None:
        """Start nothing."""

    def close(self) -> None:
        """There is nothing to end."""


class Played(Front):
    """A front of which only the link exists; `peer` is its end. It has been configured."""

    peer: socket.socket
    killed = False

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.peer = socket.socket(fileno=_Spawned.peer)
        self.peer.setblocking(False)
        self.permit = PERMIT

    def kill(self) -> None:
        """Its link comes to its end."""
        if not self.killed:
            self.killed = True
            self.peer.close()

    def say(self, frame: bytes) -> None:
        """Have the keeper read these bytes."""
        if self.killed or self.role is Role.GONE:
            return
        with contextlib.suppress(BlockingIOError):
            self.peer.send(frame)
        self._event()

    def hear(self) -> None:
        """Take what the keeper sent, descriptors as well, and notice the end of the link."""
        with contextlib.suppress(OSError):
            while not self.killed:
                data, descriptors, _, _ = socket.recv_fds(self.peer, 1 << 16, 64)
                for descriptor in descriptors:
                    os.close(descriptor)
                if not data:
                    break
        if self.killed and self.role is not Role.GONE:
            self._event()


class _Spawned:
    """What `spawn` was given last."""

    peer = -1
    numbers = itertools.count(_NO_PROCESS)


def _spawn(order: Order, descriptors: Sequence[int]) -> int:
    """A front: its end of the link stays here."""
    _Spawned.peer = os.dup(descriptors[-1])
    return next(_Spawned.numbers)


def _launch(order: Order, descriptors: Sequence[int]) -> int:
    """An instance that never runs."""
    return next(_Spawned.numbers)


@contextlib.contextmanager
def played() -> Iterator[None]:
    """Within, the keeper starts and signals nothing."""
    places: list[tuple[Any, str, object]] = [
        (keeper, "Guardian", Alone),
        (keeper, "Front", Played),
        (fronts, "spawn", _spawn),
        (children, "launch", _launch),
        (children, "signal_group", lambda pid, number: None),
    ]
    before = [getattr(module, name) for module, name, _ in places]
    for module, name, other in places:
        setattr(module, name, other)
    try:
        yield
    finally:
        for (module, name, _), own in zip(places, before, strict=True):
            setattr(module, name, own)


class KeeperWorld:
    """A keeper with one front that serves."""

    def __init__(self, log: ErrorLog) -> None:
        self.keeper = keeper.Keeper(["conf"], bytes(32), log, SLOTS, SHARED, Service("", None))
        self.children = self.keeper._children
        vars(self.keeper._holders.accounts._log)["write"] = line
        vars(self.keeper._succession)["kill"] = self._kill_fronts
        self.keeper._succession.start()
        self.front(0).say(_frame(b'{"kind":"ready"}'))

    def front(self, number: int) -> Played:
        """One of the fronts that are left; there is one, unless the gateway ends."""
        known = self.keeper._fronts
        if not known:
            self.keeper._succession.stopping = False
            self.keeper._succession.start()
        front = known[number % len(known)]
        assert isinstance(front, Played)
        return front

    def say(self, number: int, body: bytes) -> None:
        """A message of a front; all of them take what came back."""
        self.front(number).say(_frame(body))
        for front in list(self.keeper._fronts):
            assert isinstance(front, Played)
            front.hear()

    def write(self, number: int, data: bytes) -> None:
        """A front writes something into the table that all share."""
        table = self.children.table
        header, slots, texts = 16, 4096, table._texts_at
        places = [header, slots, slots + 128, texts, texts + 1292, texts + 2592, texts + 2848, texts + 2976]
        places += [table.replaced._offset, table.retired._offset]
        at = places[number % len(places)]
        table._map[at : at + len(data)] = data

    def lose(self, number: int) -> None:
        """A front crashes."""
        front = self.front(number)
        front.kill()
        front.hear()

    def _kill_fronts(self) -> None:
        for front in self.keeper._fronts:
            front.kill()

    def reap(self, number: int, status: int) -> None:
        """A process has exited, with this status of wait(2)."""
        living: list[Child] = sorted(self.children._by_pid.values(), key=lambda child: child.pid)
        if living:
            child = living[number % len(living)]
            del self.children._by_pid[child.pid]
            self.children._reaped(child, status, 0.5, 1000)

    def time(self) -> None:
        """Every timer is due."""
        for _ in range(_ROUNDS):
            timers, self.keeper.loop._timers = self.keeper.loop._timers, []
            while timers:
                due, _, callback = heapq.heappop(timers)
                assert due < float("inf"), "no timer that a selector cannot wait for"
                callback()

    def close(self) -> None:
        """Everything ends; every place is free again, whatever was said."""
        while self.children._by_pid:
            self.reap(0, 0)
        for front in self.keeper._fronts:
            self.children.slots.holder_lost(front)
        assert sorted(self.children.slots._free) == list(range(SLOTS))
        assert len(self.children.slots._free_for_sessions) == SHARED
        for front in self.keeper._fronts:
            assert isinstance(front, Played)
            front.peer.close()
            front._link.close()
        self.keeper._warm.stop()
        self.children.table.close()
        os.close(self.children.null)
        self.keeper._roll.close()
        self.keeper.loop.close()


def _frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + b"\0\0" + body
