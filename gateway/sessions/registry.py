"""The sessions of this front: handed out, put to rest, ended. The one class that looks sessions up."""

import asyncio
import time
from collections.abc import Callable
from typing import NamedTuple

from gateway.errors import Busy, ClientGone
from gateway.keeper.reasons import Reason
from gateway.keeper.table import BUSY, Table
from gateway.logs.error import ErrorLog
from gateway.program import Program
from gateway.sessions.call import Call
from gateway.sessions.clocks import CallClock, SessionClock
from gateway.sessions.ends import crash, normal_end
from gateway.sessions.exchange import Fault
from gateway.sessions.handle import mask
from gateway.sessions.handles import Handles, Use
from gateway.sessions.instance import Instance, Waiter
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.lifecycle import Event, State
from gateway.sessions.session import Session
from gateway.sessions.store import Store

MUTE_BOUND = 0.5  # seconds between the end of file of an idle instance and the news of its exit


class ServerLimits(NamedTuple):
    """MaxPersistentCGI and MaxCGIJobs."""

    persistent: int
    jobs: int


class Registry:
    """`overlap`: more than one front serves, the keeper grants handles. `draining`: another front takes over,
    sessions are given to it when they come to rest. `stopping`: they end."""

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
        self.sessions: dict[int, Session] = {}  # by instance
        self.calls = CallClock(loop)
        self.clock = SessionClock(loop, self._expired)
        self.persistent = 0
        self.overlap = self.draining = self.stopping = False
        self.on_gone: Callable[[Instance], None] = lambda instance: None
        self._log = log

    # ---- a request comes

    def claim(self, session: Session, handle: bytes) -> Use | None:
        """Hand an idle session out, at once; None when it cannot be had (then `wait`)."""
        instance = session.instance
        if instance.state is not State.IDLE or instance.queue or instance.mute:
            return None
        if handle not in session.handles.accepted:  # it was retired while the request's body came
            return None
        return self._claim(session, handle)

    async def wait(self, session: Session, handle: bytes, gone: "asyncio.Future[None]") -> Use | None:
        """Wait for a busy session (R5). None: look again, the handle may be retired. `gone`: the client has
        left. Raises Busy, ClientGone."""
        instance, program = session.instance, session.program
        if len(instance.queue) >= program.queue:
            raise Busy(f"{program.text}: the queue is full", retry_after=5)
        waiter = Waiter(handle, self.loop.create_future())
        instance.queue.append(waiter)
        try:
            done, _ = await asyncio.wait(
                (waiter.turn, gone), timeout=program.queue_timeout, return_when=asyncio.FIRST_COMPLETED
            )
            if waiter.turn in done:
                return waiter.turn.result()
            if gone in done:
                raise ClientGone
            raise Busy(f"{program.text}: waited {program.queue_timeout:g} s", retry_after=program.queue_timeout)
        finally:
            if waiter in instance.queue:
                instance.queue.remove(waiter)

    def _claim(self, session: Session, handle: bytes) -> Use | None:
        instance = session.instance
        if session.deadline <= time.monotonic():
            self._expired(session)
            return None
        if not instance.is_silent():
            self._end(instance, Fault(Reason.PROTOCOL, "HTS011 output between two calls (P5)", "kill"))
            return None
        instance.advance(Event.CLAIM)
        self.store.table.set_state(instance.slot, BUSY)
        session.requests += 1
        use = session.handles.use(handle)
        if use.retired:
            self.store.replace(session, use.retired)
            self.store.publish(session)
        return use

    # ---- a response asks (judged in judge.py)

    def renew(self, call: Call, handle: bytes, seconds: float) -> None:
        """The response's handle is honoured: a session begins, goes on, or gets a new handle (H5)."""
        call.exchange.honoured = True
        session = call.session
        if session is None:
            session = self._begin(call, handle)
        elif handle not in session.handles.accepted:
            self.store.replace(session, session.handles.issue(handle))
        else:
            session.timeout = seconds
            return
        session.timeout = seconds
        self.store.add(session)
        self.store.publish(session)

    def _begin(self, call: Call, handle: bytes) -> Session:
        program, instance = call.program, call.instance
        session = Session(program.name, Handles([handle], program.previous_handles), instance, program)
        call.session = self.sessions[instance.id] = session
        session.user = call.user
        self.store.table.set_owner(instance.slot, call.user)
        instance.persistent = True
        self.persistent += 1
        self.store.table.set_persistent(instance.slot)
        return session

    # ---- a response is over

    def whole(self, call: Call) -> None:
        """The last bytes are about to be handed over: should this front die meanwhile, the session rests."""
        call.verdict = call.exchange.verdict(call.instance.unread())
        if call.session is not None and call.verdict.keep:
            self._write_rest(call.session)

    def finish(self, call: Call, *, delivered: bool) -> None:
        """The one arrow back to idle, or the end. `delivered`: the client's connection has it whole."""
        instance, session = call.instance, call.session
        self.calls.discard(call)
        instance.call = None
        verdict = call.verdict or call.exchange.verdict(instance.unread())
        if verdict.keep and call.exchange.first and not delivered:
            text = "HTS006 ended: the client left before it had the handle (R7)"
            fault: Fault | None = Fault(Reason.ENDED, text)
        elif verdict.keep and self.stopping:
            fault = Fault(Reason.ENDED, "HTS013 the gateway is stopping")
        else:
            fault = verdict.fault or normal_end(call)
        if session is None and verdict.fault is not None and call.exchange.head is not None:
            self._report(verdict.fault, call.program)
        if fault is None and session is not None and instance.state is not State.GONE:
            self._rest(session, delivered=delivered)
        else:
            self._end(instance, fault or crash(instance))

    def _rest(self, session: Session, *, delivered: bool) -> None:
        instance = session.instance
        if session.handles.issued:
            self.store.replace(session, session.handles.settle(delivered=delivered))
            self.store.publish(session)
        instance.resume()
        instance.advance(Event.KEEP)
        self._write_rest(session)
        self.clock.arm(session)
        if instance.queue:
            self._serve_queue(session)
        if instance.state is State.IDLE and self.draining:
            self.give(session)

    def _write_rest(self, session: Session) -> None:
        session.deadline = time.monotonic() + session.timeout
        self.store.table.rest(session.instance.slot, session.deadline, session.timeout, session.requests)

    def _serve_queue(self, session: Session) -> None:
        """An idle session goes to the first who waits and whose handle is still accepted."""
        instance = session.instance
        while instance.queue and instance.state is State.IDLE:
            waiter = instance.queue.popleft()
            if waiter.turn.done():
                continue
            if waiter.handle is None:
                self.give(session)
                return
            known = self.store.find(session.name, waiter.handle) is session
            waiter.turn.set_result(self._claim(session, waiter.handle) if known else None)

    # ---- another front's

    def give(self, session: Session) -> None:
        """Let go of an idle session; those who still wait for it look again (and borrow it)."""
        instance = session.instance
        instance.advance(Event.GIVE)
        self.clock.disarm(session)
        self.store.remove(session, None)
        del self.instances[instance.id], self.sessions[instance.id]
        self.persistent -= 1
        self._dismiss(instance)
        self.link.tell("give", id=instance.id)

    def adopt(self, session: Session) -> None:
        """This front holds the session from now on; its instance has just been granted."""
        instance = session.instance
        instance.advance(Event.GRANT)
        instance.persistent = True
        self.instances[instance.id], self.sessions[instance.id] = instance, session
        self.persistent += 1
        self.store.add(session)
        self.clock.arm(session)

    def abandon(self, instance: Instance, log: str, host: str) -> None:
        """End an instance that was granted and cannot be used."""
        self._log("info", log, host=host)
        instance.advance(Event.GRANT)
        self.instances[instance.id] = instance
        self._end(instance, Fault(Reason.ENDED, log))

    # ---- the end of an instance

    def stop(self) -> None:
        """No session is handed out any more: those who wait get 503, idle sessions end (T5, HTS013)."""
        self.stopping = True
        for instance in list(self.instances.values()):
            for waiter in instance.queue:
                if waiter.handle is not None and not waiter.turn.done():
                    waiter.turn.set_exception(Busy("HTS013 the gateway is stopping"))
            if instance.state is State.IDLE:
                self._end(instance, Fault(Reason.ENDED, "HTS013 the gateway is stopping"))

    def _expired(self, session: Session) -> None:
        fault = Fault(Reason.TIMED_OUT, f"HTS002 timed out after {session.timeout:g} s")
        self._end(session.instance, fault, Event.EXPIRE)

    def _end(self, instance: Instance, fault: Fault, event: Event = Event.END) -> None:
        session = self.sessions.pop(instance.id, None)
        if session is not None:
            self.clock.disarm(session)
            self.store.remove(session, fault.reason)
            self._report(fault, session.program, session.handles.current)
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
        self.loop.call_later(MUTE_BOUND, self._mute_too_long, instance)

    def _mute_too_long(self, instance: Instance) -> None:
        if instance.state is State.IDLE:
            self._end(instance, Fault(Reason.CRASHED, "HTS007 closed its output while it should persist"))

    def gone(self, instance: Instance) -> None:
        """The keeper has reaped an instance; its `exited` facts are set."""
        was = instance.state
        instance.advance(Event.EXITED)
        del self.instances[instance.id]
        if instance.persistent:
            self.persistent -= 1
        if was is State.IDLE:
            self._end(instance, crash(instance))
        self.on_gone(instance)

    def _report(self, fault: Fault, program: Program, handle: bytes | None = None) -> None:
        level = "info" if fault.reason in (Reason.TIMED_OUT, Reason.ENDED) else "error"
        self.say(level, fault.log, program, handle)

    def say(self, level: str, text: str, program: Program, handle: bytes | None) -> None:
        """Log a message about a program, the handle of its session masked (W3)."""
        shown = "" if handle is None else f" {mask(handle)}"
        self._log(level, f"{text}: {program.text}{shown}", host=program.name[0])
