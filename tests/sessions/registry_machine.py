"""A registry beside its model: what the rules of test_registry_model.py change, and what always holds."""

import os

from hypothesis.stateful import RuleBasedStateMachine, invariant

from gateway.keeper.reasons import Reason
from gateway.keeper.table import session_key
from gateway.sessions.handles import Use
from gateway.sessions.lifecycle import State
from gateway.sessions.session import Session
from tests.sessions.model import Model
from tests.sessions.world import NAME, SLOTS, World

ALL_HANDLES = [b"h%d" % number for number in range(10)]


class RegistryMachine(RuleBasedStateMachine):
    """`living` by instance number; `ended` are instances that still wait to be reaped (kept ones: True)."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors = len(os.listdir("/proc/self/fd"))
        self.world = World()
        self.living: dict[int, Model] = {}
        self.ended: dict[int, bool] = {}
        self.retired: dict[bytes, Reason] = {}
        self.draining = False

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
        if model.wanted or self.draining:
            model.here = model.wanted = False

    def expire(self) -> None:
        for number in self.idle():
            if self.living[number].deadline <= self.world.clock.now:
                self.over(number, Reason.TIMED_OUT)

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
