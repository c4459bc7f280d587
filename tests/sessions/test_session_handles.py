"""A session's handles against a simple model of H5, R6 and R7."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions.handles import Handles


class Step(NamedTuple):
    """One call: by which of the accepted handles it comes, what it issues, whether it is delivered."""

    by: int
    issues: str
    echo: int
    delivered: bool


STEPS = st.lists(
    st.builds(
        Step,
        by=st.integers(0, 20),
        issues=st.sampled_from(["new", "echo", "nothing"]),
        echo=st.integers(0, 20),
        delivered=st.booleans(),
    ),
    max_size=25,
)


@dataclass
class Model:
    """`known`: handles that their client has, oldest first; `unused`: one that was lost on its way."""

    keep: int
    known: list[bytes]
    unused: bytes | None = None
    retired: list[bytes] = field(default_factory=list)

    @property
    def accepted(self) -> set[bytes]:
        return set(self.known[-1 - self.keep :]) | ({self.unused} if self.unused else set())

    def use(self, handle: bytes) -> tuple[bool, bool]:
        """Whether the call is stale, and whether it is a retry."""
        if handle == self.unused:
            self.known.append(handle)
            self.unused = None
        newest = handle == self.known[-1]
        return not newest, newest and self.unused is not None

    def answer(self, issued: bytes | None, *, delivered: bool) -> None:
        if issued is None or issued in self.accepted:
            return
        self.unused = None if delivered else issued
        if delivered:
            self.known.append(issued)


@given(STEPS, st.integers(0, 8))
def test_H5_R6_R7_handles_behave_like_the_model(steps: list[Step], keep: int) -> None:
    handles, model = Handles([b"h0"], keep), Model(keep, [b"h0"])
    ever = {b"h0"}
    for number, step in enumerate(steps, 1):
        before = set(handles.accepted)
        retired: list[bytes] = []
        by = handles.accepted[step.by % len(handles.accepted)]
        use = handles.use(by)
        retired += use.retired
        assert (use.stale, use.retry) == model.use(by)
        issued = None
        if step.issues == "new":
            issued = b"h%d" % number
        elif step.issues == "echo":
            issued = handles.accepted[step.echo % len(handles.accepted)]
        if issued is not None:
            ever.add(issued)
            retired += handles.issue(issued)
            assert issued in handles.accepted
            assert by in handles.accepted
        model.answer(issued, delivered=step.delivered)
        retired += handles.settle(delivered=step.delivered)
        assert set(handles.accepted) == model.accepted
        assert handles.current == (model.unused or model.known[-1])
        assert len(handles.accepted) == len(set(handles.accepted)) <= keep + 2
        assert len(retired) == len(set(retired))
        assert set(retired) == (before | ({issued} if issued else set())) - set(handles.accepted)


@given(STEPS, st.integers(0, 8))
def test_R7_who_was_let_in_last_is_never_locked_out(steps: list[Step], keep: int) -> None:
    """The handle of the last response that arrived is accepted until another arrives or is used."""
    handles, held = Handles([b"h0"], keep), b"h0"
    for number, step in enumerate(steps, 1):
        held = held if handles.use(held).retry else handles.current
        handles.issue(b"h%d" % number)
        handles.settle(delivered=step.delivered)
        held = handles.current if step.delivered else held
        assert held in handles.accepted


def test_H5_a_new_handle_is_live_beside_the_old_until_the_response_is_over() -> None:
    handles = Handles([b"old"], 0)
    handles.use(b"old")
    assert handles.issue(b"new") == []
    assert (handles.current, handles.accepted) == (b"new", [b"new", b"old"])
    assert handles.settle(delivered=True) == [b"old"]


def test_R7_a_lost_handle_is_retired_when_another_is_issued_by_a_retry() -> None:
    handles = Handles([b"old"], 0)
    handles.use(b"old")
    handles.issue(b"lost")
    assert handles.settle(delivered=False) == []
    assert handles.use(b"old").retry
    assert handles.issue(b"new") == [b"lost"]
    assert handles.settle(delivered=True) == [b"old"]
    assert handles.accepted == [b"new"]


@pytest.mark.parametrize("lost", [False, True])
def test_R6_adopted_handles_go_on_where_the_other_front_stopped(lost: bool) -> None:
    handles = Handles([b"c", b"b", b"a"], 2, lost=lost)
    assert handles.use(b"b") == (not lost, lost, [])
    assert handles.use(b"a") == (True, False, [])
    assert handles.use(b"c") == (False, False, [])
    assert handles.use(b"b") == (True, False, [])
