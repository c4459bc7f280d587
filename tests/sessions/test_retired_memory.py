"""The memory of retired handles (R4, H4): two rings in the shared table, read by several fronts."""

import os
import time
from collections.abc import Callable, Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.keeper.reasons import Reason
from gateway.keeper.table import RING_LENGTH, Entry, Table, attach, create, session_key
from gateway.sessions.retired import KEPT, Retired

Attach = Callable[[], Table]
OTHERS = [reason for reason in Reason if reason is not Reason.REPLACED]


@pytest.fixture
def attach_table() -> Iterator[Attach]:
    """Another mapping of one shared table, as a front gets it."""
    table = create(4)
    opened: list[Table] = []

    def attached() -> Table:
        opened.append(attach(os.dup(table.descriptor)))
        return opened[-1]

    yield attached
    for one in (table, *opened):
        one.close()


def key(number: int) -> bytes:
    return session_key("host", b"/cgi-bin/counter", b"%d" % number)


def entry(number: int, reason: Reason = Reason.ENDED, *, age: float = 0.0) -> Entry:
    return Entry(key(number), time.monotonic() - age, 300.0, reason)


def reason_of(memory: Retired, number: int) -> int | None:
    found = memory.find(key(number))
    return None if found is None else found.reason


@pytest.mark.parametrize("reason", list(Reason))
def test_R4_a_retired_handle_is_remembered_with_its_reason(attach_table: Attach, reason: Reason) -> None:
    memory = Retired(attach_table())
    assert memory.find(key(1)) is None
    before = time.monotonic()
    memory.add(key(1), reason, 90.0)
    found = memory.find(key(1))
    assert found is not None and (found.reason, found.timeout) == (reason, 90.0)
    assert before <= found.at <= time.monotonic()
    assert memory.find(key(2)) is None


@pytest.mark.parametrize("reason", [Reason.REPLACED, Reason.TIMED_OUT])
def test_R4_the_newest_10000_of_a_kind_are_kept(attach_table: Attach, reason: Reason) -> None:
    memory = Retired(attach_table())
    assert RING_LENGTH == 10_000
    for number in range(RING_LENGTH + 3):
        memory.store(entry(number, reason))
    assert [reason_of(memory, number) for number in range(4)] == [None, None, None, reason]
    assert reason_of(memory, RING_LENGTH + 2) == reason


def test_R4_replaced_handles_do_not_push_the_others_out(attach_table: Attach) -> None:
    memory = Retired(attach_table())
    memory.store(entry(-1, Reason.CRASHED))
    for number in range(RING_LENGTH + 1):
        memory.store(entry(number, Reason.REPLACED))
    assert reason_of(memory, -1) == Reason.CRASHED
    assert reason_of(memory, 0) is None


def test_R4_kept_for_24_hours(attach_table: Attach) -> None:
    assert KEPT == 24 * 3600
    memory = Retired(attach_table())
    memory.store(entry(1, age=KEPT - 60))
    memory.store(entry(2, age=KEPT + 1))
    assert (reason_of(memory, 1), reason_of(memory, 2)) == (Reason.ENDED, None)


@pytest.mark.parametrize("first", [Reason.REPLACED, Reason.ENDED])
def test_R4_the_newest_reason_of_a_handle_counts(attach_table: Attach, first: Reason) -> None:
    memory = Retired(attach_table())
    second = Reason.ENDED if first is Reason.REPLACED else Reason.REPLACED
    memory.store(entry(1, first, age=10))
    memory.store(entry(1, second))
    assert reason_of(memory, 1) == second


def test_H4_a_handle_that_is_issued_again_leaves_the_memory_of_all(attach_table: Attach) -> None:
    one, other = Retired(attach_table()), Retired(attach_table())
    one.store(entry(1, Reason.REPLACED))
    one.store(entry(1, Reason.ENDED))
    assert reason_of(other, 1) == Reason.ENDED
    other.forget(key(1))
    assert (reason_of(one, 1), reason_of(other, 1)) == (None, None)
    assert reason_of(Retired(attach_table()), 1) is None
    one.store(entry(1, Reason.TIMED_OUT))
    assert reason_of(other, 1) == Reason.TIMED_OUT


def test_R4_a_new_front_reads_what_was_retired_before_it(attach_table: Attach) -> None:
    Retired(attach_table()).store(entry(1, Reason.STOPPED))
    assert reason_of(Retired(attach_table()), 1) == Reason.STOPPED


def test_R4_a_reader_that_slept_through_a_whole_ring_catches_up(attach_table: Attach) -> None:
    writer, reader = Retired(attach_table()), Retired(attach_table())
    writer.store(entry(-1))
    assert reason_of(reader, -1) == Reason.ENDED
    for number in range(RING_LENGTH + 1):
        writer.store(entry(number))
    assert (reason_of(reader, -1), reason_of(reader, 0)) == (None, None)
    assert (reason_of(reader, 1), reason_of(reader, RING_LENGTH)) == (Reason.ENDED, Reason.ENDED)


def test_H4_forgetting_what_the_ring_has_overwritten_erases_nothing_else(attach_table: Attach) -> None:
    writer, reader = Retired(attach_table()), Retired(attach_table())
    writer.store(entry(-1))
    assert reason_of(reader, -1) == Reason.ENDED
    for number in range(RING_LENGTH):
        writer.store(entry(number))
    reader.forget(key(-1))
    assert {reason_of(Retired(attach_table()), number) for number in (0, RING_LENGTH - 1)} == {Reason.ENDED}


def test_R4_a_draining_front_forwards_what_it_retires(attach_table: Attach) -> None:
    draining, active = Retired(attach_table()), Retired(attach_table())
    draining.forward = active.store
    draining.add(key(1), Reason.TIMED_OUT, 5.0)
    assert (reason_of(active, 1), reason_of(draining, 1)) == (Reason.TIMED_OUT, Reason.TIMED_OUT)
    kept: list[Entry] = []
    draining.forward = kept.append
    draining.add(key(2), Reason.ENDED, 5.0)
    assert [one.key for one in kept] == [key(2)]
    assert reason_of(draining, 2) is None, "only one front writes the rings"


STEPS = st.lists(st.tuples(st.booleans(), st.integers(0, 5), st.none() | st.sampled_from(Reason)), max_size=40)


@settings(max_examples=60)
@given(STEPS)
def test_H4_two_fronts_agree_with_a_dictionary(steps: list[tuple[bool, int, Reason | None]]) -> None:
    table = create(1)
    other = attach(os.dup(table.descriptor))
    fronts, model = (Retired(table), Retired(other)), dict[int, Reason]()
    for turn, (which, number, reason) in enumerate(steps):
        if reason is None:
            fronts[which].forget(key(number))
            model.pop(number, None)
        else:
            fronts[which].store(Entry(key(number), time.monotonic() + turn * 1e-6, 1.0, reason))
            model[number] = reason
    for front in fronts:
        assert {n: found for n in range(6) if (found := reason_of(front, n)) is not None} == model
    table.close()
    other.close()
