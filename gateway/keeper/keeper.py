"""The keeper process: fronts come and go, instances stay."""

import os
import signal
from collections.abc import Callable, Sequence
from typing import Any

from gateway.keeper import table as tables
from gateway.keeper.children import Children
from gateway.keeper.fronts import Front, Fronts, Role, signal_name
from gateway.keeper.guardian import Guardian
from gateway.keeper.holders import Holders
from gateway.keeper.identity import limit_privileges
from gateway.keeper.link import VERSION, Message
from gateway.keeper.loop import Loop
from gateway.keeper.notify import Service
from gateway.keeper.permit import Permit
from gateway.keeper.roll import Roll
from gateway.keeper.sockets import Sockets
from gateway.keeper.spawn import NO_ROOM
from gateway.keeper.warm import Warm
from gateway.logs.error import ErrorLog, Target

RELEASE_BOUND = 5.0  # seconds that a front may take to give its idle sessions back
MOST_FAILED_STARTS = 5
MOST_DRAINING = 2
_RESTART_PAUSE = 0.5


class Keeper:
    """Owns everything that outlives a front. `arguments` are the front's: directives file, defines; `slots`:
    the most processes, `sessions`: the most sessions in shared instances; `service` is told how it goes."""

    def __init__(
        self, arguments: Sequence[str], key: bytes, log: ErrorLog, slots: int, sessions: int, service: Service
    ) -> None:
        self.loop = Loop()
        self.exit_code = 0
        self._arguments, self._key, self._log = arguments, key, log
        self._service = service
        service.watch(self.loop, self._alive)
        table = tables.create(slots, sessions)
        self._roll = Roll(slots)
        self._guardian = Guardian(self._roll)
        self._children = Children(self.loop, table, self._roll, log)
        self._children.other_exited = self._other_exited
        self._children.others = lambda: {*self._unreaped, self._guardian.pid}
        self._holders = Holders(self._children, log, lambda: self._fronts.active)
        self._warm = Warm(self._children, self.loop, log)
        self._sockets = Sockets()
        self._fronts = Fronts()
        self._handlers = self._asked()
        self._unreaped: set[int] = set()  # pids of fronts
        self._failed_starts = 0
        self._history: dict[str, Any] = {"reloads": 0, "refused": 0, "failures": 0, "refusal": ""}
        self._reload_wanted = self._stopping = self._served = False
        self._graceful = 10.0

    def run(self) -> int:
        """Start a front and serve until stopped; the exit status."""
        self._start_front()
        self.loop.run()
        self._guardian.close()
        self._children.table.close()
        self._roll.close()
        self.loop.close()
        return self.exit_code

    # ---- signals

    def reload(self) -> None:
        """HUP: a new front on the same sockets, one at a time, beside at most two that drain."""
        if self._stopping:
            return
        self._service.reloads()
        draining = self._fronts.of(Role.DRAINING)
        too_many = len(draining) - MOST_DRAINING + 1
        if self._fronts.of(Role.STARTING) or too_many > 0:
            self._reload_wanted = True
            for front in draining[: max(0, too_many)]:
                front.send("hurry")
            return
        self._reload_wanted = False
        self._start_front()

    def stop(self) -> None:
        """TERM: fronts finish within their bound, then every instance ends (T5). A second one hurries."""
        if self._stopping:
            for front in self._fronts:
                front.send("hurry")
            return
        self._stopping = True
        self._service.stops()
        self._sockets.close()
        self._warm.stop()
        for front in list(self._fronts):
            if front.role is Role.STARTING:
                front.kill()
            else:
                front.send("stop")
        self.loop.later(self._graceful + RELEASE_BOUND, self._kill_fronts)
        self._end_if_alone()

    def reap(self) -> None:
        """CHLD: instances or fronts have exited."""
        self._children.reap()
        self._end_if_alone()

    def reopen_logs(self) -> None:
        """USR1: the logs were rotated."""
        self._log.reopen()
        self._holders.accounts.reopen()
        if self._fronts.reopen_logs():  # new ones may open files
            self.reload()

    # ---- fronts

    def _alive(self) -> bool:
        """Whether somebody serves, or nobody should."""
        front = self._fronts.active
        return self._stopping or (front is not None and front.lives(self._log))

    def _start_front(self) -> None:
        try:
            front = Front(self.loop, self._arguments, self._message, self._front_lost)
        except OSError as error:
            # What is short now may not be for ever: what lives is kept meanwhile
            lasting = error.errno not in NO_ROOM or not self._children.by_id
            self._none_started(f"a front cannot be started: {error.strerror}", counts=lasting)
            return
        self._fronts.append(front)
        self._unreaped.add(front.pid)

    def _ready(self, front: Front, fields: dict[str, Any]) -> None:
        self._failed_starts = 0
        front.ready = True
        old = self._fronts.active
        if old is None:
            self._promote(front)
            return
        old.leaving = True
        old.send("drain")
        self.loop.later(RELEASE_BOUND, lambda: self._too_late(old))

    def _too_late(self, old: Front) -> None:
        if old.role is Role.ACTIVE:
            self._log("error", f"front {old.pid} does not let go; it is killed", module="core")
            old.kill()

    def _released(self, front: Front, fields: dict[str, Any]) -> None:
        front.role = Role.DRAINING
        self._history["reloads"] += 1
        self._history["refusal"] = ""
        self._promote_ready()
        self._restart()

    def _promote_ready(self) -> None:
        for waiting in self._fronts.of(Role.STARTING):
            if waiting.ready and self._fronts.active is None:
                self._promote(waiting)

    def _promote(self, front: Front) -> None:
        front.role = Role.ACTIVE
        self._warm.serve(front)
        front.send("endings", endings=[one._asdict() for one in self._holders.accounts.inheritance()])
        self._holders.adopt_all(front)
        self._sockets.serve(front)
        self._fronts.tell_overlap()
        front.send("history", **self._history)
        front.send("activate", first=not self._served)
        self._served = True
        self._log("notice", f"front {front.pid} serves", module="core")
        self._service.serves(front.pid, more=self._reload_wanted)
        if self._reload_wanted and not self._fronts.of(Role.DRAINING):
            self.reload()

    def _front_lost(self, front: Front, why: str) -> None:
        was, front.role = front.role, Role.GONE
        self._fronts.remove(front)
        self._sockets.forget(front)
        self._holders.front_lost(front)
        self._fronts.tell_overlap()
        if self._stopping:
            self._end_if_alone()
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

    def _start_failed(self, front: Front, why: str) -> None:
        text = f"front {front.pid} ended while it was starting ({why})"
        if front.refusal is not None:
            text = f"not loaded: {front.refusal}"
        self._none_started(text, hopeless=bool(front.refusal and not self._children.by_id))

    def _none_started(self, text: str, *, counts: bool = True, hopeless: bool = False) -> None:
        """Try again, unless a front serves already; `counts`: not more than five times."""
        self._log("error", text, module="core")
        active = self._fronts.active
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
            self.exit_code = 1
            self.stop()
        else:
            self.loop.later(_RESTART_PAUSE * max(1, self._failed_starts), self._restart)

    def _restart(self) -> None:
        if not self._stopping and not self._fronts.of(Role.STARTING) and self._fronts.active is None:
            self._start_front()

    def _other_exited(self, pid: int, status: int) -> None:
        if pid == self._guardian.pid:
            self._log("error", "the guardian was killed; there is another one", module="core")
            self._guard_again()
            return
        if pid not in self._unreaped:  # made by a warm host, and over before that could tell of it
            return
        self._unreaped.discard(pid)
        self._fronts.reaped(pid)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            self._log("error", f"front {pid} was ended by {signal_name(-code)}", module="core")

    def _guard_again(self) -> None:
        try:
            self._guardian.restart()
        except OSError as error:
            self._log("error", f"no guardian can be started now: {error.strerror}", module="core")
            self.loop.later(_RESTART_PAUSE, self._guard_again)

    def _kill_fronts(self) -> None:
        for pid in self._unreaped:
            os.kill(pid, signal.SIGKILL)

    def _end_if_alone(self) -> None:
        """Stopping: when no front is left, every instance ends; when none is left either, so do we."""
        if not self._stopping or self._fronts:
            return
        for child in list(self._children.by_id.values()):
            self._holders.stop(child)
        if self._children.none_left and not self._unreaped:
            self.loop.running = False

    # ---- messages of a front

    def _message(self, front: Front, message: Message) -> None:
        for descriptor in message.descriptors:  # a front sends none
            os.close(descriptor)
        self._holders.done(front, message.fields.pop("done", ()))
        self._handlers[message.kind](front, message.fields)

    def _asked(self) -> dict[str, Callable[[Front, dict[str, Any]], None]]:
        return {
            "hello": self._hello,
            "refuse": self._refuse,
            "listen": self._sockets.listen,
            "configure": self._configure,
            "ready": self._ready,
            "released": self._released,
            "claim": self._holders.claim,
            "recipe": self._holders.recipe,
            "start": self._holders.start,
            "prepare": self._warm.prepare,
            "start_warm": self._warm.start,
            "count_warm": self._warm.count,
            "end": self._holders.end,
            "want": self._holders.want,
            "give": self._holders.give,
            "leave": self._holders.leave,
            "account": self._holders.account,
            "retire": self._holders.retire,
            "finished": self._finished,
            "pong": lambda front, fields: front.answered(),
        }

    def _hello(self, front: Front, fields: dict[str, Any]) -> None:
        if fields["version"] != VERSION:
            front.refusal = "the installed version speaks another link; restart the gateway"
            front.kill()
            return
        descriptor = self._children.table.descriptor
        front.send("welcome", (descriptor,), version=VERSION, key=self._key.hex())

    def _refuse(self, front: Front, fields: dict[str, Any]) -> None:
        front.refusal = str(fields["text"])

    def _configure(self, front: Front, fields: dict[str, Any]) -> None:
        """What decides about files, users and privileges: taken once, from a process that is still ours."""
        front.require_unconfigured()
        front.permit, front.drops = Permit(fields["permit"]), bool(fields["drops"])
        limit_privileges(self._log, wanted=bool(fields["no_new_privileges"]))
        self._graceful = float(fields["graceful"])
        try:
            self._log.configure({host: Target(*target) for host, target in fields["logs"].items()})
        except OSError as error:
            self._log("error", f"the error logs stay where they were: {error}", module="core")
        self._log.keep_only_own()
        self._holders.accounts.configure(fields["sessions"])
        front.send("configured")

    def _finished(self, front: Front, fields: dict[str, Any]) -> None:
        """`gateway drain`: the last session is over. A front that takes over now sees it for itself."""
        if front.role is Role.ACTIVE and not front.leaving and not self._stopping:
            self.stop()
