"""Fronts follow each other: one serves, others start or drain; another is started when none does."""

import os
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

from gateway.keeper.children import Children
from gateway.keeper.fronts import Front, Fronts, Role, signal_name
from gateway.keeper.holders import Holders
from gateway.keeper.loop import Loop
from gateway.keeper.notify import Service
from gateway.keeper.sockets import Sockets
from gateway.keeper.spawn import NO_ROOM
from gateway.keeper.warm import Warm
from gateway.logs.error import ErrorLog

RELEASE_BOUND = 5.0  # seconds that a front may take to give its idle sessions back
RESTART_PAUSE = 0.5
MOST_FAILED_STARTS = 5
MOST_DRAINING = 2


class Estate(NamedTuple):
    """What outlives a front, and goes to the next one."""

    children: Children
    holders: Holders
    warm: Warm
    sockets: Sockets


class Succession:
    """`begin` starts the process of a front (raises OSError). The keeper is told by `failed` that none can be
    started, and by `alone` that one has gone after `stop`."""

    failed: Callable[[], None]
    alone: Callable[[], None]

    def __init__(
        self,
        fronts: Fronts,
        begin: Callable[[], Front],
        estate: Estate,
        loop: Loop,
        log: ErrorLog,
        service: Service,
    ) -> None:
        self.fronts, self._begin, self._estate = fronts, begin, estate
        self._loop, self._log, self._service = loop, log, service
        self._unreaped: set[int] = set()  # pids
        self._failed_starts = 0
        self._history: dict[str, Any] = {"reloads": 0, "refused": 0, "failures": 0, "refusal": ""}
        self._reload_wanted = self._served = False
        self.stopping = False

    # ---- begin and end

    def start(self) -> None:
        """Start the first one, or the next one."""
        try:
            front = self._begin()
        except OSError as error:
            # What is short now may not be for ever: what lives is kept meanwhile
            lasting = error.errno not in NO_ROOM or not self._estate.children.by_id
            self._none_started(f"a front cannot be started: {error.strerror}", counts=lasting)
            return
        self.fronts.append(front)
        self._unreaped.add(front.pid)

    def reload(self) -> None:
        """A new front on the same sockets, one at a time, beside at most two that drain."""
        if self.stopping:
            return
        self._service.reloads()
        draining = self.fronts.of(Role.DRAINING)
        too_many = len(draining) - MOST_DRAINING + 1
        if self.fronts.of(Role.STARTING) or too_many > 0:
            self._reload_wanted = True
            for front in draining[: max(0, too_many)]:
                front.send("hurry")
            return
        self._reload_wanted = False
        self.start()

    def stop(self) -> None:
        """They finish what they have; none is started any more."""
        self.stopping = True
        for front in list(self.fronts):
            if front.role is Role.STARTING:
                front.kill()
            else:
                front.send("stop")

    def hurry(self) -> None:
        """They finish at once."""
        for front in self.fronts:
            front.send("hurry")

    def kill(self) -> None:
        """They have had their time."""
        for pid in self._unreaped:
            os.kill(pid, signal.SIGKILL)

    @property
    def processes(self) -> set[int]:
        """The pids of those that have not been waited for."""
        return self._unreaped

    def alive(self) -> bool:
        """Whether somebody serves, or nobody should."""
        front = self.fronts.active
        return self.stopping or (front is not None and front.lives(self._log))

    # ---- one takes over from another

    def ready(self, front: Front, fields: dict[str, Any]) -> None:
        """`ready`: it could serve; whoever serves gives way."""
        self._failed_starts = 0
        front.ready = True
        old = self.fronts.active
        if old is None:
            self._promote(front)
            return
        old.leaving = True
        old.send("drain")
        self._loop.later(RELEASE_BOUND, lambda: self._too_late(old))

    def _too_late(self, old: Front) -> None:
        if old.role is Role.ACTIVE:
            self._log("error", f"front {old.pid} does not let go; it is killed", module="core")
            old.kill()

    def released(self, front: Front, fields: dict[str, Any]) -> None:
        """`released`: it has given its idle sessions back."""
        front.role = Role.DRAINING
        self._history["reloads"] += 1
        self._history["refusal"] = ""
        self._promote_ready()
        self._restart()

    def _promote_ready(self) -> None:
        for waiting in self.fronts.of(Role.STARTING):
            if waiting.ready and self.fronts.active is None:
                self._promote(waiting)

    def _promote(self, front: Front) -> None:
        front.role = Role.ACTIVE
        holders = self._estate.holders
        self._estate.warm.serve(front)
        front.send("endings", endings=[one._asdict() for one in holders.accounts.inheritance()])
        holders.adopt_all(front)
        self._estate.sockets.serve(front)
        self.fronts.tell_overlap()
        front.send("history", **self._history)
        front.send("activate", first=not self._served)
        self._served = True
        self._log("notice", f"front {front.pid} serves", module="core")
        self._service.serves(front.pid, more=self._reload_wanted)
        if self._reload_wanted and not self.fronts.of(Role.DRAINING):
            self.reload()

    # ---- one is gone

    def lost(self, front: Front, why: str) -> None:
        """Its link has come to an end."""
        was, front.role = front.role, Role.GONE
        self.fronts.remove(front)
        self._estate.sockets.forget(front)
        self._estate.holders.front_lost(front)
        self.fronts.tell_overlap()
        if self.stopping:
            self.alone()
            return
        if was is Role.STARTING:
            self._start_failed(front, why)
        elif was is Role.ACTIVE:
            self._history["failures"] += 1
            self._log("error", f"front {front.pid} is gone ({why}); another takes over", module="core")
            self._service.front_lost(front.pid, why)
            self._promote_ready()
            self._restart()
        if self._reload_wanted:
            self.reload()

    def reaped(self, pid: int, status: int) -> None:
        """A process of these has been waited for."""
        self._unreaped.discard(pid)
        self.fronts.reaped(pid)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            self._log("error", f"front {pid} was ended by {signal_name(-code)}", module="core")

    def _start_failed(self, front: Front, why: str) -> None:
        text = f"front {front.pid} ended while it was starting ({why})"
        if front.refusal is not None:
            text = f"not loaded: {front.refusal}"
        self._none_started(text, hopeless=bool(front.refusal and not self._estate.children.by_id))

    def _none_started(self, text: str, *, counts: bool = True, hopeless: bool = False) -> None:
        """Try again, unless a front serves already; `counts`: not more than five times."""
        self._log("error", text, module="core")
        active = self.fronts.active
        if active is not None:
            self._history["refused"] += 1
            self._history["refusal"] = text
            active.send("history", **self._history)
            self._log("notice", "the old settings stay", module="core")
            self._service.not_reloaded(text)
            return
        self._failed_starts += counts
        if self._failed_starts >= MOST_FAILED_STARTS or hopeless:
            self._log("crit", "no front can be started: the gateway ends", module="core")
            self._service.failed(text)
            self.failed()
        else:
            self._loop.later(RESTART_PAUSE * max(1, self._failed_starts), self._restart)

    def _restart(self) -> None:
        if not self.stopping and not self.fronts.of(Role.STARTING) and self.fronts.active is None:
            self.start()
