"""A shared instance beside its model: what the rules of test_shared_model.py change, and what always holds."""

import asyncio
import os

from hypothesis.stateful import RuleBasedStateMachine, invariant

from gateway.keeper.reasons import Reason
from gateway.keeper.table import session_key
from gateway.sessions.handles import Use
from gateway.sessions.session import Session
from tests.sessions.faces import Face, Running, Shared, Waiter
from tests.sessions.world import NAME, QUEUE_TIMEOUT, SHARED_SLOTS, SLOTS, World

ALL_HANDLES = [b"h%d" % number for number in range(12)]


class SharedMachine(RuleBasedStateMachine):
    """`ended` are instances that still wait to be reaped (kept ones: True); `taking` are requests whose body is
    still on its way: session, face and handle as they were found."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors = len(os.listdir("/proc/self/fd"))
        self.world = World(shared=True)
        self.shared: Shared | None = None
        self.ended: dict[int, bool] = {}
        self.retired: dict[bytes, Reason] = {}
        self.taking: list[tuple[Session, Face, bytes]] = []

    def teardown(self) -> None:
        for waiter in [*self.shared.waiters, *self.shared.borrowing] if self.shared else ():
            waiter.task.cancel()
        self.world.close()
        assert len(os.listdir("/proc/self/fd")) == self.descriptors

    # ---- the model

    @property
    def now(self) -> float:
        return self.world.clock.now

    @property
    def living(self) -> Shared:
        assert self.shared is not None
        return self.shared

    def owner(self, handle: bytes) -> Face | None:
        faces = self.shared.faces if self.shared else []
        return next((face for face in faces if handle in face.accepted), None)

    def is_idle(self) -> bool:
        return self.shared is not None and self.shared.here and self.shared.running is None

    def is_busy(self) -> bool:
        return self.shared is not None and self.shared.running is not None

    def kept(self) -> int:
        return sum(self.ended.values()) + (self.shared is not None and self.shared.persistent)

    def retire(self, handles: list[bytes], reason: Reason) -> None:
        self.retired |= dict.fromkeys(handles, reason)

    def leaves(self, face: Face, reason: Reason, *, told: bool) -> None:
        self.living.faces.remove(face)
        self.retire(face.accepted, reason)
        if not told:
            self.living.untold.append(face.accepted[0])

    def over(self, reason: Reason, *, reaped: bool = False) -> None:
        shared, self.shared = self.living, None
        for face in shared.faces:
            self.retire(face.accepted, reason)
        if not reaped:
            self.ended[shared.number] = shared.persistent
        self.start_next(self.look_again(shared.waiters) + shared.borrowing)

    def look_again(self, waiters: list[Waiter]) -> list[Waiter]:
        """The instance is over, or another front's; the newcomers among those who waited for it."""
        for waiter in waiters:
            assert waiter.face is None or waiter.use() is None, "those who wait look again"
        return [waiter for waiter in waiters if waiter.face is None]

    def start_next(self, newcomers: list[Waiter]) -> None:
        """The first of them is let in (S1: it starts an instance if there is none), the others wait."""
        if newcomers:
            first, *others = newcomers
            self.enter(first.task, None, head_only=False)
            self.living.queue += others

    def begin(self, face: Face | None, handle: bytes, use: Use | None) -> None:
        shared = self.living
        if face is not None:
            self.retire(face.use(handle, use), Reason.REPLACED)
            session = self.world.registry.store.find(NAME, handle)
            assert session is not None and session.user == face.user, "W1"
            call = self.world.later_call(session, handle)
            shared.running = Running(call, face, newcomer=False, first=False)
        self.hear(shared)

    def enter(self, task: "asyncio.Task[object]", user: bytes | None, *, head_only: bool) -> None:
        """A newcomer has been let in."""
        instance = task.result()
        call = self.world.entered_call(instance, user, head_only=head_only)  # type: ignore[arg-type]
        first = self.shared is None
        if self.shared is None:
            self.shared = Shared(call.instance.id)
        assert call.instance.id == self.shared.number, "S1"
        self.shared.running = Running(call, None, newcomer=True, first=first, head_only=head_only, user=user)
        self.hear(self.shared)

    def hear(self, shared: Shared) -> None:
        """S4: the frame names who is over."""
        assert shared.running is not None
        state = shared.running.call.instance.shared
        assert state is not None
        told = state.tell().split()
        assert sorted(told) == sorted(shared.untold + shared.refused), "S4"
        shared.naming, shared.untold, shared.refused = len(shared.untold), [], []

    def rest(self, face: Face | None, seconds: float) -> None:
        """The end of a call: the next who waits is served, or a recall is followed."""
        shared = self.living
        shared.running, shared.naming = None, 0
        if face is not None:
            face.deadline, face.stood = self.now + seconds, self.now
        while shared.queue:
            waiter = shared.queue.pop(0)
            if waiter.face is None:
                self.enter(waiter.task, None, head_only=False)
                return
            if waiter.face in shared.faces and waiter.handle in waiter.face.accepted:
                self.begin(waiter.face, waiter.handle, waiter.use())
                return
            assert waiter.use() is None, "R5: its handle was retired while it waited"
            self.goes_on(waiter.face)
        if shared.behind is not None:
            self.given()

    def given(self) -> None:
        shared = self.living
        behind, shared.behind, shared.here, shared.refused = shared.behind or [], None, False, []
        for face in {waiter.face for waiter in behind if waiter.face in shared.faces}:
            assert face is not None
            face.deadline = self.now + max(face.deadline - face.stood, QUEUE_TIMEOUT)
        shared.borrowing = self.look_again(behind)

    def goes_on(self, face: Face | None) -> None:
        """T1: the clock goes on when nobody waits any more."""
        if face is not None and self.shared and face in self.shared.faces and not self.shared.called(face):
            face.deadline += self.now - face.stood

    def expire(self) -> None:
        if self.shared is None or not self.shared.here:
            return
        for face in list(self.shared.faces):
            if face.deadline <= self.now and not self.shared.called(face):
                self.leaves(face, Reason.TIMED_OUT, told=False)
        if not self.shared.faces and self.shared.running is None:
            self.over(Reason.TIMED_OUT)

    # ---- what always holds

    @invariant()
    def handles_lead_where_the_model_says(self) -> None:
        store = self.world.registry.store
        for handle in ALL_HANDLES:
            face, key = self.owner(handle), session_key(*NAME, handle)
            found, entry = store.find(NAME, handle), store.retired.find(key)
            slot = self.world.table.find(key)
            if face is None:
                assert (found, slot) == (None, None)
                assert (entry and entry.reason) == self.retired.get(handle)
            else:
                assert slot is not None and self.world.table.instance(slot) == self.living.number
                assert (found is not None) == self.living.here
                assert found is None or found.slot == slot
                assert entry is None or not self.living.here

    @invariant()
    def whoever_lives_is_owed_an_account_and_whoever_is_over_has_got_one(self) -> None:
        self.world.settle()
        held = [session for sessions in self.world.registry.sessions.values() for session in sessions]
        assert all(self.world.table.began(session.slot) for session in held)
        owed = [slot for slot in range(SLOTS + SHARED_SLOTS) if self.world.table.began(slot)]
        assert len(owed) == (len(self.shared.faces) if self.shared is not None else 0)
        assert self.world.accounts == self.world.registry.tally.ended

    @invariant()
    def every_session_whose_clock_runs_has_a_timer(self) -> None:
        registry = self.world.registry
        held = [session for sessions in registry.sessions.values() for session in sessions]
        assert len(held) == (len(self.living.faces) if self.shared and self.shared.here else 0)
        for session in held:
            face = self.owner(session.handles.current)
            assert face is not None and list(session.handles.accepted) == face.accepted
            if not self.living.called(face):
                due = self.world.due(session)
                assert session.deadline == face.deadline, "T1"
                assert due is not None and due <= session.deadline, "T2"
        assert set(registry.clock._timers) <= set(held), "no timer of a session that is over"

    @invariant()
    def the_instance_lives_as_long_as_it_has_sessions(self) -> None:
        registry = self.world.registry
        here = self.shared is not None and self.shared.here
        assert list(registry.shared.values()) == ([registry.instances[self.living.number]] if here else [])
        assert set(registry.instances) == {*self.ended, *([self.living.number] if here else [])}
        kept = here and self.living.persistent
        assert registry.persistent == kept + sum(self.ended.values())
        assert self.shared is None or self.shared.faces or self.shared.running, "S3"

    @invariant()
    def no_slot_is_lost(self) -> None:
        used = sum(len(process.sessions) for process in self.world.processes.values())
        assert len(self.world.slots._free_for_sessions) == SHARED_SLOTS - used
        if self.shared is not None:
            shared = self.shared
            held = self.world.processes[shared.number].sessions
            assert len(held) == len(shared.faces) + len(shared.untold) + shared.naming
