"""What fuzzing has found once stays mended: the seeds and every case of a target, in the plain suite."""

from __future__ import annotations

import pytest

from tests.fuzz.target import CASES, NAMES, cases, load


@pytest.mark.parametrize("name", NAMES)
def test_the_seeds_and_the_cases_that_were_found_pass(name: str) -> None:
    target = load(name)
    for seed in target.seeds:
        target.check(seed)
    for case, data in cases(name):
        try:
            target.check(data)
        except Exception as error:
            raise AssertionError(f"{CASES / name / case}: {data!r}") from error


def test_every_folder_of_cases_belongs_to_a_target() -> None:
    assert {path.name for path in CASES.iterdir()} <= set(NAMES)
