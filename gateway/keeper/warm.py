"""Hosts that are ready before they are needed (StartCGI, P11): one group for each way of starting them."""

import errno
import os
import time
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.keeper.child import Child
from gateway.keeper.children import Children
from gateway.keeper.fields import about_of, grace_of, tag_of
from gateway.keeper.fronts import Front, Role
from gateway.keeper.loop import Loop
from gateway.keeper.permit import Refused, order_of
from gateway.keeper.spawn import NO_ROOM, Order
from gateway.keeper.zygote import MOST_ASKED, Asked, Made, Zygote
from gateway.logs.error import ErrorLog

LONGEST_WAIT = 2.0  # seconds that a start waits for a warm process; then it is a cold one
MOST_GROUPS = 64
MOST_FAILURES = 3  # in a row; then the group's programs are started cold until the next reload
_ROOM_AGAIN = 10.0  # seconds after which what found no room is tried again without a request
_SETTLED = 1.0  # seconds after which a process that is killed is no sign of a host that does not work
_TOGETHER = 0.02  # seconds in which processes that are missing add up: the host makes several for less
_GRACE = 2.0
_ROOT = b"/"


class Wanted(NamedTuple):
    """A start that waits for a process; the rest is what its message says."""

    front: Front
    tag: int
    about: dict[str, Any]
    grace: float


class Ready(NamedTuple):
    """A process that waits for its first request, its end mark, since when (monotonic clock)."""

    child: Child
    mark: str
    since: float


class Group:
    """Processes of one host, ready for any script. What is ready was never used: it is handed out once."""

    def __init__(self, order: Order, count: int, children: Children, loop: Loop, log: ErrorLog) -> None:
        self._order, self._count = order, count
        self._children, self._loop, self._log = children, loop, log
        self._zygote: Zygote | None = None
        self._ready: deque[Ready] = deque()
        self._wanted: deque[Wanted] = deque()
        self._failures = 0
        self._late = False  # somebody has waited in vain: nobody else waits until there is a process again
        self._no_room = self._closed = self._soon = False
        self.refill()

    def give(self, wanted: Wanted) -> None:
        """Answer with a process as soon as there is one; `failed` when there will be none."""
        if self._ready:
            child, mark, _ = self._ready.popleft()
            self._hand_out(child, mark, wanted)
        elif self._late:
            _refuse(wanted)
        else:
            self._wanted.append(wanted)
            self._loop.later(LONGEST_WAIT, lambda: self._give_up(wanted))
        self._refill_together()

    def refill(self) -> None:
        """Ask for as many as are missing, by a host that is started when there is none."""
        while not self._closed and self._failures < MOST_FAILURES:
            try:
                if self._zygote is None:
                    self._zygote = Zygote(self._order, self._children, self._loop, _GRACE, self._made)
                number = min(self._missing(), MOST_ASKED - self._zygote.asked)
                if number <= 0 or self._zygote.closed:
                    return
                self._zygote.ask(number)
            except OSError as error:
                self._failed_by(error)
                return
        self._refuse_all()

    def _missing(self) -> int:
        under_way = 0 if self._zygote is None else self._zygote.asked
        return self._count + len(self._wanted) - len(self._ready) - under_way

    def _refill_together(self) -> None:
        """Ask when somebody waits or half of them are missing, otherwise soon."""
        missing = self._missing()
        if self._wanted or 2 * missing >= self._count:
            self.refill()
        elif missing and not self._soon:
            self._soon = True
            self._loop.later(_TOGETHER, self._refill_now)

    def _refill_now(self) -> None:
        self._soon = False
        self.refill()

    def lost(self, child: Child, facts: Mapping[str, Any]) -> None:
        """A process of a group has been reaped; it may be another group's."""
        if self._zygote is not None and child is self._zygote.child:
            worked = self._zygote.made_any
            self._zygote.close()
            self._zygote = None
            self._failed(f"it ended with {_exit(facts)}", counts=not worked)
            return
        for ready in self._ready:
            if ready.child is child:
                self._ready.remove(ready)
                young = time.monotonic() - ready.since < _SETTLED
                self._failed(f"a process that was ready ended with {_exit(facts)}", counts=young)
                return

    @property
    def ready(self) -> int:
        """Processes that wait for their first request."""
        return len(self._ready)

    def close(self) -> None:
        """End the host and what is ready; those who wait start cold."""
        self._closed = True
        self._end_host()
        while self._ready:
            self._children.end(self._ready.popleft().child, "eof")
        self._refuse_all()

    def _end_host(self) -> None:
        zygote, self._zygote = self._zygote, None
        if zygote is not None:
            zygote.end()

    def _made(self, made: list[Made]) -> None:
        """The host has answered: processes, or the numbers of errors."""
        self._late = False
        failures = [asked for pid, asked in made if not self._one_made(pid, asked)]
        if not failures:
            self._refill_together()

    def _one_made(self, pid: int, asked: Asked) -> bool:
        try:
            if pid < 0:
                raise OSError(-pid, os.strerror(-pid))
            child = self._children.born(pid, asked.place, _GRACE)
        except OSError as error:
            self._children.vacate(asked.place)
            self._failed_by(error)
            return False
        wanted = self._next()
        if wanted is not None:
            self._hand_out(child, asked.mark, wanted)
        elif len(self._ready) < self._count:
            self._ready.append(Ready(child, asked.mark, time.monotonic()))
        else:  # those for whom it was asked have given up
            self._children.end(child, "eof")
        return True

    def _next(self) -> Wanted | None:
        while self._wanted:
            wanted = self._wanted.popleft()
            if wanted.front.role is not Role.GONE:
                return wanted
        return None

    def _hand_out(self, child: Child, mark: str, wanted: Wanted) -> None:
        if self._failures < MOST_FAILURES:
            self._failures = 0
        self._children.hand_out(child, {**wanted.about, "mark": mark}, wanted.grace)
        child.holder = front = wanted.front
        ends = child.output, child.requests
        front.send("started", ends, tag=wanted.tag, id=child.id, pid=child.pid, slot=child.slot, mark=mark)

    def _failed_by(self, error: OSError) -> None:
        """A process could not be made: because of the host, or because there is no room for one now."""
        if error.errno == errno.ECHILD:
            self._failed("a process ended at once")
        elif error.errno not in NO_ROOM:
            self._failed(str(error))
        else:
            if not self._no_room:
                self._no_room = True
                self._loop.later(_ROOM_AGAIN, self._try_again)
                self._tell(f"{error.strerror}: programs are started cold for now")
            self._refuse_all()

    def _try_again(self) -> None:
        self._no_room = False
        if not self._closed:
            self.refill()

    def _failed(self, why: str, *, counts: bool = True) -> None:
        if self._closed:
            return
        self._failures += counts
        self._tell(why)
        if counts and self._failures == MOST_FAILURES:
            self._tell("given up; its programs are started cold until the next reload")
            self._end_host()
        self.refill()

    def _tell(self, what: str) -> None:
        command = " ".join(os.fsdecode(word) for word in self._order.argv)
        self._log("error", f"warm host {command}: {what}", module="core")

    def _give_up(self, wanted: Wanted) -> None:
        if wanted in self._wanted:
            self._late = True
            self._wanted.remove(wanted)
            _refuse(wanted)

    def _refuse_all(self) -> None:
        while self._wanted:
            _refuse(self._wanted.popleft())


