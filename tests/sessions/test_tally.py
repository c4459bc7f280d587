"""What a front counts, and what it tells of sessions that are over."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from json import loads

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keeper.reasons import Reason
from gateway.logs.session import Ending, Used, line
from gateway.sessions.exchange import Fault
from gateway.sessions.session import Session
from gateway.sessions.tally import KEPT, Tally
from tests.sessions.world import NAME, World

HANDLE = b"secret-handle"


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    """A session with a handle, alive."""
    world = World()
    call = world.first_call()
    world.registry.renew(call, HANDLE, 60.0)
    assert call.session is not None
    yield call.session
    world.close()


def test_a_session_begins_when_its_first_request_was_handed_out(session: Session) -> None:
    tally, now = Tally(), time.time()
    tally.begins(session, time.monotonic() - 5)
    assert session.began == pytest.approx(now - 5, abs=1)
    assert (tally.created, tally.requests, tally.starts) == (1, 0, 0)


def test_an_ending_is_counted_by_the_word_of_its_reason_and_says_what_the_log_says(session: Session) -> None:
    tally = Tally()
    session.user = b"k\xc3\xa4the"
    ending = tally.over(session, Fault(Reason.TIMED_OUT, "HTS002 timed out after 60 s"))
    assert tally.ended == {"timed-out": 1}
    assert list(tally.recent) == [ending]
    assert ending[1:8] == (
        NAME[0], NAME[1].decode(), "secr…", "käthe", "timed-out", "HTS002 timed out after 60 s", 1,
    )  # fmt: skip


def test_the_newest_endings_are_kept(session: Session) -> None:
    tally = Tally()
    for number in range(KEPT + 3):
        tally.over(session, Fault(Reason.ENDED, f"number {number}"))
    assert [ending.text for ending in tally.recent] == [f"number {number}" for number in range(3, KEPT + 3)]
    assert tally.ended["ended"] == KEPT + 3


def test_W3_the_words_of_a_program_do_not_give_its_handle_away(session: Session) -> None:
    text = f"HTS007 exited; its last words: {HANDLE.decode()} was mine"
    ending = Tally().over(session, Fault(Reason.CRASHED, text))
    assert ending.text == "HTS007 exited; its last words: secr… was mine"


TIMES = st.floats(0, 4e9)
TEXTS = st.text(max_size=40)


@given(
    began=TIMES, wall=st.floats(-10, 1e6), busy=st.floats(0, 1e6), text=TEXTS, user=TEXTS, host=TEXTS,
    used=st.none() | st.builds(Used, st.floats(0, 1e6), st.integers(0, 1 << 40)),
)  # fmt: skip
def test_a_line_is_one_object_of_JSON_in_ASCII_whose_times_add_up(
    began: float, wall: float, busy: float, text: str, user: str, host: str, used: Used | None
) -> None:
    ending = Ending(began + wall, host, "/cgi", "secr…", user, "ended", text, 3, began, "7", 1, 2, busy)
    data = line(ending, 99, used)
    assert data.endswith(b"\n") and data.count(b"\n") == 1 and data[:-1].decode("ascii").isprintable()
    found = loads(data)
    assert (found["host"], found["text"], found["user"]) == (host, text, user or None)
    both = datetime.fromisoformat(found["start"]), datetime.fromisoformat(found["end"])
    assert all(moment.tzinfo is not None for moment in both)
    assert found["busy_seconds"] >= 0 and found["idle_seconds"] >= 0
    assert found["busy_seconds"] + found["idle_seconds"] == pytest.approx(max(0.0, wall), abs=1e-3, rel=1e-6)
    assert (found["cpu_seconds"] is None) == (found["peak_memory_kib"] is None) == (used is None)
