"""What a URL of the status page asks for."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.status.query import COLUMNS, BadQuery, chosen, parse

NUMBERS = st.none() | st.integers(0, 9) | st.floats(0, 9)
TEXTS = st.none() | st.text(max_size=5)


def row(number: str, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = dict.fromkeys(COLUMNS)
    return found | {"id": number, "state": "idle", "bytes_in": 0, "bytes_out": 0} | more


@given(st.binary(max_size=60))
def test_any_query_is_taken_or_refused_with_a_text(raw: bytes) -> None:
    try:
        query = parse(raw)
    except BadQuery as error:
        assert "expected" in str(error)
    else:
        assert 1 <= query.rows <= 1_000_000 and query.range in ("minutes", "hours")


@pytest.mark.parametrize(
    "raw",
    [
        b"state=asleep",
        b"sort=token",
        b"order=up",
        b"range=days",
        b"rows=0",
        b"rows=0000000019999999",
        b"refresh=x",
    ],
)
def test_a_value_that_cannot_be_meant_is_told_with_what_was_expected_and_found(raw: bytes) -> None:
    name, _, value = raw.decode().partition("=")
    with pytest.raises(BadQuery, match=f"{name}: expected .*{value}"):
        parse(raw)


def test_names_that_are_not_known_are_left_out() -> None:
    query = parse(b"colour=red&find=ada&refresh&sort=idle")
    assert (query.find, query.refresh, query.sort) == ("ada", 10, "idle")
    assert query.kept == {"find": "ada", "sort": "idle"}


@given(st.lists(NUMBERS, max_size=8), st.booleans())
def test_rows_are_sorted_and_those_without_a_value_are_last(values: list[Any], down: bool) -> None:
    rows = [row(str(number), left=value) for number, value in enumerate(values)]
    found = [one["left"] for one in chosen(rows, parse(b"sort=left&order=" + (b"desc" if down else b"asc")))]
    known = sorted((value for value in values if value is not None), reverse=down)
    assert found == known + [None] * values.count(None)


@given(st.permutations(["1", "2", "10", "10.2", "10.11"]))
def test_ids_are_sorted_as_numbers(ids: list[str]) -> None:
    found = chosen([row(one) for one in ids], parse(b"sort=id"))
    assert [one["id"] for one in found] == ["1", "2", "10", "10.2", "10.11"]


def test_filters_add_up() -> None:
    rows = [row("1", user="ada"), row("2", user="ada", state="busy"), row("3", user="bob", state="busy")]
    assert [one["id"] for one in chosen(rows, parse(b"find=ADA&state=busy"))] == ["2"]
    assert [one["id"] for one in chosen(rows, parse(b"find=3"))] == ["3"]


def test_bytes_are_those_of_both_ways() -> None:
    rows = [row("1", bytes_in=5, bytes_out=1), row("2", bytes_in=0, bytes_out=4)]
    assert [one["id"] for one in chosen(rows, parse(b"sort=bytes"))] == ["2", "1"]
