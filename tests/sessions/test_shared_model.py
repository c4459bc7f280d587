"""The registry with a shared instance against a simple model, on a clock that is set: S1-S5, T1, T2, R4-R7."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, precondition, rule

from gateway.errors import Busy, ClientGone
from gateway.keeper.reasons import Reason
from gateway.sessions.lifecycle import State
from gateway.sessions.session import Session
from tests.sessions.faces import Face, Running, Waiter
from tests.sessions.model import EXAMPLES, response, seconds_of
from tests.sessions.shared_machine import ALL_HANDLES, SharedMachine
from tests.sessions.world import MOST, MOST_SESSIONS, NAME, QUEUE, QUEUE_TIMEOUT, TIMEOUT

HANDLES = st.sampled_from(ALL_HANDLES)
PICK = st.integers(0, 999)
MOSTLY = st.sampled_from([True, True, True, False])
MINUTES = st.sampled_from([None, None, None, None, 1, 2, 0])
RARELY = st.sampled_from([False, False, False, False, False, True])
USERS = st.sampled_from([None, b"ada"])


class SharedInstance(SharedMachine):
    """What can happen to a shared instance and its sessions."""

    # ---- requests

    @initialize()
    def two_live(self) -> None:
        for handle in ALL_HANDLES[:2]:
            self.newcomer(None, head_only=False)
            self.the_head_comes(0, handle, minutes=None, own=False)
            self.the_end_comes(delivered=True)

    @rule(user=USERS, head_only=st.sampled_from([False, False, False, True]))
    def newcomer(self, user: bytes | None, *, head_only: bool) -> None:
        gone: asyncio.Future[None] = self.world.loop.create_future()
        busy = self.is_busy()
        task = self.world.newcomer(gone)
        waiter = Waiter(None, b"", task, gone, self.now + QUEUE_TIMEOUT)
        if self.shared is not None and not self.shared.here:
            self.shared.borrowing.append(waiter)
        elif busy:
            self.wait(waiter)
        else:
            self.enter(task, user, head_only=head_only)

    def wait(self, waiter: Waiter) -> None:
        assert not waiter.task.done(), "S5: one request at a time"
        shared, face = self.living, waiter.face
        if face is not None and not shared.called(face):
            face.stood = self.now
        (shared.queue if shared.behind is None else shared.behind).append(waiter)

    @precondition(lambda self: self.shared is not None and self.shared.faces)
    @rule(pick=PICK)
    def knock(self, pick: int) -> None:
        handles = [(face, handle) for face in self.living.faces for handle in face.accepted]
        face, handle = handles[pick % len(handles)]
        found = self.world.registry.store.find(NAME, handle)
        if not self.living.here:
            assert found is None
            return
        assert found is not None
        self.call(found, face, handle)

    @precondition(lambda self: self.shared is not None and self.shared.here and self.shared.faces)
    @rule(pick=PICK)
    def knock_with_a_body(self, pick: int) -> None:
        handles = [(face, handle) for face in self.living.faces for handle in face.accepted]
        face, handle = handles[pick % len(handles)]
        found = self.world.registry.store.find(NAME, handle)
        assert found is not None
        self.taking.append((found, face, handle))

    @precondition(lambda self: self.taking)
    @rule(pick=PICK)
    def the_body_has_come(self, pick: int) -> None:
        session, face, handle = self.taking.pop(pick % len(self.taking))
        if self.world.registry.store.find(NAME, handle) is session:
            self.call(session, face, handle)
        else:
            assert self.world.registry.claim(session, handle) is None, "R4: it is over, or another front's"

    def call(self, session: Session, face: Face, handle: bytes) -> None:
        registry, shared = self.world.registry, self.living
        use = registry.claim(session, handle)
        if shared.running is None:
            self.begin(face, handle, use)
            return
        assert use is None, "R5: one request at a time"
        gone: asyncio.Future[None] = self.world.loop.create_future()
        task = self.world.loop.create_task(registry.wait(session, handle, gone))
        full = sum(waiter.face is face for waiter in shared.waiters) >= QUEUE
        self.world.settle()
        if full:
            assert isinstance(task.exception(), Busy)
        else:
            self.wait(Waiter(face, handle, task, gone, self.now + QUEUE_TIMEOUT))

    @precondition(lambda self: self.shared is not None and self.shared.waiters)
    @rule(pick=PICK)
    def a_waiting_client_leaves(self, pick: int) -> None:
        waiter = self.living.waiters[pick % len(self.living.waiters)]
        waiter.gone.cancel()
        self.world.settle()
        assert isinstance(waiter.task.exception(), ClientGone)
        self.gives_up(waiter)

    def gives_up(self, waiter: Waiter) -> None:
        queue = self.living.queue if waiter in self.living.queue else self.living.behind
        assert queue is not None
        queue.remove(waiter)
        self.goes_on(waiter.face)

    # ---- answers

    @precondition(lambda self: self.is_busy() and not self.living.running.headed)
    @rule(pick=PICK, handle=HANDLES, minutes=MINUTES, own=st.booleans())
    def the_head_comes(self, pick: int, handle: bytes, *, minutes: int | None, own: bool) -> None:
        running = self.living.running
        assert running is not None
        if own and running.face is not None:
            handle = running.face.accepted[pick % len(running.face.accepted)]
        self.world.begin_answer(running.call, response(handle, minutes))
        running.headed, running.seconds = True, seconds_of(minutes)
        owner = self.owner(handle)
        if running.face is None:
            self.newcomers_head(running, handle, minutes)
        elif owner is running.face:
            running.keeps = minutes != 0
        elif owner is not None:
            running.told = False  # the program does not know that it was refused
        elif minutes == 0:
            self.retire([handle], Reason.ENDED)
        else:
            self.retired.pop(handle, None)
            self.retire(running.face.head(handle), Reason.REPLACED)
            running.keeps = running.fresh = True

    def newcomers_head(self, running: Running, handle: bytes, minutes: int | None) -> None:
        shared, taken = self.living, self.owner(handle) is not None
        full = len(shared.faces) >= MOST_SESSIONS if shared.persistent else self.kept() >= MOST
        if running.head_only or taken or full:
            running.refused = handle
            if not running.head_only and not taken:
                self.retire([handle], Reason.LIMIT)
        elif minutes == 0:
            self.retire([handle], Reason.ENDED)
        else:
            self.retired.pop(handle, None)
            running.face = Face([handle], 0.0, user=running.user)
            shared.faces.append(running.face)
            running.keeps = shared.persistent = True

    @precondition(lambda self: self.is_busy() and not self.living.running.headed)
    @rule(ends=st.booleans())
    def the_head_of_a_page_without_a_handle_comes(self, *, ends: bool) -> None:
        running = self.living.running
        assert running is not None
        if not ends:
            return
        self.world.begin_answer(running.call, b"Content-Type: text/plain\n\nbye")
        running.headed = True

    @precondition(lambda self: self.is_busy() and self.living.running.headed)
    @rule(delivered=MOSTLY)
    def the_end_comes(self, *, delivered: bool) -> None:
        shared, running = self.living, self.living.running
        assert running is not None
        delivered = delivered and not running.head_only
        self.world.end_answer(running.call, delivered=delivered)
        face, seconds = running.face, running.seconds
        reason = Reason.ENDED
        if running.newcomer and running.keeps and not delivered:
            running.keeps, running.told, reason = False, False, Reason.UNSEEN
        others = len(shared.faces) > (face is not None)
        if running.keeps:
            assert face is not None
            if running.fresh:
                self.retire(face.settle(delivered=delivered), Reason.REPLACED)
            self.rest(face, seconds)
        elif not others:
            self.over(reason)
        else:
            if face is not None:
                self.leaves(face, reason, told=running.told)
            elif (
                running.refused is not None
                and self.owner(running.refused) is None
                and running.refused not in shared.untold  # its owner timed out meanwhile
            ):
                shared.refused.append(running.refused)
            self.rest(None, 0.0)

    @precondition(lambda self: self.shared is None or (self.shared.here and not self.shared.running))
    @rule(pick=PICK, visits=st.lists(st.tuples(PICK, HANDLES, st.booleans(), MOSTLY), min_size=2, max_size=6))
    def whole_visits(self, pick: int, visits: list[tuple[int, bytes, bool, bool]]) -> None:
        for number, handle, new, delivered in visits:
            if new or self.shared is None:
                self.newcomer(None, head_only=False)
            else:
                self.knock(number)
            self.the_head_comes(pick, handle, minutes=None, own=False)
            self.the_end_comes(delivered=delivered)

    # ---- ends

    @precondition(lambda self: self.is_busy())
    @rule(dies=RARELY)
    def dies_in_a_call(self, *, dies: bool) -> None:
        running = self.living.running
        assert running is not None
        if not dies:
            return
        self.world.die(running.call)
        self.over(Reason.ENDED if running.headed else Reason.CRASHED)

    @precondition(lambda self: self.is_idle())
    @rule(status=st.sampled_from([0, 1, -9, None]), ends=RARELY)
    def ends_between_calls(self, status: int | None, *, ends: bool) -> None:
        """It exits, or (None) writes when it is not asked."""
        number = self.living.number
        if not ends:
            return
        if status is not None:
            self.world.reap(number, status)
            self.over(Reason.CRASHED if status else Reason.ENDED, reaped=True)
            return
        self.world.processes[number].write(b"x")
        self.world.settle()
        self.over(Reason.PROTOCOL)
        assert self.world.processes[number].how == "kill"

    @precondition(lambda self: self.is_idle())
    @rule(breaks=RARELY)
    def a_newcomer_finds_it_broken(self, *, breaks: bool) -> None:
        """It has written when it was not asked, and nobody has seen that yet: another one is started."""
        if not breaks:
            return
        self.world.processes[self.living.number].write(b"x")
        gone: asyncio.Future[None] = self.world.loop.create_future()
        task = self.world.newcomer(gone)
        self.over(Reason.PROTOCOL)
        self.enter(task, None, head_only=False)

    @precondition(lambda self: self.ended)
    @rule(pick=PICK)
    def reaped(self, pick: int) -> None:
        number = sorted(self.ended)[pick % len(self.ended)]
        assert self.world.processes[number].how is not None, "T3 has begun"
        self.world.reap(number, 0)
        del self.ended[number]

    @rule(seconds=st.sampled_from([0, 1, 1, 5, 5, 20, QUEUE_TIMEOUT, 60, TIMEOUT]))
    def time_passes(self, seconds: float) -> None:
        self.world.tick(seconds)
        for waiter in self.shared.waiters if self.shared else ():
            if waiter.until <= self.now:
                assert isinstance(waiter.task.exception(), Busy)
                self.gives_up(waiter)
        for waiter in list(self.shared.borrowing) if self.shared else ():
            if waiter.until <= self.now:
                assert isinstance(waiter.task.exception(), Busy)
                self.living.borrowing.remove(waiter)
        self.expire()

    # ---- another front

    @precondition(lambda self: self.shared is not None and self.shared.here and self.shared.persistent)
    @rule()
    def recalled(self) -> None:
        if self.living.behind is None:
            self.world.recall(self.living.number)
            self.living.behind = []
            if self.living.running is None:
                self.given()

    @precondition(lambda self: self.shared is not None and not self.shared.here)
    @rule()
    def granted(self) -> None:
        assert self.world.moves.elsewhere(NAME, b"") == self.living.number, "S1: the other front's is found"
        self.world.grant(self.living.number)
        shared = self.living
        shared.here = True
        borrowing, shared.borrowing = shared.borrowing, []
        if not borrowing:
            self.expire()
            return
        for face in [face for face in shared.faces if face.deadline <= self.now]:
            self.leaves(face, Reason.TIMED_OUT, told=False)  # whoever waits was let in before their clocks rang
        self.start_next(borrowing)


TestSharedInstance = SharedInstance.TestCase
TestSharedInstance.settings = settings(max_examples=EXAMPLES, stateful_step_count=50)


def test_a_newcomer_who_waited_is_let_in_though_all_sessions_timed_out_at_another_front() -> None:
    machine = SharedInstance()
    try:
        machine.two_live()
        number = machine.living.number
        machine.recalled()
        machine.time_passes(300.0)
        machine.newcomer(None, head_only=False)
        machine.granted()  # compares what the first frame names (S4)
        assert machine.living.number == number
    finally:
        machine.teardown()


def test_a_handle_that_was_refused_and_whose_owner_then_timed_out_is_named_once() -> None:
    machine = SharedInstance()
    try:
        machine.two_live()
        machine.newcomer(None, head_only=False)
        machine.the_head_comes(0, ALL_HANDLES[0], minutes=None, own=False)
        machine.knock(1)
        machine.time_passes(300.0)
        machine.knock(0)
        machine.the_end_comes(delivered=True)  # compares what the next frame names (S4)
    finally:
        machine.teardown()


def test_who_has_waited_for_an_instance_is_let_in_before_it_is_given_on() -> None:
    machine = SharedInstance()
    try:
        machine.two_live()
        world, number = machine.world, machine.living.number
        world.recall(number)
        waiting = world.newcomer(world.loop.create_future())
        assert not waiting.done() and number not in world.registry.instances
        world.grant(number, recall=True)
        assert waiting.done() and world.registry.instances[number].state is State.BUSY
        call = world.entered_call(waiting.result(), None, head_only=False)
        world.answer(call, b"Content-Type: text/plain\n\nbye")
        assert number not in world.registry.instances, "then it is the other front's turn"
        assert world.processes[number].holder is None
    finally:
        machine.teardown()
