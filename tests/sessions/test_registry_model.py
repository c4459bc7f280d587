"""The registry against a simple model, on a clock that is set: H4, H5, R4 to R7, T1, T2, L1."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from gateway.errors import Busy
from gateway.keeper.reasons import Reason
from gateway.sessions.exchange import Fault
from gateway.sessions.session import Session
from tests.sessions.model import EXAMPLES, Model, Waiting, response, seconds_of
from tests.sessions.registry_machine import ALL_HANDLES, RegistryMachine
from tests.sessions.world import MOST, NAME, QUEUE, QUEUE_TIMEOUT, TIMEOUT

HANDLES = st.sampled_from(ALL_HANDLES)
PICK = st.integers(0, 999)
MOSTLY = st.sampled_from([True, True, True, False])
MINUTES = st.sampled_from([None, None, 1, 2, 0])


class Registry(RegistryMachine):
    """What can happen to sessions of instances of their own."""

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
        self.living[number].here = not self.draining
        if not delivered:
            self.over(number, Reason.UNSEEN)

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

    @precondition(lambda self: self.idle())
    @rule(pick=PICK)
    def ended_by_the_administrator(self, pick: int) -> None:
        number = self.idle()[pick % len(self.idle())]
        self.world.registry.end_session(self.session(number), Fault(Reason.ENDED, "HTS006 ended by hand"))
        self.world.settle()
        self.over(number, Reason.ENDED)

    @precondition(lambda self: self.idle())
    @rule(pick=PICK, seconds=st.sampled_from([1, 60, 2 * TIMEOUT]))
    def prolonged(self, pick: int, seconds: float) -> None:
        """`gateway extend`, or the button of PersistentCGIWarning."""
        number = self.idle()[pick % len(self.idle())]
        self.world.registry.prolong(self.session(number), seconds)
        self.living[number].deadline = self.world.clock.now + seconds

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

    @precondition(lambda self: self.elsewhere() and not self.draining)
    @rule(pick=PICK)
    def granted(self, pick: int) -> None:
        number = self.elsewhere()[pick % len(self.elsewhere())]
        self.world.grant(number)
        self.living[number].here = True
        self.expire()

    @precondition(lambda self: not self.draining)
    @rule()
    def reloaded(self) -> None:
        self.draining = True
        for number in self.idle():
            self.living[number].here = False
        self.world.reload()

    @precondition(lambda self: self.draining)
    @rule()
    def the_next_front_serves(self) -> None:
        self.draining = False
        self.world.serve_again()


TestRegistry = Registry.TestCase
TestRegistry.settings = settings(max_examples=EXAMPLES, stateful_step_count=50)
