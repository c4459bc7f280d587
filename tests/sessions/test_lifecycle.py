"""The life of an instance: state x event -> state (T1 to T4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.sessions.lifecycle import CLOCKS, TRANSITIONS, Clock, Event, IllegalTransition, State, advance

# What happens when a state's deadline has passed; in ELSEWHERE the keeper then has the instance to give.
ENFORCED = {
    Clock.START: Event.END,
    Clock.SCRIPT: Event.END,
    Clock.SESSION: Event.EXPIRE,
    Clock.QUEUE: Event.GRANT,
    Clock.GRACE: Event.EXITED,
}
RUNNING = (State.FIRST, State.BUSY)


class Life(RuleBasedStateMachine):
    """Any events in any order, legal or not."""

    def __init__(self) -> None:
        super().__init__()
        self.state = State.STARTING
        self.told_to_end = False

    @rule(event=st.sampled_from(Event))
    def happens(self, event: Event) -> None:
        before = self.state
        if event not in TRANSITIONS[before]:
            with pytest.raises(IllegalTransition, match=f"{event.name} in state {before.name}"):
                advance(before, event)
            return
        self.state = advance(before, event)
        if event is Event.CLAIM:
            assert before is State.IDLE and self.state is State.BUSY
            assert not self.told_to_end, "T2: handed out after it was told to end"
        if before in RUNNING and self.state is State.IDLE:
            assert event is Event.KEEP
        self.told_to_end = self.told_to_end or event in (Event.END, Event.EXPIRE)

    @precondition(lambda self: self.state is not State.GONE)
    @rule()
    def deadline_passes(self) -> None:
        before = self.state
        self.state = advance(before, ENFORCED[CLOCKS[before]])
        self.told_to_end = self.told_to_end or self.state is State.ENDING

    @invariant()
    def deadlines_lead_to_the_end(self) -> None:
        state = self.state
        for _ in State:
            if state is State.GONE:
                return
            state = advance(state, ENFORCED[CLOCKS[state]])
        raise AssertionError(f"no end from {self.state.name}")

    @invariant()
    def an_ended_instance_stays_ended(self) -> None:
        assert not self.told_to_end or self.state in (State.ENDING, State.GONE)


TestLife = Life.TestCase


def test_T2_every_live_state_has_a_clock() -> None:
    assert set(CLOCKS) == set(State) - {State.GONE}


def test_T2_a_session_is_handed_out_by_one_arrow_only() -> None:
    arrows = [
        (state, to)
        for state, events in TRANSITIONS.items()
        for event, to in events.items()
        if event is Event.CLAIM
    ]
    assert arrows == [(State.IDLE, State.BUSY)]


def test_B3_only_the_end_mark_leads_from_a_running_call_back_to_idle() -> None:
    arrows = {event for state in RUNNING for event, to in TRANSITIONS[state].items() if to is State.IDLE}
    assert arrows == {Event.KEEP}


def test_T3_nothing_leads_from_ending_but_the_exit_and_nothing_from_gone() -> None:
    assert TRANSITIONS[State.ENDING] == {Event.EXITED: State.GONE}
    assert TRANSITIONS[State.GONE] == {}


@given(st.sampled_from(State), st.sampled_from(Event))
def test_every_state_knows_every_event_or_refuses_it(state: State, event: Event) -> None:
    try:
        assert advance(state, event) in State
    except IllegalTransition:
        assert event not in TRANSITIONS[state]
