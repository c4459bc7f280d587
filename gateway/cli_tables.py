"""What the commands of a running gateway print for people: tables, and colours where a terminal takes them."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from typing import Any

import click

from gateway.directives.readers.units import format_time

_COLUMNS = ("ID", "STATE", "LEFT", "AGE", "IDLE", "REQ", "WAIT", "USER", "PID", "MEM", "CPU", "PROGRAM", "LAST")
_RIGHT = frozenset(("LEFT", "AGE", "IDLE", "REQ", "WAIT", "PID", "MEM", "CPU"))
_COLOURS = {"idle": "green", "busy": "yellow", "waiting": "yellow", "serving": "green", "draining": "yellow"}
_SOON = 60.0  # seconds
_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "m"), (60, "m", 1, "s"))


def size() -> tuple[int, int]:
    """Columns and rows of the terminal."""
    return shutil.get_terminal_size((132, 40))


def span(seconds: float | None) -> str:
    """A time for people: `59s`, `4m10s`, `2h05m`; `-` for none."""
    if seconds is None:
        return "-"
    whole = round(seconds)
    for large, name, small, smaller in _UNITS:
        if whole >= large:
            return f"{whole // large}{name}{whole % large // small:02}{smaller}"
    return f"{whole}s"


def amount(count: float | None) -> str:
    """Bytes for people: `512`, `3.4K`, `12M`; `-` for none."""
    if count is None:
        return "-"
    for unit in ("", "K", "M", "G"):
        if count < 1024 or unit == "G":
            return f"{count:.0f}{unit}" if not unit or count >= 10 else f"{count:.1f}{unit}"
        count /= 1024
    raise AssertionError


def moment(seconds: float | None) -> str:
    """A time of the wall clock."""
    return "-" if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S %Z", time.localtime(seconds))


def plain(text: str | None) -> str:
    """A text from outside, in which nothing speaks to the terminal; `-` for none."""
    return "-" if text is None else "".join(one if one.isprintable() else "?" for one in text)


def styled(text: str, **how: Any) -> str:
    """Coloured, unless the output is no terminal or NO_COLOR is set (no-color.org)."""
    return click.style(text, **how) if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def sessions(answer: dict[str, Any]) -> str:
    """One line a session."""
    found = answer["sessions"]
    count = f"{len(found)} session{'' if len(found) == 1 else 's'}"
    if answer["another_front"]:
        count += "; more may be with a front that finishes its requests"
    return "\n".join((count, *_table([_COLUMNS, *map(_cells, found)], [one["state"] for one in found])))


def _cells(one: dict[str, Any]) -> tuple[str, ...]:
    cpu = "-" if one["cpu"] is None else f"{one['cpu']:.1f}s"
    left = span(one["left"])
    return (
        one["id"], one["state"], left, span(one["age"]), span(one["idle"]), str(one["requests"]),
        str(one["queue"]), plain(one["user"]), str(one["pid"]), amount(one["memory"]), cpu,
        f"{plain(one['cgi_name'])}/{plain(one['handle'])}", plain(one["last"]),
    )  # fmt: skip


def _table(rows: Sequence[tuple[str, ...]], states: Sequence[str]) -> Iterator[str]:
    widths = [max(len(row[at]) for row in rows) for at in range(len(_COLUMNS))]
    most = size()[0] if sys.stdout.isatty() else None
    for row, state in zip(rows, ("", *states), strict=True):
        padded = (
            cell.rjust(width) if name in _RIGHT else cell.ljust(width)
            for cell, width, name in zip(row, widths, _COLUMNS, strict=True)
        )
        line = "  ".join(padded).rstrip()[:most]
        yield styled(line, bold=True) if not state else _in_colour(line, state)


def _in_colour(line: str, state: str) -> str:
    before, found, after = line.partition(f" {state} ")
    return before + styled(found, fg=_COLOURS.get(state)) + after if found else line


def session(one: dict[str, Any]) -> str:
    """One session, living or over."""
    lines = _living(one) if "ends" in one else _over(one)
    return "\n".join(lines)


def _living(one: dict[str, Any]) -> Iterator[str]:
    yield f"session {styled(one['id'], bold=True)}: {styled(one['state'], fg=_COLOURS.get(one['state']))}"
    yield from _facts(
        ("program", f"{plain(one['cgi_name'])} ({plain(one['file'])})"),
        ("host", plain(one["host"]) or "-"),
        ("handle", plain(one["handle"])),
        ("user", plain(one["user"])),
        ("process", f"{one['pid']}{', shared by many sessions' if one['shared'] else ''}"),
        (
            "memory, CPU",
            f"{amount(one['memory'])}, {'-' if one['cpu'] is None else format(one['cpu'], '.2f')} s",
        ),
        ("began", f"{moment(one['began'])}, {span(one['age'])} ago"),
        ("requests", f"{one['requests']}, the last one {span(one['idle'])} ago: {plain(one['last'])}"),
        ("busy", f"{one['busy']:.3f} s in all; {amount(one['bytes_in'])} in, {amount(one['bytes_out'])} out"),
        ("queue", f"{one['queue']} of at most {one['queue_most']}"),
        ("seconds left", _left(one["left"])),
        ("granted", f"{format_time(round(one['timeout'], 3))}, at most {format_time(one['most'])}"),
    )
    yield f"alive because {plain(one['alive'])}"
    yield "what will end it:"
    yield from (f"  - {plain(text)}" for text in one["ends"])


def _left(left: float | None) -> str:
    if left is None:
        return "its clock stands"
    text = f"{left:.0f}, until {moment(time.time() + left)}"
    return styled(text, fg="red") if left < _SOON else text


def _over(one: dict[str, Any]) -> Iterator[str]:
    known = "text" in one
    out_of_date = "this handle is out of date, its session went on under a newer one"
    what = out_of_date if one["state"] == "replaced" else "this session is over"
    yield f"{what}: {styled(one['reason'], bold=True)}"
    yield from _facts(("when", plain(one["ended"])))
    if known:
        yield from _facts(
            ("log", plain(one["text"])),
            ("session", one["id"] or "-"),
            ("program", f"{plain(one['cgi_name'])} on {plain(one['host']) or 'the main server'}"),
            ("user", plain(one["user"])),
            ("began", moment(one["began"])),
            ("requests", str(one["requests"])),
        )
    if one["story"]:
        yield "what its user is told:"
        yield from (f"  {plain(text)}" for text in one["story"])


def _facts(*pairs: tuple[str, str]) -> Iterator[str]:
    return (f"  {name:<17}{value}" for name, value in pairs)


def status(one: dict[str, Any]) -> str:
    """The gateway as a whole."""
    return "\n".join(_status(one))


def _status(one: dict[str, Any]) -> Iterator[str]:
    state = one["state"]
    yield f"persistent-cgi {one['version']}: {styled(state, fg=_COLOURS.get(state, 'red'), bold=True)}"
    counts, limits = one["sessions"], one["limits"]
    yield from _facts(
        ("configuration", plain(one["configuration"])),
        ("listens on", plain(", ".join(one["listeners"]))),
        ("keeper", _process(one["keeper"])),
        (
            "front",
            _process(one["front"]) + ("; another one finishes its requests" if one["another_front"] else ""),
        ),
        *((("last reload", f"refused: {plain(refusal)}"),) if (refusal := one["reloads"]["refusal"]) else ()),
        ("sessions", f"{counts['idle']} idle, {counts['busy']} busy, {counts['waiting']} waiting"),
        ("running", f"{one['calls']} requests to programs"),
        *((name, _full(limit)) for name, limit in limits.items()),
        (
            "created",
            f"{one['created']} sessions by {one['starts']} starts; {one['requests']} further requests, "
            f"{one['in_lane']} by the session lane",
        ),
        ("ended", ", ".join(f"{count} {word}" for word, count in sorted(one["ended"].items())) or "none"),
    )
    if one["recent"]:
        yield "newest endings:"
    for ending in reversed(one["recent"]):
        name = f"{plain(ending['cgi_name'])}/{plain(ending['handle'])}"
        when, number, reason = moment(ending["at"]), ending["id"], ending["reason"]
        yield f"  {when}  {number:>5}  {reason:<9} {name}  {plain(ending['text'])}"


def _process(one: dict[str, Any]) -> str:
    text = f"pid {one['pid']}, since {moment(one['since'])}"
    return f"{text}, {amount(one['memory'])}, {one['cpu']:.1f} s of CPU" if "memory" in one else text


def _full(limit: dict[str, int]) -> str:
    used, most = limit["used"], limit["most"]
    text = f"{used} of {most}"
    return styled(text, fg="red", bold=True) if used >= most else text
