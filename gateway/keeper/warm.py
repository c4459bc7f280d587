"""Hosts that are ready before they are needed (StartCGI, P11): one group for each way of starting them."""

import errno
import os
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

from gateway.keeper.children import Child, Children
from gateway.keeper.fronts import Front, Role
from gateway.keeper.loop import Loop
from gateway.keeper.permit import Refused, order_of
from gateway.keeper.spawn import Order
from gateway.keeper.zygote import MOST_ASKED, Asked, Zygote
from gateway.logs.error import ErrorLog

LONGEST_WAIT = 2.0  # seconds that a start waits for a warm process; then it is a cold one
MOST_GROUPS = 64
MOST_FAILURES = 3  # in a row; then the group's programs are started cold until the next reload
_GRACE = 2.0
_ROOT = b"/"


class Wanted(NamedTuple):
    """A start that waits for a process."""

    front: Front
    fields: Mapping[str, Any]


class Group:
    """Processes of one host, ready for any script. What is ready was never used: it is handed out once."""

    def __init__(self, order: Order, count: int, children: Children, loop: Loop, log: ErrorLog) -> None:
        self._order, self._count = order, count
        self._children, self._loop, self._log = children, loop, log
        self._zygote: Zygote | None = None
        self._ready: deque[tuple[Child, str]] = deque()
        self._wanted: deque[Wanted] = deque()
        self._failures = 0
        self._strays: set[int] = set()  # reaped before the host has told of them
        self._closed = False
        self.refill()

    def give(self, wanted: Wanted) -> None:
        """Answer with a process as soon as there is one; `failed` when there will be none."""
        if self._ready:
            self._hand_out(*self._ready.popleft(), wanted)
        else:
            self._wanted.append(wanted)
            self._loop.later(LONGEST_WAIT, lambda: self._give_up(wanted))
        self.refill()

    def refill(self) -> None:
        """Ask for as many as are missing, by a host that is started when there is none."""
        while not self._closed and self._failures < MOST_FAILURES:
            under_way = 0 if self._zygote is None else self._zygote.asked
            if len(self._ready) + under_way >= self._count + len(self._wanted) or under_way >= MOST_ASKED:
                return
            try:
                if self._zygote is None:
                    self._zygote = Zygote(self._order, self._children, self._loop, _GRACE, self._made)
                self._zygote.ask()
            except BlockingIOError:
                return
            except OSError as error:
                self._failed(str(error))
                return
        self._refuse_all()

    def lost(self, child: Child, facts: Mapping[str, Any]) -> None:
        """A process of a group has been reaped; it may be another group's."""
        if self._zygote is not None and child is self._zygote.child:
            self._zygote.close()
            self._zygote = None
            self._failed(f"it ended with status {facts['status']}")
        elif any(child is ready for ready, _ in self._ready):
            self._ready = deque(pair for pair in self._ready if pair[0] is not child)
            self._failed(f"a process that was ready ended with status {facts['status']}")

    def stray(self, pid: int) -> None:
        """A process has been reaped that nobody knows: perhaps one that the host has not told of yet."""
        if self._zygote is not None and self._zygote.asked:
            self._strays.add(pid)

    def close(self) -> None:
        """End the host and what is ready; those who wait start cold."""
        self._closed = True
        if self._zygote is not None:
            self._zygote.end()
        while self._ready:
            self._children.end(self._ready.popleft()[0], "eof")
        self._refuse_all()

    def _made(self, pid: int, asked: Asked) -> None:
        """The host has answered: a process, or the number of an error."""
        if pid < 0 or pid in self._strays:
            self._strays.discard(pid)
            self._drop(asked)
            self._failed(os.strerror(-pid) if pid < 0 else "a process ended at once")
            return
        if self._zygote is not None and not self._zygote.asked:
            self._strays.clear()
        try:
            child = self._children.born(pid, asked.pipes, _GRACE)
        except OSError as error:
            self._drop(asked)  # end of file: it exits
            self._failed(str(error))
            return
        if self._wanted:
            self._hand_out(child, asked.mark, self._wanted.popleft())
        else:
            self._ready.append((child, asked.mark))
        self.refill()

    def _drop(self, asked: Asked) -> None:
        for descriptor in asked.pipes:
            os.close(descriptor)

    def _hand_out(self, child: Child, mark: str, wanted: Wanted) -> None:
        front, fields = wanted
        if front.role is Role.GONE:
            self._ready.append((child, mark))
            return
        self._failures = 0
        self._children.hand_out(child, {**fields["about"], "mark": mark}, fields["grace"])
        child.holder = front
        ends = child.output, child.requests
        front.send("started", ends, tag=fields["tag"], id=child.id, pid=child.pid, slot=child.slot, mark=mark)

    def _failed(self, why: str) -> None:
        if self._closed:
            return
        self._failures += 1
        command = " ".join(os.fsdecode(word) for word in self._order.argv)
        self._log("error", f"warm host {command}: {why}", module="core")
        if self._failures == MOST_FAILURES:
            text = f"warm host {command}: given up; its programs are started cold until the next reload"
            self._log("error", text, module="core")
        self.refill()

    def _give_up(self, wanted: Wanted) -> None:
        if wanted in self._wanted:
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

    def prepare(self, front: Front, fields: dict[str, Any]) -> None:
        """`prepare`: keep `count` hosts of this kind ready. A new front's groups take the place of the old
        one's, whose code may be outdated."""
        if front.role is not Role.ACTIVE:
            return
        if front is not self._owner:
            self.close()
            self._owner = front
        if fields["id"] in self._groups or len(self._groups) >= MOST_GROUPS:
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
        wanted = Wanted(front, fields)
        group = self._groups.get(fields["group"])
        if group is None:
            _refuse(wanted)
        else:
            group.give(wanted)

    def stray(self, pid: int) -> None:
        """A process was reaped that is neither an instance nor a front."""
        for group in self._groups.values():
            group.stray(pid)

    def close(self) -> None:
        """End everything that is ready."""
        groups, self._groups = self._groups, {}
        for group in groups.values():
            group.close()

    def _gone(self, child: Child, facts: dict[str, Any]) -> None:
        for group in self._groups.values():
            group.lost(child, facts)


def _refuse(wanted: Wanted) -> None:
    wanted.front.send("failed", tag=wanted.fields["tag"], errno=errno.EAGAIN, step="")
