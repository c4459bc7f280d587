"""How the status page writes values: filters of its templates. status.js writes the same while it is live."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from gateway.directives.readers.units import format_time
from gateway.status.charts import CHARTS

NOTHING = "–"
_UNITS = ((86400, "d", 3600, "h"), (3600, "h", 60, "min"), (60, "min", 1, "s"))


def span(seconds: float | None) -> str:
    """A time that has passed or is left: `5 s`, `3 min 5 s`, `2 h 5 min`, `3 d 4 h`."""
    if seconds is None:
        return NOTHING
    whole = int(seconds)
    for large, name, small, smaller in _UNITS:
        if whole >= large:
            return f"{whole // large} {name} {whole % large // small} {smaller}"
    return f"{whole} s"


def size(count: float | None) -> str:
    """Bytes: `512 B`, `1.2 MiB`, `12 MiB`."""
    if count is None:
        return NOTHING
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < 1024 or unit == "GiB":
            return f"{count:.1f} {unit}" if unit != "B" and count < 9.95 else f"{count:.0f} {unit}"
        count /= 1024
    raise AssertionError


def effort(seconds: float | None) -> str:
    """Processor time: `0.07 s`, `12.3 s`, `3 min 5 s`."""
    if seconds is None:
        return NOTHING
    if seconds >= 60:
        return span(seconds)
    return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"


def number(count: int | None) -> str:
    """`12,345`."""
    return NOTHING if count is None else f"{count:,}"


def clock(seconds: float | None) -> str:
    """A time of the wall clock, in this server's time zone: `2026-11-22 15:23:05`."""
    return NOTHING if seconds is None else time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def counts(numbers: Mapping[str, int]) -> str:
    """`3 ended, 12 timed-out`, by name."""
    return ", ".join(f"{count:,} {name}" for name, count in sorted(numbers.items())) or "none"


def text(value: object) -> str:
    """A text, or NOTHING."""
    return NOTHING if value is None or value == "" else str(value)


def zone(seconds: float) -> int:
    """How many seconds the time zone of this server was ahead of UTC."""
    return time.localtime(seconds).tm_gmtoff


def state(value: object) -> str:
    """A word of its own, `yes` for what is so."""
    return ("yes" if value else NOTHING) if isinstance(value, bool) else text(value)


KINDS: Mapping[str, Callable[[Any], str]] = {
    "span": span, "size": size, "effort": effort, "number": number, "clock": clock, "counts": counts,
    "text": text, "id": text, "long": text, "state": state, "left": span,
}  # fmt: skip
"""How a kind of column is written (data-kind in the page)."""


def told(value: Any, kind: str) -> str:
    """A value as its kind is written."""
    return KINDS[kind](value)


def chart_title(name: str) -> str:
    """The heading of a chart."""
    return CHARTS[name].title


def granted(seconds: float) -> str:
    """A time as a directive or a form takes it: `90s`, `30m`."""
    return format_time(round(seconds, 3))


FILTERS: Mapping[str, Callable[..., object]] = {
    "told": told,
    "zone": zone,
    "chart_title": chart_title,
    "granted": granted,
}
"""For the environment of the templates."""
