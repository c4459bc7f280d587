from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives.problems import Malformed
from gateway.directives.readers.units import format_size, format_time, parse_size, parse_time


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90", 90.0),
        ("90s", 90.0),
        ("5m", 300.0),
        ("1h", 3600.0),
        ("250ms", 0.25),
        ("5 mins", 300.0),
        ("2 mins 30 secs", 150.0),
        ("1 hour", 3600.0),
        ("1H30M", 5400.0),
        ("0", 0.0),
    ],
)
def test_times_of_every_spelling_are_read(text: str, seconds: float) -> None:
    assert parse_time(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "1.5", "5 parsecs", "1m 30", "1 30", "١"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="expected a time such as"):
        parse_time(text)


@pytest.mark.parametrize(
    ("text", "size"), [("0", 0), ("8190", 8190), ("64K", 65536), ("10m", 10 << 20), ("1G", 1 << 30)]
)
def test_sizes_of_every_unit_are_read(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["9" * 1000, "99999999d"])
def test_times_that_no_clock_reaches_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_time(text)


@pytest.mark.parametrize("text", ["", "K", "-1", "1T", "1.5M", "9" * 1000])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="expected a size"):
        parse_size(text)


@given(st.integers(0, 10**11))
def test_every_time_is_read_as_it_was_written(milliseconds: int) -> None:
    seconds = parse_time(f"{milliseconds // 1000}s {milliseconds % 1000}ms")
    assert parse_time(format_time(seconds)) == seconds


@given(st.integers(0, 10**15 - 1))
def test_every_size_is_read_as_it_was_written(size: int) -> None:
    assert parse_size(format_size(size)) == size


@given(st.text())
def test_only_the_declared_error_escapes(text: str) -> None:
    for parse in (parse_time, parse_size):
        try:
            parse(text)
        except Malformed:
            continue
