"""`gateway extend` and `gateway end` as the registry sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gateway.keeper.reasons import Reason
from gateway.keeper.table import session_key
from gateway.sessions.exchange import Fault
from gateway.sessions.session import Session
from tests.sessions.world import NAME, World

HANDLE = b"a-handle-of-a-test"
PAGE = b"Content-Type: text/plain\nAccept-HTSession: %b\nHTTimeout: 1\n\n" % HANDLE


@pytest.fixture(params=[False, True], ids=["alone", "shared"])
def world(request: pytest.FixtureRequest) -> Iterator[World]:
    made = World(shared=request.param)
    yield made
    made.close()


@pytest.fixture
def session(world: World) -> Session:
    """One that has a minute, of which 50 seconds are over."""
    world.answer(world.first_call(), PAGE)
    world.tick(50)
    (found,) = next(iter(world.registry.sessions.values()))
    return found


def reason(world: World) -> int | None:
    entry = world.registry.store.retired.find(session_key(*NAME, HANDLE))
    return None if entry is None else entry.reason


def test_a_prolonged_session_outlives_its_deadline_and_times_out_at_the_new_one(
    world: World, session: Session
) -> None:
    world.registry.prolong(session, 100.0)
    world.tick(99)
    assert reason(world) is None
    assert world.registry.store.table.clock(session.slot)[0] == session.deadline == world.clock.now + 1
    world.tick(2)
    assert reason(world) == Reason.TIMED_OUT


def test_after_its_next_request_it_has_the_time_that_its_program_asks_for(
    world: World, session: Session
) -> None:
    world.registry.prolong(session, 1000.0)
    assert world.registry.claim(session, HANDLE) is not None
    world.answer(world.later_call(session, HANDLE), PAGE)
    world.tick(61)
    assert reason(world) == Reason.TIMED_OUT


def test_a_session_that_is_ended_is_retired_with_the_reason_and_its_process_ends(
    world: World, session: Session
) -> None:
    world.registry.end_session(session, Fault(Reason.ENDED, "HTS006 ended by the administrator"))
    world.settle()
    assert reason(world) == Reason.ENDED
    assert world.processes[session.instance.id].ending
    assert world.registry.tally.recent[-1].text == "HTS006 ended by the administrator"
