"""What this front holds: instances and their sessions, begun, moved to and from other fronts, ended."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from gateway.keeper.reasons import NORMAL, Reason
from gateway.keeper.table import ENDING, Table
from gateway.logs.error import ErrorLog
from gateway.measure.measures import Measures
from gateway.program import Name, Program
from gateway.sessions.call import Call
from gateway.sessions.clocks import CallClock, SessionClock
from gateway.sessions.departed import BOUND, has_departed
from gateway.sessions.ends import crash
from gateway.sessions.exchange import Fault
from gateway.sessions.handle import mask
from gateway.sessions.handles import Handles
from gateway.sessions.instance import RECALL, Instance
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.lifecycle import Event, State
from gateway.sessions.quotas import Quotas
from gateway.sessions.session import Session
from gateway.sessions.shared import Ended
from gateway.sessions.store import Store
from gateway.sessions.tally import Tally


class ServerLimits(NamedTuple):
    """MaxPersistentCGI and MaxCGIJobs."""

    persistent: int
    jobs: int


class Holdings:
    """`sessions` of an instance, more than one only of a shared one; `shared`: the living shared instances by
    name. `overlap`: more than one front serves, the keeper grants handles. `draining`: another front takes
    over, sessions are given to it when they come to rest. `stopping`: they end."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        link: KeeperLink,
        table: Table,
        log: ErrorLog,
        limits: ServerLimits,
    ) -> None:
        self.loop, self.link, self.limits = loop, link, limits
        self.store = Store(table)
        self.instances: dict[int, Instance] = {}
        self.sessions: dict[int, set[Session]] = {}  # by instance
        self.shared: dict[Name, Instance] = {}
        self.calls = CallClock(loop)
        self.clock = SessionClock(loop, self._expired)
        self.persistent = 0
        self.quotas = Quotas(table)
        self.tally = Tally()
        self.measures: Measures | None = None
        self.overlap = self.draining = self.stopping = False
        self.on_gone: Callable[[Instance], None] = lambda instance: None
        self._log = log

    @property
    def waiting(self) -> int:
        """Requests that wait for a session."""
        return sum(len(instance.queue) for instance in self.instances.values())

    # ---- a session begins

    def _begin(self, call: Call, handle: bytes, slot: int | None) -> Session:
        program, instance = call.program, call.instance
        handles = Handles([handle], program.previous_handles)
        session = Session(program.name, handles, instance, program, instance.slot if slot is None else slot)
        call.session = session
        self.sessions.setdefault(instance.id, set()).add(session)
        if instance.shared is not None:
            instance.shared.running = session.slot
        session.user, session.bind, session.holders = call.user, call.guest.bind, call.guest.holders
        self.tally.begins(session, call.began)
        self.quotas.hold(instance.id, session.holders)
        self.store.table.begin(session.slot, call.user, session.began, session.bind, session.holders)
        if not instance.persistent:
            self._persist(instance)
        if call.path_info:
            self.visit(session, call.path_info)
        return session

    def _persist(self, instance: Instance) -> None:
        instance.persistent = instance.framed = True
        self.persistent += 1
        self.store.table.set_persistent(instance.slot)
        if instance.shared is not None:
            self.store.publish_shared(instance.slot, instance.shared.name)

    def visit(self, session: Session, rest: bytes) -> None:
        """A request's URL has this behind the handle, that of a first one behind the cgi-name."""
        session.last = rest
        self.store.table.set_last(session.slot, rest)

    # ---- another front's

    def recall(self, instance: Instance) -> None:
        """Give an instance, in its turn (R5)."""
        if instance.state is State.IDLE and not instance.queue:
            self.give(instance)
        else:
            instance.enqueue(RECALL, lambda: self._given(instance))

    def _given(self, instance: Instance) -> None:
        self.give(instance)

    def give(self, instance: Instance) -> None:
        """Let go of an idle instance; those who still wait for it look again (and borrow it)."""
        instance.advance(Event.GIVE)
        if instance.shared is not None and instance.queue:
            self._bear_waiting(instance)
        for session in self._forget(instance):
            self.store.remove(session, None)
        del self.instances[instance.id]
        self.persistent -= 1
        self.quotas.free(instance.id)
        self._dismiss(instance)
        self.link.tell("give", id=instance.id)

    def _bear_waiting(self, instance: Instance) -> None:
        """The clocks of sessions whose requests wait stand here, and run in the next front at once: they get
        the time in which these requests come there (T1)."""
        waiting, now = {waiter.slot for waiter in instance.queue}, time.monotonic()
        for session in self.sessions[instance.id]:
            if session.slot in waiting:
                rest = session.deadline - session.stood
                deadline = now + max(rest, session.program.queue_timeout)
                self._write(session, deadline)

    def _write(self, session: Session, deadline: float) -> None:
        """The session's counters, into the shared table: they outlive this process."""
        self.store.table.rest(
            session.slot,
            deadline,
            session.timeout,
            session.requests,
            session.bytes_in,
            session.bytes_out,
            session.busy,
            session.rested,
        )

    def adopt(self, instance: Instance, sessions: set[Session]) -> None:
        """This front holds the instance from now on; it has just been granted."""
        instance.advance(Event.GRANT)
        instance.persistent = instance.framed = True
        self.instances[instance.id], self.sessions[instance.id] = instance, sessions
        if instance.shared is not None:
            self.shared[instance.shared.name] = instance
        self.persistent += 1
        for session in sessions:
            self.store.add(session)
            self.clock.arm(session)
            self.quotas.hold(instance.id, session.holders)

    def abandon(self, instance: Instance, log: str, host: str) -> None:
        """End an instance that was granted and cannot be used."""
        self._log("info", log, host=host)
        instance.advance(Event.GRANT)
        self.instances[instance.id] = instance
        self._end(instance, Fault(Reason.ENDED, log))

    # ---- the end of an instance

    def _expired(self, session: Session) -> None:
        text = f"HTS002 timed out after {session.timeout:g} s"
        self.end_session(session, Fault(Reason.TIMED_OUT, text), Event.EXPIRE)

    def end_session(self, session: Session, fault: Fault, event: Event = Event.END) -> None:
        """End a session of which no request runs; others of its instance go on."""
        instance = session.instance
        if instance.shared is None:
            self._end(instance, fault, event)
            return
        self._leave(session, fault, told=False)
        if not self.sessions[instance.id] and instance.state is State.IDLE:
            self._end(instance, fault, event)

    def prolong(self, session: Session, seconds: float) -> None:
        """A session that nobody calls lives so long from now on."""
        session.deadline = time.monotonic() + seconds
        self._write(session, session.deadline)
        self.clock.arm(session)

    def _leave(self, session: Session, fault: Fault, *, told: bool) -> None:
        """One session of a shared instance is over; `told`: the program knows (S2, S4)."""
        instance, slot = session.instance, session.slot
        assert instance.shared is not None
        self.sessions[instance.id].remove(session)
        self.quotas.leave(instance.id, session.holders)
        self.clock.disarm(session)
        self.store.remove(session, fault.reason)
        self._tell_over(session, fault, last=False)
        self._report(fault, session.program, session.handles.current)
        if told:
            self.link.tell("leave", id=instance.id, slot=slot)
        else:
            self.store.table.set_state(slot, ENDING)
            instance.shared.over(Ended(slot, session.handles.current))

    def _tell_over(self, session: Session, fault: Fault, *, last: bool) -> None:
        """A session is over, and (`last`) its instance with it: the keeper writes that down."""
        ending = self.tally.over(session, fault)._asdict()
        self.link.tell("account", id=session.instance.id, slot=session.slot, last=last, ending=ending)

    def _forget(self, instance: Instance) -> set[Session]:
        """Its sessions, of which nothing will be heard here any more."""
        sessions = self.sessions.pop(instance.id, set())
        for session in sessions:
            self.clock.disarm(session)
        if instance.shared is not None and self.shared.get(instance.shared.name) is instance:
            del self.shared[instance.shared.name]
        return sessions

    def _end(self, instance: Instance, fault: Fault, event: Event = Event.END) -> None:
        sessions = self._forget(instance)
        for session in sessions:
            self.store.remove(session, fault.reason)
        if instance.state is State.GONE:
            self.link.done(instance.id)
        for session in sessions:
            self._tell_over(session, fault, last=True)
        if len(sessions) == 1:
            self._report(fault, session.program, session.handles.current)
        elif sessions:  # S5
            self._report(fault._replace(log=f"{fault.log}, with {len(sessions)} sessions"), session.program)
        if instance.state is not State.GONE:
            instance.advance(event)
            self.link.tell("end", id=instance.id, how=fault.how)
        self._dismiss(instance)

    def _dismiss(self, instance: Instance) -> None:
        instance.close()
        while instance.queue:
            waiter = instance.queue.popleft()
            if not waiter.turn.done():
                waiter.turn.set_result(None)

    def heard_idle(self, instance: Instance, eof: bool) -> None:
        """Output, or its end, between two calls (P5)."""
        if not eof:
            self._end(instance, Fault(Reason.PROTOCOL, "HTS011 output between two calls (P5)", "kill"))
            return
        instance.mute = True
        instance.pause()
        self.loop.call_later(BOUND, self._mute_too_long, instance)

    def _mute_too_long(self, instance: Instance) -> None:
        if instance.state is not State.IDLE:
            return
        if has_departed(instance.pid):
            self.loop.call_later(BOUND, self._mute_too_long, instance)
        else:
            self._end(instance, Fault(Reason.CRASHED, "HTS007 closed its output while it should persist"))

    def gone(self, instance: Instance) -> None:
        """The keeper has reaped an instance; its `exited` facts are set."""
        was = instance.state
        instance.advance(Event.EXITED)
        del self.instances[instance.id]
        if instance.persistent:
            self.persistent -= 1
            self.quotas.free(instance.id)
        if was is State.IDLE:
            self._end(instance, crash(instance))
        elif was is State.ENDING:
            self.link.done(instance.id)
        self.on_gone(instance)

    def _report(self, fault: Fault, program: Program, handle: bytes | None = None) -> None:
        level = "info" if fault.reason in NORMAL else "error"
        self.say(level, fault.log, program, handle)

    def say(self, level: str, text: str, program: Program, handle: bytes | None) -> None:
        """Log a message about a program, the handle of its session masked (W3)."""
        shown = "" if handle is None else f" {mask(handle)}"
        self._log(level, f"{text}: {program.text}{shown}", host=program.name[0])
