"""The registry against a simple model, on a clock that is set: H4, H5, R4 to R7, T1, T2, L1."""

import asyncio
import os

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.errors import Busy
from gateway.keeper.reasons import Reason
from gateway.keeper.table import session_key
from gateway.sessions.handles import Use
from gateway.sessions.lifecycle import State
from gateway.sessions.session import Session
from tests.sessions.model import Model, Waiting, response, seconds_of
from tests.sessions.world import MOST, NAME, QUEUE, QUEUE_TIMEOUT, SLOTS, TIMEOUT, World

ALL_HANDLES = [b"h%d" % number for number in range(10)]
HANDLES = st.sampled_from(ALL_HANDLES)
PICK = st.integers(0, 999)
MOSTLY = st.sampled_from([True, True, True, False])
MINUTES = st.sampled_from([None, None, 1, 2, 0])


class Registry(RuleBasedStateMachine):
    """`living` by instance number; `ended` are instances that still wait to be reaped (kept ones: True)."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors = len(os.listdir("/proc/self/fd"))
        self.world = World()
        self.living: dict[int, Model] = {}
        self.ended: dict[int, bool] = {}
        self.retired: dict[bytes, Reason] = {}

    def teardown(self) -> None:
        for model in self.living.values():
            for waiting in model.queue:
                waiting.task.cancel()
        self.world.close()
        assert len(os.listdir("/proc/self/fd")) == self.descriptors

    # ---- the model

    def owner(self, handle: bytes) -> int | None:
        return next((number for number, model in self.living.items() if handle in model.accepted), None)

    def idle(self) -> list[int]:
        return [number for number, model in self.living.items() if model.idle]

    def busy(self) -> list[int]:
        return [number for number, model in self.living.items() if model.call is not None]

    def elsewhere(self) -> list[int]:
        return [number for number, model in self.living.items() if not model.here]

    def session(self, number: int) -> Session:
        (session,) = self.world.registry.sessions[number]
        return session

    def retire(self, handles: list[bytes], reason: Reason) -> None:
        self.retired |= dict.fromkeys(handles, reason)

    def over(self, number: int, reason: Reason, *, reaped: bool = False) -> None:
        model = self.living.pop(number)
        self.retire(model.accepted, reason)
        if not reaped:
            self.ended[number] = True
        for _, task, _ in model.queue:
            assert task.result() is None, "those who wait look again"

    def begin(self, number: int, handle: bytes, use: Use | None) -> None:
        model = self.living[number]
        self.retire(model.use(handle, use), Reason.REPLACED)
        model.call = self.world.later_call(self.session(number), handle)

    def rest(self, number: int, seconds: float) -> None:
        """The end of a call: the next who waits is served, else a recall is followed."""
        model = self.living[number]
        model.call, model.deadline = None, self.world.clock.now + seconds
        while model.queue:
            handle, task, _ = model.queue.pop(0)
            if handle in model.accepted:
                self.begin(number, handle, task.result())
                return
            assert task.result() is None, "R5: its handle was retired while it waited"
        if model.wanted:
            model.here = model.wanted = False

    def expire(self) -> None:
        for number in self.idle():
            if self.living[number].deadline <= self.world.clock.now:
                self.over(number, Reason.TIMED_OUT)

    # ---- requests

    @initialize()
    def one_lives(self) -> None:
        self.first(ALL_HANDLES[0], delivered=True, minutes=None)

    @rule(handle=HANDLES, delivered=MOSTLY, minutes=MINUTES)
    def newcomer(self, handle: bytes, *, delivered: bool, minutes: int | None) -> None:
        self.first(handle, delivered=delivered, minutes=minutes)

    def first(self, handle: bytes, *, delivered: bool, minutes: int | None) -> None:
        taken = self.owner(handle) is not None
        kept = len(self.living) + sum(self.ended.values())
        call = self.world.first_call()
        number = call.instance.id
        self.world.answer(call, response(handle, minutes), delivered=delivered)
        if taken or kept >= MOST or minutes == 0:
            self.ended[number] = False
            if not taken:  # the keeper, who counts those elsewhere too, is not asked when nothing is to be kept
                full = kept - (minutes == 0) * len(self.elsewhere()) >= MOST
                self.retire([handle], Reason.LIMIT if full else Reason.ENDED)
            return
        self.retired.pop(handle, None)
        self.living[number] = Model([handle], self.world.clock.now + seconds_of(minutes))
        if not delivered:
            self.over(number, Reason.ENDED)

    @precondition(lambda self: self.living)
    @rule(pick=PICK, late=st.sampled_from([False, False, False, True]))
    def knock(self, pick: int, *, late: bool) -> None:
        """A request by an accepted handle; `late`: its deadline passed before the timer could run."""
        handles = [(number, handle) for number, model in self.living.items() for handle in model.accepted]
        number, handle = handles[pick % len(handles)]
        model, registry = self.living[number], self.world.registry
        found = registry.store.find(NAME, handle)
        if not model.here:
            assert found is None
            return
        assert found is self.session(number)
        if not model.idle:
            self.queue_up(model, found, handle)
        elif late:
            self.world.clock.now = max(self.world.clock.now, model.deadline)
            assert registry.claim(found, handle) is None, "T2"
            self.time_passes(0)
        else:
            self.begin(number, handle, registry.claim(found, handle))

    def queue_up(self, model: Model, session: Session, handle: bytes) -> None:
        assert self.world.registry.claim(session, handle) is None, "R5: one request at a time"
        gone: asyncio.Future[None] = self.world.loop.create_future()
        task = self.world.loop.create_task(self.world.registry.wait(session, handle, gone))
        self.world.settle()
        if len(model.queue) + model.wanted >= QUEUE:
            assert isinstance(task.exception(), Busy)
        elif not model.wanted:
            model.queue.append(Waiting(handle, task, self.world.clock.now + QUEUE_TIMEOUT))
        else:  # behind a recall: it has to look again, at the other front
            task.cancel()

    @precondition(lambda self: self.busy())
    @rule(pick=PICK, handle=HANDLES, delivered=MOSTLY, minutes=MINUTES, own=st.booleans())
    def answer(self, pick: int, handle: bytes, *, delivered: bool, minutes: int | None, own: bool) -> None:
        number = self.busy()[pick % len(self.busy())]
        model = self.living[number]
        self.respond(number, model.accepted[pick % len(model.accepted)] if own else handle, delivered, minutes)

    @rule(visits=st.lists(st.tuples(PICK, HANDLES, MOSTLY), min_size=2, max_size=6))
    def whole_visits(self, visits: list[tuple[int, bytes, bool]]) -> None:
        for pick, handle, delivered in visits:
            busy = self.busy()
            if self.living:
                self.knock(pick, late=False)
            for number in set(self.busy()) - set(busy):
                self.respond(number, handle, delivered, None)

    def respond(self, number: int, handle: bytes, delivered: bool, minutes: int | None) -> None:
        model = self.living[number]
        taken = self.owner(handle) not in (None, number)
        assert model.call is not None
        self.world.answer(model.call, response(handle, minutes), delivered=delivered)
        if taken or minutes == 0:
            if self.owner(handle) is None:
                self.retire([handle], Reason.ENDED)
            self.over(number, Reason.ENDED)
            return
        if handle not in model.accepted:
            self.retired.pop(handle, None)
            self.retire(model.issue(handle, delivered=delivered), Reason.REPLACED)
        self.rest(number, seconds_of(minutes))

    # ---- ends

    @precondition(lambda self: self.busy())
    @rule(pick=PICK, dies=st.booleans())
    def ends_in_a_call(self, pick: int, *, dies: bool) -> None:
        number = self.busy()[pick % len(self.busy())]
        call = self.living[number].call
        assert call is not None
        if dies:
            self.world.die(call)
        else:
            self.world.answer(call, b"Content-Type: text/plain\n\nbye")
        self.over(number, Reason.CRASHED if dies else Reason.ENDED)

    @precondition(lambda self: self.idle())
    @rule(pick=PICK, status=st.sampled_from([0, 1, -9, None]))
    def ends_between_calls(self, pick: int, status: int | None) -> None:
        """It exits, or (None) writes when it is not asked."""
        number = self.idle()[pick % len(self.idle())]
        if status is not None:
            self.world.reap(number, status)
            self.over(number, Reason.CRASHED if status else Reason.ENDED, reaped=True)
            return
        self.world.processes[number].write(b"x")
        self.world.settle()
        self.over(number, Reason.PROTOCOL)
        assert self.world.processes[number].how == "kill"

    @precondition(lambda self: self.ended)
    @rule(pick=PICK)
    def reaped(self, pick: int) -> None:
        number = sorted(self.ended)[pick % len(self.ended)]
        assert self.world.processes[number].how is not None, "T3 has begun"
        self.world.reap(number, 0)
        del self.ended[number]

    @rule(seconds=st.sampled_from([0, 1, 1, 5, 20, QUEUE_TIMEOUT, 60, TIMEOUT]))
    def time_passes(self, seconds: float) -> None:
        self.world.tick(seconds)
        for model in self.living.values():
            while model.queue and model.queue[0].until <= self.world.clock.now:
                assert isinstance(model.queue.pop(0).task.exception(), Busy)
        self.expire()

    # ---- another front

    @precondition(lambda self: self.idle() or self.busy())
    @rule(pick=PICK)
    def recalled(self, pick: int) -> None:
        numbers = self.idle() + self.busy()
        number = numbers[pick % len(numbers)]
        model = self.living[number]
        if not model.wanted and not model.queue:
            self.world.recall(number)
            model.here, model.wanted = not model.idle, not model.idle

    @precondition(lambda self: self.elsewhere())
    @rule(pick=PICK)
    def granted(self, pick: int) -> None:
        number = self.elsewhere()[pick % len(self.elsewhere())]
        self.world.grant(number)
        self.living[number].here = True
        self.expire()

    # ---- what always holds

    @invariant()
    def handles_lead_where_the_model_says(self) -> None:
        store = self.world.registry.store
        for handle in ALL_HANDLES:
            key, number = session_key(*NAME, handle), self.owner(handle)
            found, entry = store.find(NAME, handle), store.retired.find(key)
            if number is None:
                assert (found, self.world.table.find(key)) == (None, None)
                assert (entry and entry.reason) == self.retired.get(handle)
            else:
                assert self.world.table.find(key) == number % SLOTS
                here = self.living[number].here
                assert (found and found.instance.id) == (number if here else None)
                assert entry is None or not here, "H4: an issued handle leaves the memory"

    @invariant()
    def a_handle_has_one_session(self) -> None:
        held = self.world.registry.sessions.values()
        handles = [handle for (session,) in held for handle in session.handles.accepted]
        assert len(handles) == len(set(handles))

    @invariant()
    def kept_instances_are_counted_until_they_are_reaped(self) -> None:
        here = [number for number, model in self.living.items() if model.here]
        assert self.world.registry.persistent == len(here) + sum(self.ended.values())
        assert set(self.world.registry.instances) == {*here, *self.ended}

    @invariant()
    def whoever_lives_is_owed_an_account_and_whoever_is_over_has_got_one(self) -> None:
        self.world.settle()
        held = [session for sessions in self.world.registry.sessions.values() for session in sessions]
        assert all(self.world.table.began(session.slot) for session in held)
        assert not any(self.world.table.began(number % SLOTS) for number in self.ended)
        assert self.world.accounts == self.world.registry.tally.ended

    @invariant()
    def every_idle_session_has_a_timer(self) -> None:
        for instance in self.world.registry.instances.values():
            if instance.state is State.IDLE:
                session = self.session(instance.id)
                assert session.deadline == self.living[instance.id].deadline
                due = self.world.armed(instance)
                assert due is not None and due <= session.deadline


TestRegistry = Registry.TestCase
TestRegistry.settings = settings(max_examples=40, stateful_step_count=50, deadline=None)
