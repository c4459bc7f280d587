"""The sessions of this front, handed out and put to rest. The one class that looks sessions up."""

import asyncio
import time

from gateway.errors import Busy
from gateway.keeper.reasons import Reason
from gateway.keeper.table import BUSY, ENDING
from gateway.program import Program
from gateway.sessions.call import Call
from gateway.sessions.decision import Outcome
from gateway.sessions.ends import crash, normal_end
from gateway.sessions.exchange import Fault, Verdict
from gateway.sessions.handle import is_valid
from gateway.sessions.handles import Use
from gateway.sessions.holdings import Holdings
from gateway.sessions.instance import NEWCOMER, RECALL, Instance
from gateway.sessions.lifecycle import Event, State
from gateway.sessions.queue import in_turn
from gateway.sessions.session import Session
from gateway.sessions.shared import MOST_WAITING, NO_SLOT, Ended

_UNKNOWN_TO_PROGRAM = (Outcome.LIMIT, Outcome.UNWANTED, Outcome.REFUSED)
HANDED_OUT = Use(stale=False, retry=False, retired=[])  # to a request without a session


class Registry(Holdings):
    """A session is handed out by `claim` or in its `wait`, judged by `renew`, and put to rest by `finish`."""

    # ---- a request comes

    def claim(self, session: Session, handle: bytes) -> Use | None:
        """Hand an idle session out, at once; None when it cannot be had (then `wait`)."""
        instance = session.instance
        if instance.state is not State.IDLE or instance.queue or instance.mute:
            return None
        if self.store.find(session.name, handle) is not session:  # it was retired while the request's body came
            return None
        if session.deadline <= time.monotonic():
            self._expired(session)
            return None
        return self._claim(session, handle)

    def enter(self, instance: Instance) -> bool:
        """Hand an idle shared instance out to a request without a session (S1)."""
        if instance.state is not State.IDLE or instance.queue or instance.mute:
            return False
        return self._hand_out(instance)

    async def wait(self, session: Session, handle: bytes, gone: "asyncio.Future[None]") -> Use | None:
        """Wait for a busy session (R5). None: look again, the handle may be retired. `gone`: the client has
        left. Raises Busy, ClientGone."""
        instance, program = session.instance, session.program
        if instance.shared is not None and not session.called:
            session.stood = time.monotonic()
            if session.deadline <= session.stood:
                self._expired(session)
                return None

        def claim() -> Use | None:
            known = self.store.find(session.name, handle) is session
            return self._claim(session, handle) if known else None

        use: Use | None = None
        try:
            use = await in_turn(
                instance, session.slot, claim, program, program.queue, gone, program.queue_timeout
            )
        finally:
            if use is None and instance.shared is not None:
                self._goes_on(session)
        return use

    def _goes_on(self, session: Session) -> None:
        """A request of a shared instance's session waits no more and was not served: if none is left, its clock
        goes on (T1)."""
        held = self.sessions.get(session.instance.id, ())
        if session in held and not session.called:
            session.deadline += time.monotonic() - session.stood
            self._write(session, session.deadline)
            self.clock.arm(session)

    async def wait_to_enter(
        self, instance: Instance, program: Program, gone: "asyncio.Future[None]", at_most: float
    ) -> Use | None:
        """As `wait`, for a request without a session and a shared instance that is busy (S5)."""

        def claim() -> Use | None:
            return HANDED_OUT if self._hand_out(instance) else None

        return await in_turn(instance, NEWCOMER, claim, program, MOST_WAITING, gone, at_most)

    def _claim(self, session: Session, handle: bytes) -> Use | None:
        if not self._hand_out(session.instance):
            return None
        session.requests += 1
        self.tally.requests += 1
        if session.instance.shared is not None:
            session.instance.shared.running = session.slot
        lost = session.handles.lost
        use = session.handles.use(handle)
        if lost and not session.handles.lost:  # the next front has to know it too
            self.store.replace(session, use.retired)
            self.store.publish(session)
        return use

    def _hand_out(self, instance: Instance) -> bool:
        if not instance.is_silent():
            self._end(instance, Fault(Reason.PROTOCOL, "HTS011 output between two calls (P5)", "kill"))
            return False
        instance.advance(Event.CLAIM)
        self.store.table.set_state(instance.slot, BUSY)
        return True

    # ---- a response asks (judged in judge.py)

    def renew(self, call: Call, handle: bytes, seconds: float, slot: int | None = None) -> None:
        """The response's handle is honoured: a session begins (in `slot`, None: its instance's), goes on, or
        gets a new handle (H5)."""
        call.exchange.honoured = True
        session = call.session
        if session is None:
            session = self._begin(call, handle, slot)
        elif handle not in session.handles.accepted:
            self.store.replace(session, session.handles.issue(handle))
        else:
            session.timeout = seconds
            return
        session.timeout = seconds
        self.store.add(session)
        self.store.publish(session)

    # ---- a response is over

    def whole(self, call: Call) -> None:
        """The last bytes are about to be handed over: should this front die meanwhile, the session rests."""
        call.verdict = call.exchange.verdict(call.instance.unread())
        if call.instance.shared is not None:
            self._heard(call.instance)
        if call.session is not None and call.verdict.keep:
            _count(call, call.session)
            self._write_rest(call.session)
        elif self._others(call) and self._lives_on(call, call.verdict):
            if call.session is not None:
                self.store.table.set_state(call.session.slot, ENDING)
            self._write_shared_rest(call.instance)

    def finish(self, call: Call, *, delivered: bool) -> None:
        """The one arrow back to idle, or the end. `delivered`: the client's connection has it whole."""
        instance, session = call.instance, call.session
        self.calls.discard(call)
        instance.call = None
        verdict = call.verdict or call.exchange.verdict(instance.unread())
        if session is not None:
            _count(call, session)
            if verdict.keep and not call.newcomer and instance.shared is None and self._goes_home(instance):
                if session.handles.issued:
                    self._settle(session, delivered=delivered)
                self._rest(instance, session)
                return
        others = self._others(call)
        if self.stopping and (verdict.keep or (others and verdict.fault is None)):
            fault: Fault | None = Fault(Reason.STOPPING, "HTS013 the gateway is stopping")
        elif verdict.keep and call.newcomer and not delivered:
            text = "HTS006 ended: the client left before it had the handle (R7)"
            fault = Fault(Reason.UNSEEN, text)
        else:
            fault = verdict.fault or normal_end(call, others=others)
        unheard = session is None and not others
        if unheard and verdict.fault is not None and call.exchange.head is not None:
            self._report(verdict.fault, call.program)
        if instance.shared is not None:
            self._heard(instance)
            instance.shared.running = -1
            instance.shared.answered += 1
        if fault is None and session is not None and instance.state is not State.GONE:
            self._settle(session, delivered=delivered)
            self._rest(instance, session)
        elif others and self._lives_on(call, verdict):
            if session is None:
                self._name_refused(call)
            elif fault is not None:
                self._leave(session, fault, told=not verdict.keep and _by_program(call))
            self._rest(instance, None)
        else:
            self._end(instance, fault or crash(instance))

    def _goes_home(self, instance: Instance) -> bool:
        return not self.stopping and instance.state is not State.GONE

    def _settle(self, session: Session, *, delivered: bool) -> None:
        """A response that may have issued a handle is over (H5, R7)."""
        if session.handles.issued:
            self.store.replace(session, session.handles.settle(delivered=delivered))
            self.store.publish(session)

    def _others(self, call: Call) -> bool:
        """Whether an instance has other sessions than that of its call (S2, S3)."""
        if call.instance.shared is None:
            return False
        return len(self.sessions.get(call.instance.id, ())) > (call.session is not None)

    def _lives_on(self, call: Call, verdict: Verdict) -> bool:
        """Whether a shared instance can live on, whatever becomes of the session of its call."""
        end = call.exchange.end
        clean = verdict.fault is None and end is not None and end.marked
        return clean and not self.stopping and call.instance.state is not State.GONE

    def _name_refused(self, call: Call) -> None:
        """The program may have kept something for a newcomer that is no session: it hears of that too (S4),
        unless the handle is another session's, or that of one that is named anyway."""
        instance, asked = call.instance, call.asked
        if asked is None or asked.outcome not in _UNKNOWN_TO_PROGRAM or not is_valid(asked.handle):
            return
        assert instance.shared is not None
        living = self.store.find(instance.shared.name, asked.handle)
        if living is None and not instance.shared.will_name(asked.handle):
            instance.shared.over(Ended(NO_SLOT, asked.handle))

    def _rest(self, instance: Instance, session: Session | None) -> None:
        """The instance is idle again; the clock of the session that was called begins (T1)."""
        instance.resume()
        instance.advance(Event.KEEP)
        if session is not None:
            self._write_rest(session)
            self.clock.arm(session)
        else:
            self._write_shared_rest(instance)
        while instance.queue and instance.state is State.IDLE:
            waiter = instance.queue.popleft()
            if not waiter.turn.done():
                waiter.turn.set_result(waiter.claim())
        if instance.state is State.IDLE and self.draining:
            self.give(instance)

    def _write_rest(self, session: Session) -> None:
        session.rested = session.stood = time.monotonic()
        session.deadline = session.rested + session.timeout
        self._write(session, session.deadline)
        if session.instance.shared is not None:
            self._write_shared_rest(session.instance)

    def _write_shared_rest(self, instance: Instance) -> None:
        assert instance.shared is not None
        self.store.table.rest(instance.slot, 0.0, 0.0, instance.shared.answered)

    def _heard(self, instance: Instance) -> None:
        """A call of a shared instance is over: the program knows whose sessions are over (S4)."""
        assert instance.shared is not None
        for slot in instance.shared.heard():
            self.link.tell("leave", id=instance.id, slot=slot)

    # ---- the gateway stops

    def stop(self) -> None:
        """No session is handed out any more: those who wait get 503, idle sessions end (T5, HTS013)."""
        self.stopping = True
        for instance in list(self.instances.values()):
            for waiter in instance.queue:
                if waiter.slot != RECALL and not waiter.turn.done():
                    waiter.turn.set_exception(Busy("HTS013 the gateway is stopping"))
            if instance.state is State.IDLE:
                self._end(instance, Fault(Reason.STOPPING, "HTS013 the gateway is stopping"))


def _count(call: Call, session: Session) -> None:
    """Its session gets what the call has come to since this was asked last."""
    now = time.monotonic()
    session.busy += now - call.counted
    session.bytes_in += call.bytes_in
    session.bytes_out += call.bytes_out
    call.counted, call.bytes_in, call.bytes_out = now, 0, 0


def _by_program(call: Call) -> bool:
    """Whether the program itself has ended the session of its call: it did not ask, or for no time."""
    return call.asked is not None and call.asked.outcome not in _UNKNOWN_TO_PROGRAM