class Warm:
    """The groups of the front that serves, by the names that it gave them."""

    def __init__(self, children: Children, loop: Loop, log: ErrorLog) -> None:
        self._children, self._loop, self._log = children, loop, log
        self._groups: dict[str, Group] = {}
        self._owner: Front | None = None
        children.warm_gone = self._gone

    def serve(self, front: Front) -> None:
        """This front serves from now on. What is ready for the old one goes: its code may be outdated."""
        self._close()
        self._owner = front

    def prepare(self, front: Front, fields: dict[str, Any]) -> None:
        """`prepare`: keep `count` hosts of this kind ready."""
        if front is not self._owner or fields["id"] in self._groups:
            return
        if len(self._groups) == MOST_GROUPS:
            text = f"warm hosts are started in {MOST_GROUPS} different ways; programs of others start cold"
            self._log("warn", text, module="core")
            return
        try:
            order = front.permit.admit(order_of({**fields, "directory": _ROOT.decode()}))
        except Refused as refusal:
            self._log("error", f"warm host of front {front.pid}: {refusal}", module="core")
            return
        group = Group(order, int(fields["count"]), self._children, self._loop, self._log)
        self._groups[fields["id"]] = group

    def start(self, front: Front, fields: dict[str, Any]) -> None:
        """`start_warm`: answered by `started` with the end mark of the process, or by `failed`: start cold."""
        wanted = Wanted(front, tag_of(fields), about_of(fields), grace_of(fields))
        group = self._groups.get(fields["group"])
        if group is None:
            _refuse(wanted)
        else:
            group.give(wanted)

    def count(self, front: Front, fields: dict[str, Any]) -> None:
        """`count_warm`: answered by `counted_warm`, how many processes of each group are ready."""
        ready = {name: group.ready for name, group in self._groups.items()}
        front.send("counted_warm", tag=fields["tag"], ready=ready)

    def stop(self) -> None:
        """The gateway is stopping: nothing is ready any more, and nothing gets ready."""
        self._owner = None
        self._close()

    def _close(self) -> None:
        groups, self._groups = self._groups, {}
        for group in groups.values():
            group.close()

    def _gone(self, child: Child, facts: dict[str, Any]) -> None:
        for group in self._groups.values():
            group.lost(child, facts)


def _exit(facts: Mapping[str, Any]) -> str:
    status = facts["status"]
    return f"status {status}" if status >= 0 else f"signal {-status}"


def _refuse(wanted: Wanted) -> None:
    wanted.front.send("failed", tag=wanted.tag, errno=errno.EAGAIN, step="")
