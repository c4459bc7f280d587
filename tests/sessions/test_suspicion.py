"""Which handles look guessable (W5)."""

from __future__ import annotations

import itertools
import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions.handle import HandleMint
from gateway.sessions.suspicion import Suspicion

NAME = "", b"/cgi-bin/program"
SHORT = "HTS012 its handles look guessable (short)"
ALIKE = "HTS012 its handles look guessable (each like the one before)"


def judged(*handles: bytes) -> list[str | None]:
    suspicion = Suspicion()
    return [suspicion.of(NAME, handle) for handle in handles]


@pytest.mark.parametrize(
    "handle", [b"1", b"user-7", b"1732288112123456789", b"deadbeefdeadbee", b"a1B2c3D4e5", b"~"]
)
def test_short_handles(handle: bytes) -> None:
    assert judged(handle) == [SHORT]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"a-session-of-the-shop-1", b"a-session-of-the-shop-2"),
        (b"20261122153301123456-0000017", b"20261122153301223456-0000018"),
        (b"the-same-fixed-handle-again", b"the-same-fixed-handle-again"),
        (b"00000000000000000099", b"00000000000000000100"),
        (b"shop-99-of-the-second-kind", b"shop-100-of-the-second-kind"),
    ],
)
def test_handles_that_follow_each_other(before: bytes, after: bytes) -> None:
    assert judged(before, after) == [None, ALIKE]


def test_identifiers_made_of_the_time_follow_each_other() -> None:
    assert judged(*(str(uuid.uuid1(1, 1)).encode() for _ in range(2))) == [None, ALIKE]


def test_random_handles_are_not_doubted() -> None:
    mint = HandleMint(b"k" * 16)
    assert not any(judged(*(mint.next() for _ in range(2000))))
    assert not any(judged(*(uuid.uuid4().hex.encode() for _ in range(2000))))
    assert not any(judged(*(str(uuid.uuid4()).encode() for _ in range(2000))))


@given(st.lists(st.binary(min_size=1, max_size=128), max_size=20))
def test_a_program_is_told_of_once(handles: list[bytes]) -> None:
    assert len(list(filter(None, judged(*handles)))) <= 1


def test_programs_are_judged_apart_and_only_so_many_are_remembered() -> None:
    suspicion = Suspicion()
    for number in range(5000):
        assert suspicion.of(("", b"/%d" % number), b"a-session-of-the-shop-%d" % number) is None
    assert len(suspicion._before) == 1024
    assert suspicion.of(("", b"/4999"), b"a-session-of-the-shop-5000") == ALIKE
    assert suspicion.of(("other", b"/4999"), b"a-session-of-the-shop-5000") is None


def test_the_first_difference_counts_on_both_sides() -> None:
    for at, length in itertools.product((0, 10, 29), (1, 3)):
        one, other = bytearray(b"x7" * 16), bytearray(b"x7" * 16)
        other[at : at + length] = b"q" * length
        assert judged(bytes(one), bytes(other)) == [None, ALIKE]
