"""The keeper process: fronts come and go, instances stay."""

import os
from collections.abc import Callable, Sequence
from typing import Any

from gateway.keeper import table as tables
from gateway.keeper.children import Children
from gateway.keeper.fronts import Front, Fronts, Role
from gateway.keeper.guardian import Guardian
from gateway.keeper.holders import Holders
from gateway.keeper.identity import limit_privileges
from gateway.keeper.link import VERSION, Message
from gateway.keeper.loop import Loop
from gateway.keeper.notify import Service
from gateway.keeper.permit import Permit
from gateway.keeper.roll import Roll
from gateway.keeper.sockets import Sockets
from gateway.keeper.succession import RELEASE_BOUND, RESTART_PAUSE, Estate, Succession
from gateway.keeper.warm import Warm
from gateway.logs.error import ErrorLog, Target


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
        table = tables.create(slots, sessions)
        self._roll = Roll(slots)
        self._guardian = Guardian(self._roll)
        self._children = Children(self.loop, table, self._roll, log)
        self._children.other_exited = self._other_exited
        self._children.others = lambda: {*self._succession.processes, self._guardian.pid}
        self._fronts = Fronts()
        self._holders = Holders(self._children, log, lambda: self._fronts.active)
        self._warm = Warm(self._children, self.loop, log)
        self._sockets = Sockets()
        estate = Estate(self._children, self._holders, self._warm, self._sockets)
        self._succession = Succession(self._fronts, self._begin, estate, self.loop, log, service)
        self._succession.failed, self._succession.alone = self._failed, self._end_if_alone
        service.watch(self.loop, self._succession.alive)
        self._handlers = self._asked()
        self._graceful = 10.0

    def run(self) -> int:
        """Start a front and serve until stopped; the exit status."""
        self._succession.start()
        self.loop.run()
        self._guardian.close()
        self._children.table.close()
        self._roll.close()
        self.loop.close()
        return self.exit_code

    # ---- signals

    def reload(self) -> None:
        """HUP: a new front takes over."""
        self._succession.reload()

    def stop(self) -> None:
        """TERM: fronts finish within their bound, then every instance ends (T5). A second one hurries."""
        if self._succession.stopping:
            self._succession.hurry()
            return
        self._service.stops()
        self._sockets.close()
        self._warm.stop()
        self._succession.stop()
        self.loop.later(self._graceful + RELEASE_BOUND, self._succession.kill)
        self._end_if_alone()

    def _failed(self) -> None:
        self.exit_code = 1
        self.stop()

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

    # ---- processes

    def _begin(self) -> Front:
        return Front(self.loop, self._arguments, self._message, self._succession.lost)

    def _other_exited(self, pid: int, status: int) -> None:
        if pid == self._guardian.pid:
            self._log("error", "the guardian was killed; there is another one", module="core")
            self._guard_again()
        elif pid in self._succession.processes:
            self._succession.reaped(pid, status)
        # else a warm host has made it, and it was over before that could tell of it

    def _guard_again(self) -> None:
        try:
            self._guardian.restart()
        except OSError as error:
            self._log("error", f"no guardian can be started now: {error.strerror}", module="core")
            self.loop.later(RESTART_PAUSE, self._guard_again)

    def _end_if_alone(self) -> None:
        """Stopping: when no front is left, every instance ends; when none is left either, so do we."""
        if not self._succession.stopping or self._fronts:
            return
        for child in list(self._children.by_id.values()):
            self._holders.stop(child)
        if self._children.none_left and not self._succession.processes:
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
            "ready": self._succession.ready,
            "released": self._succession.released,
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
        if front.role is Role.ACTIVE and not front.leaving and not self._succession.stopping:
            self.stop()
