"""The instances: started, listened to, ended (T3) and reaped here, and nowhere else."""

import errno
import os
import signal
from collections.abc import Callable, Collection, Sequence
from typing import Any

from gateway.keeper import table as tables
from gateway.keeper.child import Child, Pipes, Place, Started
from gateway.keeper.fork import launch
from gateway.keeper.loop import Loop
from gateway.keeper.roll import Roll, signal_group
from gateway.keeper.slots import Slots
from gateway.keeper.spawn import Order
from gateway.logs.error import ErrorLog

_READ = 65536
_LONGEST_LINE = 4096


class Children:
    """Every instance by id; `gone(child, exit facts)` is called when one has been reaped, `warm_gone` when it
    was a warm host."""

    def __init__(self, loop: Loop, table: tables.Table, roll: Roll, log: ErrorLog) -> None:
        self.loop, self.table, self._roll, self._log = loop, table, roll, log
        self.by_id: dict[int, Child] = {}
        self._by_pid: dict[int, Child] = {}
        self.slots = Slots(table, roll.slots)
        self._next_id = 1
        self.null = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        self.gone: Callable[[Child, dict[str, Any]], None] = lambda child, facts: None
        self.warm_gone: Callable[[Child, dict[str, Any]], None] = lambda child, facts: None

    def start(self, order: Order, about: dict[str, Any], *, body: bool, grace: float) -> Started:
        """Start an instance; `body`: its stdin is a pipe, else /dev/null. Its errors are read from `listen` on,
        or when it is over. Raises OSError."""
        slot = self.slots.take()
        ours: list[int] = []
        theirs: list[int] = []
        try:
            pipes, ends = self.pipes()
            ours += pipes
            theirs += ends
            if body:
                reading, writing = os.pipe2(os.O_CLOEXEC)
                theirs.append(reading)
                ours.append(writing)
                os.set_blocking(writing, False)
            pid = launch(order, (theirs[-1] if body else self.null, *ends))
        except OSError:
            _close(*ours)
            self.slots.release(slot)
            raise
        finally:
            _close(*theirs)
        child = self._enter(pid, slot, pipes)
        child.about, child.grace = about, grace
        self.by_id[child.id] = child
        return Started(child, ours[-1] if body else None)

    def start_host(self, order: Order, control: int, grace: float) -> Child:
        """Start a warm host, which is told by `control` what to do. Raises OSError."""
        slot = self.slots.take()
        try:
            stderr, stderr_w = os.pipe2(os.O_CLOEXEC)
            os.set_blocking(stderr, False)
            try:
                pid = launch(order, (self.null, self.null, stderr_w, control))
            except OSError:
                _close(stderr)
                raise
            finally:
                _close(stderr_w)
        except OSError:
            self.slots.release(slot)
            raise
        return self._enter(pid, slot, Pipes(-1, stderr, -1), warm=True, grace=grace)

    def place(self) -> tuple[Place, tuple[int, int, int]]:
        """A place for a process that a warm host shall make, and that process's ends: output, errors, requests.
        Raises OSError."""
        slot = self.slots.take()
        try:
            pipes, theirs = self.pipes()
        except OSError:
            self.slots.release(slot)
            raise
        return Place(slot, pipes), theirs

    def vacate(self, place: Place) -> None:
        """Nobody takes it: a process that has the other ends ends by end of file."""
        _close(*place.pipes)
        self.slots.release(place.slot)

    def born(self, pid: int, place: Place, grace: float) -> Child:
        """Own a process that a warm host has made. Raises OSError when it is no new child of this process: it
        has been reaped, or the host does not tell the truth."""
        if pid in self._by_pid or pid in self.others():
            raise ChildProcessError(errno.ECHILD, f"process {pid} is another one")
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        return self._enter(pid, place.slot, place.pipes, warm=True, grace=grace)

    def open_session(self, child: Child) -> int:
        """A slot for one more session of a shared instance. Raises OSError."""
        slot = self.slots.take_for_session(child.id)
        child.sessions.add(slot)
        return slot

    def close_session(self, child: Child, slot: int) -> None:
        """One of its sessions is over."""
        if slot in child.sessions:
            child.sessions.remove(slot)
            self.slots.release(slot)

    def hand_out(self, child: Child, about: dict[str, Any], grace: float) -> None:
        """A process that was ready becomes an instance."""
        child.about, child.grace, child.warm = about, grace, False
        self.by_id[child.id] = child

    def pipes(self) -> tuple[Pipes, tuple[int, int, int]]:
        """Pipes for a process, and its ends of them: output, errors, requests. Raises OSError."""
        made: list[int] = []
        try:
            for _ in range(3):
                made += os.pipe2(os.O_CLOEXEC)
        except OSError:
            _close(*made)
            raise
        output, output_w, stderr, stderr_w, requests_r, requests = made
        for descriptor in (output, stderr, requests):
            os.set_blocking(descriptor, False)
        return Pipes(output, stderr, requests), (output_w, stderr_w, requests_r)

    @property
    def none_left(self) -> bool:
        """Whether every process has been reaped."""
        return not self._by_pid

    def _enter(self, pid: int, slot: int, pipes: Pipes, *, warm: bool = False, grace: float = 0.0) -> Child:
        self._roll[slot] = pid
        self.table.open_slot(slot, self._next_id)
        child = Child(
            self._next_id, pid, slot, {}, grace, pipes.stderr, pipes.output, pipes.requests, warm=warm
        )
        self._next_id += 1
        self._by_pid[pid] = child
        if warm:
            self.listen(child)
        return child

    def listen(self, child: Child) -> None:
        """Read its errors as they come."""
        if child.stderr >= 0 and not child.heard:
            child.heard = True
            self.loop.reader(child.stderr, lambda: self._read_stderr(child))

    def end(self, child: Child, how: str) -> None:
        """Begin T3. `eof`: end of file, then TERM, then KILL, `grace` seconds apart; `term` begins with
        TERM; `kill` kills at once."""
        if child.exited:
            return
        if how == "kill":
            child.sweep = True
            self._ending(child)
            self._signal(child, signal.SIGKILL)
        elif not child.ending:
            if self.table.state(child.slot) != tables.FIRST or how == "term":
                child.sweep = True
            self._ending(child)
            self._close_requests(child)
            self._escalate(child, [signal.SIGTERM, signal.SIGKILL], at_once=how == "term")

    def _ending(self, child: Child) -> None:
        child.ending = True
        for slot in (child.slot, *child.sessions):
            self.table.set_state(slot, tables.ENDING)

    def reap(self) -> None:
        """Handle every child that has exited: sweep its group while its number is still held, then reap."""
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            child = self._by_pid.pop(found.si_pid, None)
            if child is not None and (child.sweep or self.table.persistent(child.slot)):
                self._signal(child, signal.SIGKILL)
            _, status, usage = os.wait4(found.si_pid, 0)
            if child is not None:
                self._reaped(child, status, usage.ru_utime + usage.ru_stime, usage.ru_maxrss)
            else:
                self.other_exited(found.si_pid, status)

    other_exited: Callable[[int, int], None] = staticmethod(lambda pid, status: None)
    others: Callable[[], Collection[int]] = staticmethod(lambda: ())  # children that are no instances

    def _reaped(self, child: Child, status: int, cpu: float, peak_kib: int) -> None:
        child.exited = True
        self._read_stderr(child)
        swept = child.sweep or self.table.persistent(child.slot)
        if swept:
            self._close_stderr(child)
        self.listen(child)
        facts = {
            "status": os.waitstatus_to_exitcode(status),
            "tail": list(child.tail),
            "cpu": cpu,
            "peak_kib": peak_kib,
        }
        self.by_id.pop(child.id, None)
        (self.warm_gone if child.warm else self.gone)(child, facts)
        self._close_requests(child)
        if child.output >= 0:
            os.close(child.output)
        places = (child.slot, *child.sessions)
        self._roll[child.slot] = 0
        if child.holder is None:
            self.slots.release(*places)
        else:
            self.slots.hold(child.holder, child.id, places)

    def _escalate(self, child: Child, signals: Sequence[signal.Signals], *, at_once: bool) -> None:
        if child.exited:
            return
        if not at_once:
            self.loop.later(child.grace, lambda: self._escalate(child, signals, at_once=True))
            return
        child.sweep = True
        self._signal(child, signals[0])
        if len(signals) > 1:
            self.loop.later(child.grace, lambda: self._escalate(child, signals[1:], at_once=True))

    def _signal(self, child: Child, number: signal.Signals) -> None:
        # The leader has not been reaped, so the number is still this group's.
        try:
            signal_group(child.pid, number)
        except PermissionError:
            self._log(
                "error",
                f"may not signal process group {child.pid}",
                pid=child.pid,
                host=child.about.get("host", ""),
            )

    def _close_requests(self, child: Child) -> None:
        if child.requests >= 0:
            os.close(child.requests)
            child.requests = -1

    def _read_stderr(self, child: Child) -> None:
        if child.stderr < 0:
            return
        try:
            data = os.read(child.stderr, _READ)
        except BlockingIOError:
            return
        if not data:
            self._close_stderr(child)
            return
        *lines, rest = (child.line + data).split(b"\n")
        if len(rest) > _LONGEST_LINE:
            lines, rest = [*lines, rest], b""
        child.line = rest
        for line in lines:
            self._stderr_line(child, line)

    def _stderr_line(self, child: Child, line: bytes) -> None:
        text = line.decode("utf-8", "replace").rstrip("\r")
        child.tail.append(text[:_LONGEST_LINE])
        self._log("error", text, pid=child.pid, host=child.about.get("host", ""))

    def _close_stderr(self, child: Child) -> None:
        if child.stderr >= 0:
            if child.line:
                self._stderr_line(child, child.line)
                child.line = b""
            if child.heard:
                self.loop.forget(child.stderr)
            os.close(child.stderr)
            child.stderr = -1


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
