"""What a response asks for, judged by the text of H3 to H9, R3, L1 and L3."""

from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.program import Limits
from gateway.protocol.events import Advice
from gateway.sessions.decision import Asked, Outcome, ask
from gateway.sessions.handle import is_valid

LIMITS = Limits(300.0, 1800.0)


def judge(advice: Advice, **changes: Any) -> Asked:
    facts: dict[str, Any] = {"own": None, "segment": b"", "never_kept": False}
    facts |= {"taken": lambda handle: handle == b"taken", "full": lambda: False} | changes
    return ask(advice, facts.pop("limits", LIMITS), **facts)


class Case(NamedTuple):
    """`facts` differ from a first response to /name without path info."""

    rule: str
    advice: Advice
    facts: dict[str, Any]
    outcome: Outcome
    log: str = ""


OWN: dict[str, Any] = {"own": (b"new", b"old")}
FULL: dict[str, Any] = {"full": lambda: True}
CASES = [
    Case("H3 a good handle", Advice(b"abc"), {}, Outcome.KEEP),
    Case("H3 a bad handle", Advice(b"a/b"), {}, Outcome.REFUSED, "HTS004"),
    Case("H3 an empty handle", Advice(b""), {}, Outcome.REFUSED, "HTS004"),
    Case("H3 a bad handle of a session", Advice(b".."), OWN, Outcome.REFUSED, "HTS004"),
    Case("H4 a newcomer asks for another's", Advice(b"taken"), {}, Outcome.REFUSED, "HTS001"),
    Case("H4 a session asks for another's", Advice(b"taken"), OWN, Outcome.REFUSED, "HTS001"),
    Case("H5 its own current one", Advice(b"new"), OWN | {"taken": lambda handle: True}, Outcome.KEEP),
    Case("R6 its own previous one", Advice(b"old"), OWN | {"taken": lambda handle: True}, Outcome.KEEP),
    Case("H5 a new one", Advice(b"newer"), OWN, Outcome.KEEP),
    Case("H7 zero minutes, first", Advice(b"abc", b"0"), {}, Outcome.END, "HTS006"),
    Case("H7 zero minutes, later", Advice(b"new", b"0"), OWN, Outcome.END, "HTS006"),
    Case("H8 no header in a session", Advice(), OWN, Outcome.END, "HTS006"),
    Case("H8 no header in a plain program", Advice(), {}, Outcome.PLAIN),
    Case("R3 the segment of its own URL", Advice(b"abc"), {"segment": b"abc"}, Outcome.REFUSED, "HTS004"),
    Case("R3 another segment", Advice(b"abc"), {"segment": b"abd"}, Outcome.KEEP),
    Case("R3 a session comes by its handle", Advice(b"new"), OWN | {"segment": b"new"}, Outcome.KEEP),
    Case("L1 a newcomer when full", Advice(b"abc"), FULL, Outcome.LIMIT, "HTS003"),
    Case("L1 a session goes on when full", Advice(b"newer"), OWN | FULL, Outcome.KEEP),
    Case("L1 uniqueness comes first", Advice(b"taken"), FULL, Outcome.REFUSED, "HTS001"),
    Case("L3 HEAD starts none", Advice(b"abc"), {"never_kept": True}, Outcome.UNWANTED),
    Case("L3 HEAD on a session", Advice(b"newer"), OWN | {"never_kept": True}, Outcome.KEEP),
    Case("L3 HEAD without a header", Advice(), {"never_kept": True}, Outcome.PLAIN),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule.replace(" ", "-"))
def test_rule(case: Case) -> None:
    asked = judge(case.advice, **case.facts)
    assert asked.outcome is case.outcome
    assert asked.log[:6] == case.log
    assert asked.handle == (case.advice.handle or b"")


@pytest.mark.parametrize(
    ("timeout", "limits", "seconds"),
    [
        (None, LIMITS, 300.0),
        (b"10", LIMITS, 600.0),
        (b"010", LIMITS, 600.0),
        (b"30", LIMITS, 1800.0),
        (b"31", LIMITS, 1800.0),
        (b"9" * 1000, LIMITS, 1800.0),
        (None, Limits(5000.0, 1800.0), 1800.0),
        (b"1", Limits(0.3, 0.5), 0.5),
    ],
)
def test_H7_minutes_capped_by_the_maximum(timeout: bytes | None, limits: Limits, seconds: float) -> None:
    asked = judge(Advice(b"abc", timeout), limits=limits)
    assert (asked.outcome, asked.timeout, asked.advice) == (Outcome.KEEP, seconds, ())


@pytest.mark.parametrize("timeout", [b"-1", b"1.5", b"+1", b"ten", b"", b"1 2", "\u0661".encode()])
def test_H7_malformed_minutes_are_ignored_with_HTS008(timeout: bytes) -> None:
    asked = judge(Advice(b"abc", timeout))
    assert (asked.outcome, asked.timeout) == (Outcome.KEEP, 300.0)
    assert [text[:6] for text in asked.advice] == ["HTS008"]


def test_H6_header_advice_is_HTS010_and_changes_nothing() -> None:
    asked = judge(Advice(b"abc", b"2", ("two of them", "not the first")))
    assert (asked.outcome, asked.timeout) == (Outcome.KEEP, 120.0)
    assert asked.advice == ("HTS010 two of them", "HTS010 not the first")


HANDLES = st.sampled_from([b"new", b"old", b"taken", b"fresh", b"a/b", b".", b"", b"x" * 129]) | st.binary(
    max_size=4
)
OWNS = st.sampled_from([None, (b"new",), (b"new", b"old")])


@given(
    advice=st.builds(Advice, st.none() | HANDLES, st.none() | st.sampled_from([b"0", b"7", b"x"])),
    own=OWNS,
    segment=HANDLES,
    full=st.booleans(),
    never_kept=st.booleans(),
)
def test_what_is_kept_is_valid_unique_within_limits_and_has_time(
    *, advice: Advice, own: tuple[bytes, ...] | None, segment: bytes, full: bool, never_kept: bool
) -> None:
    asked = judge(advice, own=own, segment=segment, full=lambda: full, never_kept=never_kept)
    if asked.outcome is Outcome.KEEP:
        assert is_valid(asked.handle)
        assert asked.handle != b"taken" and 0 < asked.timeout <= LIMITS.max_timeout
        assert own is not None or not (full or never_kept or asked.handle == segment)
    elif asked.outcome in (Outcome.REFUSED, Outcome.LIMIT, Outcome.END):
        assert asked.log.startswith("HTS0")
    if own is not None:
        assert asked.outcome in (Outcome.KEEP, Outcome.END, Outcome.REFUSED)
