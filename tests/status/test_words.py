"""How the status page writes values."""

from __future__ import annotations

import pytest

from gateway.status.words import NOTHING, told


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (5.9, "span", "5 s"), (185.0, "span", "3 min 5 s"), (7500, "span", "2 h 5 min"),
        (273600, "span", "3 d 4 h"),
        (512, "size", "512 B"), (1258291, "size", "1.2 MiB"), (12 * 2**20, "size", "12 MiB"),
        (2**41, "size", "2048 GiB"),
        (0.071, "effort", "0.07 s"), (12.34, "effort", "12.3 s"), (185, "effort", "3 min 5 s"),
        (12345, "number", "12,345"), ({"timed-out": 12, "ended": 3}, "counts", "3 ended, 12 timed-out"),
        ({}, "counts", "none"), (True, "state", "yes"), (False, "state", NOTHING), ("busy", "state", "busy"),
    ],
)  # fmt: skip
def test_values_are_written_for_people(value: object, kind: str, text: str) -> None:
    assert told(value, kind) == text


@pytest.mark.parametrize("kind", ["span", "left", "size", "effort", "number", "clock", "text", "long"])
def test_what_is_not_known_is_a_dash(kind: str) -> None:
    assert told(None, kind) == NOTHING
