"""Who has how many sessions (L2), and how fast clients may begin them: pure and in bounded memory."""

from __future__ import annotations

from collections import Counter
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives.readers.rates import Rate
from gateway.errors import TooMany
from gateway.keeper import table
from gateway.program import Program
from gateway.sessions import rates
from gateway.sessions.quotas import NOBODY, Quotas, client_number, user_number
from gateway.sessions.rates import Rates
from tests.sessions.world import _program

numbers = st.integers(0, 3)
steps = st.lists(
    st.tuples(st.sampled_from(["hold", "leave", "free"]), st.integers(0, 4), st.tuples(numbers, numbers)),
    max_size=60,
)


@given(steps)
def test_what_is_counted_is_what_is_held(made: list[tuple[str, int, tuple[int, int]]]) -> None:
    shared = table.create(1)
    try:
        quotas, held = Quotas(shared), Counter[tuple[int, tuple[int, int]]]()
        for step, instance, holders in made:
            if step == "hold":
                quotas.hold(instance, holders)
                held[instance, holders] += 1
            elif step == "leave" and held[instance, holders]:
                quotas.leave(instance, holders)
                held[instance, holders] -= 1
            elif step == "free":
                quotas.free(instance)
                held = Counter({key: count for key, count in held.items() if key[0] != instance})
            for holder in range(1, 4):
                expected = sum(count * pair.count(holder) for (_, pair), count in held.items())
                assert quotas.sessions(holder, overlap=False) == expected
        for instance in range(5):
            quotas.free(instance)
        assert not quotas._held and not quotas._by_instance
    finally:
        shared.close()


def test_the_table_counts_the_sessions_of_all_fronts() -> None:
    shared = table.create(4, 4)
    try:
        quotas = Quotas(shared)
        for slot, state in [
            (0, table.IDLE),
            (1, table.BUSY),
            (2, table.ENDING),
            (3, table.IDLE),
            (4, table.IDLE),
        ]:
            shared.open_slot(slot, slot + 1)
            shared.begin(slot, None, 1.0, b"v" * 32, (7, 9))
            shared.set_state(slot, state)
        shared.open_slot(5, 1)
        shared.begin(5, b"ada", 1.0, None, (7, 9))
        shared.set_state(5, table.ENDING)  # of a shared instance: over
        assert (shared.bind(0), shared.bind(5), shared.holders(5)) == (b"v" * 32, None, (7, 9))
        assert [quotas.sessions(holder, overlap=True) for holder in (7, 9, 8)] == [5, 5, 0]
        shared.free_slot(2)
        assert quotas.sessions(7, overlap=True) == 4
        shared.open_slot(3, 9)
        assert (quotas.sessions(7, overlap=True), shared.bind(3)) == (3, None), "the next one's slot is clean"
    finally:
        shared.close()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:0:0:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
    ],
)
def test_who_is_one_client(one: str, other: str, *, same: bool) -> None:
    assert (client_number(one) == client_number(other)) is same


def test_nobody_is_not_counted() -> None:
    assert client_number(None) == client_number("unix:") == user_number("", None) == NOBODY
    assert len({user_number("", b"ada"), user_number("other", b"ada"), client_number("192.0.2.1"), NOBODY}) == 4


class Clock:
    """A clock that is set."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def limited(rate: Rate, name: str = "") -> Program:
    program = _program(shared=False)
    object.__setattr__(program, "rate", rate)
    object.__setattr__(program, "name", (name, b"/p"))
    return program


@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.floats(0, 3), max_size=60))
def test_never_more_than_the_burst_and_the_rate(number: int, burst: int, pauses: list[float]) -> None:
    clock = Clock()
    known, program = Rates(clock), limited(Rate(number, "second", burst))
    allowed = 0
    for pause in pauses:
        clock.now += pause
        ticket = known.ticket(program, 1) if allowed == 0 else _or_none(known, program)
        allowed += ticket is not None and ticket.take()
        assert allowed <= burst + (clock.now - 1000.0) * number + 1e-6


def _or_none(known: Rates, program: Program) -> rates.Ticket | None:
    try:
        return known.ticket(program, 1)
    except TooMany as error:
        assert int(dict(error.headers)[b"retry-after"]) >= 1
        return None


def test_what_asked_for_no_session_is_given_back() -> None:
    known, program = Rates(Clock()), limited(Rate(1, "minute", 1))
    known.persists(program.name)
    first = cast(rates.Ticket, known.ticket(program, 1))
    first.settle()
    second = cast(rates.Ticket, known.ticket(program, 1))
    assert second.take()
    second.settle()
    with pytest.raises(TooMany) as refused:
        known.ticket(program, 1)
    assert dict(refused.value.headers)[b"retry-after"] == b"60"
    assert refused.value.log.startswith("HTS003 PersistentCGIClientRate")
    with pytest.raises(TooMany) as again:
        known.ticket(program, 1)
    assert not again.value.log, "one line in the log is enough"


def test_many_clients_and_programs_fill_no_memory() -> None:
    known = Rates(Clock())
    for number in range(rates.MOST_CLIENTS + 5000):
        ticket = known.ticket(limited(Rate(1, "second", 1), str(number)), number + 1)
        assert ticket is not None and ticket.take()
    assert len(known._accounts) == rates.MOST_CLIENTS and len(known._persisting) == 1024
