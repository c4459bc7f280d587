"""The same bytes to this gateway and to Apache with mod_cgid, on one directives file: status, headers,
environment, arguments and body are the same, but for the table of intended differences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.realworld import cases
from tests.realworld.intended import DIFFERENCES, ONLY_APACHES, ONLY_OURS
from tests.realworld.pair import Case, Pair, differences, exchange
from tests.realworld.site import new_pair

pytestmark = [pytest.mark.realworld, pytest.mark.needs("apache2", "perl")]


@pytest.fixture(scope="module")
def pair(new_root: Callable[[], Path]) -> Iterator[Pair]:
    both = new_pair(new_root())
    try:
        yield both.start()
    finally:
        both.stop()


def _intended(case: Case) -> dict[str, tuple[str | None, str | None]]:
    return {name: values for row in DIFFERENCES if case.name in row.cases for name, values in row.facts.items()}


@pytest.mark.parametrize("case", cases.ALL, ids=lambda case: case.name)
def test_the_answer_is_that_of_Apache(pair: Pair, case: Case) -> None:
    ours, theirs = pair.both(case)
    found = {
        name: values
        for name, values in differences(ours, theirs).items()
        if not (values[1] is None and ONLY_OURS.fullmatch(name))
        and not (values[0] is None and ONLY_APACHES.fullmatch(name))
    }
    assert found == _intended(case)


def test_a_body_that_is_not_read_does_not_cost_the_answer(pair: Pair) -> None:
    """Apache resets the connection more often than not, and its client then sees no answer."""
    port = pair.gateway.port
    answer = exchange(port, cases.UNREAD.message(port), "POST")
    assert (answer.status, answer.body) == (200, b"done")


def test_every_intended_difference_is_tried() -> None:
    names = [case.name for case in cases.ALL]
    assert len(names) == len(set(names))
    assert {name for row in DIFFERENCES for name in row.cases} <= set(names)
