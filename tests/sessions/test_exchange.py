"""One exchange as an event machine: P1 to P5, B3, and what becomes of the instance."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keeper.reasons import Reason
from gateway.protocol.events import Data, Event, Head
from gateway.protocol.response import ResponseReader
from gateway.sessions.exchange import Exchange, Fault

MARK = b"0123456789abcdef0123456789abcdef"
END = b"\4" + MARK + b"\n"
HEAD = b"Accept-HTSession: abc\nContent-Type: text/plain\n\n"
BODY = b"two \4 lines\n\4" + MARK[:7] + b"\n"


def exchange(*, first: bool = False) -> Exchange:
    return Exchange(ResponseReader(MARK), first=first, framed=not first)


def body_of(events: list[Event]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Data))


def feed(machine: Exchange, pieces: list[bytes]) -> list[Event]:
    return list(itertools.chain.from_iterable(machine.received(piece) for piece in pieces))


def ended(machine: Exchange, *, marked: bool = True, excess: bool = False) -> Exchange:
    machine.received(HEAD + BODY)
    if marked:
        machine.received(END + b"x" * excess)
    else:
        machine.received_eof()
    return machine


# ---- the response


def test_P1_whole() -> None:
    machine = exchange()
    events = machine.received(HEAD + BODY + END)
    assert isinstance(events[0], Head) and machine.head is events[0]
    assert body_of(events) == BODY
    assert machine.over and machine.end is not None and machine.end.marked and not machine.end.excess


def test_P6_byte_by_byte() -> None:
    machine = exchange()
    events = feed(machine, [bytes((byte,)) for byte in HEAD + BODY + END])
    assert body_of(events) == BODY
    assert machine.end is not None and machine.end.marked


@given(st.lists(st.integers(0, len(HEAD + BODY + END)), max_size=8))
def test_P6_any_cutting_gives_the_same_response(cuts: list[int]) -> None:
    whole = HEAD + BODY + END
    places = [0, *sorted(cuts), len(whole)]
    machine = exchange()
    events = feed(machine, [whole[a:b] for a, b in itertools.pairwise(places)])
    assert body_of(events) == BODY
    assert machine.end is not None and machine.end.marked and not machine.end.excess


@given(st.binary(min_size=1, max_size=40))
def test_P5_rubbish_behind_the_mark_is_noticed(rubbish: bytes) -> None:
    machine = exchange()
    assert body_of(machine.received(HEAD + BODY + END + rubbish)) == BODY
    machine.honoured = True
    verdict = machine.verdict(0)
    assert not verdict.keep and verdict.fault is not None
    assert verdict.fault.reason is Reason.PROTOCOL and "HTS011" in verdict.fault.log


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_P2_any_output_ends_in_a_verdict(pieces: list[bytes]) -> None:
    machine = exchange(first=True)
    feed(machine, pieces)
    machine.received_eof()
    assert machine.over
    assert not machine.verdict(0).keep


def test_P2_end_of_file_ends_the_response() -> None:
    machine = ended(exchange(first=True), marked=False)
    assert machine.end is not None and not machine.end.marked


def test_malformed_output_is_a_fault_of_the_program() -> None:
    for first, how in ((True, "term"), (False, "eof")):
        machine = exchange(first=first)
        machine.received(b"no header\n\n")
        fault = machine.verdict(0).fault
        assert fault is not None and (fault.reason, fault.how) == (Reason.CRASHED, how)


def test_the_first_fault_counts() -> None:
    machine = exchange()
    machine.fail(Fault(Reason.CRASHED, "HTS009 one"))
    machine.fail(Fault(Reason.ENDED, "HTS006 two"))
    assert machine.fault == Fault(Reason.CRASHED, "HTS009 one")


def test_no_verdict_before_the_end() -> None:
    machine = exchange()
    machine.received(HEAD)
    with pytest.raises(ValueError, match="not ended"):
        machine.verdict(0)


# ---- the request


@given(st.lists(st.binary(max_size=20), max_size=5), st.lists(st.integers(1, 7)))
def test_partial_writes_lose_and_double_nothing(pieces: list[bytes], takes: list[int]) -> None:
    machine, taken = exchange(), b""
    for piece in pieces:
        machine.push(piece)
    for most in itertools.chain(takes, itertools.repeat(3)):
        waiting = machine.outgoing
        if waiting is None:
            break
        count = min(most, len(waiting))
        taken += bytes(waiting[:count])
        machine.written(count)
    assert taken == b"".join(pieces)


def test_a_program_that_closed_its_input_is_not_written_to_any_more() -> None:
    machine = exchange(first=True)
    machine.push(b"body")
    machine.refused()
    assert machine.outgoing is None


# ---- the verdict


@pytest.mark.parametrize(
    ("marked", "honoured", "excess", "unread", "unwritten", "body_open"),
    list(itertools.product([False, True], repeat=6)),
)
def test_B3_kept_only_with_mark_honoured_handle_and_clean_pipes(
    *, marked: bool, honoured: bool, excess: bool, unread: bool, unwritten: bool, body_open: bool
) -> None:
    machine = exchange()
    if unwritten:
        machine.push(b"rest of the frame")
    machine.body_open = body_open
    ended(machine, marked=marked, excess=excess)
    machine.honoured = honoured
    verdict = machine.verdict(17 if unread else 0)
    dirty = unread or unwritten or body_open
    assert verdict.keep == (marked and honoured and not excess and not dirty)
    assert (verdict.fault is not None) == (marked and (excess or dirty))
    if verdict.fault is not None:
        assert (verdict.fault.reason, verdict.fault.how) == (Reason.PROTOCOL, "kill")
        assert verdict.fault.log.startswith("HTS011")


def test_B3_what_is_left_of_a_first_body_is_harmless() -> None:
    machine = exchange(first=True)
    machine.push(b"body that nobody reads")
    machine.body_open = True
    ended(machine).honoured = True
    assert machine.verdict(0) == (True, None)


def test_T3_a_fault_kills_at_once_when_the_request_pipe_may_hold_bytes() -> None:
    for unread, how in ((0, "eof"), (5, "kill")):
        machine = exchange()
        machine.fail(Fault(Reason.CRASHED, "HTS009 late"))
        fault = machine.verdict(unread).fault
        assert fault is not None and (fault.reason, fault.how) == (Reason.CRASHED, how)


def test_P3_the_mark_without_an_honoured_handle_is_a_normal_end() -> None:
    assert ended(exchange()).verdict(0) == (False, None)
