"""What a URL of the status page asks for: a form, filters, an order (pure)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

FORMS = ("auto", "json", "events", "login")
STATES = ("idle", "busy", "waiting")
RANGES = ("minutes", "hours")
COLUMNS = (
    "id", "cgi_name", "handle", "user", "pid", "state", "requests", "age", "idle", "left", "memory", "cpu",
    "bytes", "bytes_in", "bytes_out", "last", "queue", "host", "file", "timeout", "began", "busy",
)  # fmt: skip
_SEARCHED = ("id", "cgi_name", "handle", "user", "pid", "last", "host")
_VIEW = ("find", "state", "sort", "order", "range", "rows", "refresh")
_DONE = ("done", "id")
_MOST_ROWS = 1000
_MOST_FIELDS = 32
_LONGEST_WORD = 200
_SLOWEST = 86400  # seconds between two reloads
_REFRESH = 10
Row = Mapping[str, Any]


class BadQuery(ValueError):
    """A value that cannot be meant; the text says what was expected."""


class Query(NamedTuple):
    """`form`: one of FORMS, or "" for the page. `end`, `extend` and what `done` has: as they came; `refresh`:
    seconds, 0 for none; `rows`: the most that are shown. `kept`: what the URL said of the view, for links."""

    form: str = ""
    find: str = ""
    state: str = ""
    sort: str = ""
    order: str = "asc"
    range: str = "minutes"
    rows: int = _MOST_ROWS
    refresh: int = 0
    end: str = ""
    extend: str = ""
    done: Mapping[str, str] = {}
    kept: Mapping[str, str] = {}


def parse(raw: bytes) -> Query:
    """The query of a URL; names that are not known are left out. Raises BadQuery."""
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise BadQuery(f"expected at most {_MOST_FIELDS} words in the URL, found more") from None
    given = {name: value[:_LONGEST_WORD] for name, value in pairs}
    form = next((name for name in FORMS if name in given), "")
    return Query(
        form,
        given.get("find", ""),
        _choice(given, "state", STATES, ""),
        _choice(given, "sort", COLUMNS, ""),
        _choice(given, "order", ("asc", "desc"), "asc"),
        _choice(given, "range", RANGES, "minutes"),
        _number(given, "rows", 1, _MOST_ROWS, 1_000_000),
        _number(given, "refresh", 1, _REFRESH, _SLOWEST) if "refresh" in given else 0,
        given.get("end", ""),
        given.get("extend", ""),
        {name: given[name] for name in _DONE if name in given},
        {name: given[name] for name in _VIEW if given.get(name)},
    )


def chosen(sessions: Sequence[Row], query: Query) -> list[Row]:
    """The sessions that are asked for, in the order that is asked for; rows without a value are last."""
    word = query.find.strip().lower()
    found = [
        row
        for row in sessions
        if (not query.state or row["state"] == query.state)
        and (not word or any(word in str(row[name] or "").lower() for name in _SEARCHED))
    ]
    return _sorted(found, query.sort, query.order == "desc") if query.sort else found


def _sorted(rows: list[Row], column: str, descending: bool) -> list[Row]:
    known = [row for row in rows if _value(row, column) is not None]
    return sorted(known, key=lambda row: _value(row, column), reverse=descending) + [
        row for row in rows if _value(row, column) is None
    ]


def _value(row: Row, column: str) -> Any:
    if column == "id":
        return tuple(map(int, row["id"].split(".")))
    return row["bytes_in"] + row["bytes_out"] if column == "bytes" else row[column]


def _choice(given: Mapping[str, str], name: str, known: tuple[str, ...], default: str) -> str:
    value = given.get(name) or default
    if value != default and value not in known:
        raise BadQuery(f"{name}: expected one of {', '.join(known)}, found {value!r}")
    return value


def _number(given: Mapping[str, str], name: str, least: int, default: int, most: int) -> int:
    value = given.get(name) or str(default)
    if not value.isascii() or not value.isdecimal() or not least <= int(value) <= most:
        raise BadQuery(f"{name}: expected a number from {least} to {most}, found {value!r}")
    return int(value)
