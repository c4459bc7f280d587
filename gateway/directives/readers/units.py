"""Times and sizes as text (spec 3, "Rules")."""

from __future__ import annotations

import re

from gateway.directives.problems import Malformed, shown

_TIME_UNITS = {  # in milliseconds
    "ms": 1,
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds"), 1000),
    **dict.fromkeys(("m", "min", "mi", "mins", "minute", "minutes"), 60_000),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours"), 3_600_000),
    **dict.fromkeys(("d", "day", "days"), 86_400_000),
}
_LONGEST = 10**12  # milliseconds, 31 years: sums stay exact in a float of seconds
_TIME_EXPECTED = "a time such as 90, 90s, 5m, 1h, 250ms or 2 mins 30 secs"
_TIME_PART = re.compile(r"([0-9]{1,13}) *([a-z]*) *", re.ASCII)

_SIZE_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
_SIZE_EXPECTED = "a size in bytes such as 8190, 64K, 10M or 1G"
_SIZE = re.compile(r"([0-9]{1,15})([kmg]?)b?", re.ASCII)


def parse_time(text: str) -> float:
    """Seconds. A plain number is seconds; several parts with units add up."""
    lowered, position, total = text.strip(" \t").lower(), 0, 0
    while True:
        part = _TIME_PART.match(lowered, position)
        unit = part and (part[2] or ("s" if part.end() == len(lowered) and position == 0 else None))
        if part is None or unit not in _TIME_UNITS:
            raise Malformed(_TIME_EXPECTED, shown([text]))
        total += int(part[1]) * _TIME_UNITS[unit]
        position = part.end()
        if total > _LONGEST:
            raise Malformed("a time of at most 31 years", shown([text]))
        if position == len(lowered):
            return total / 1000


def format_time(seconds: float) -> str:
    """The shortest text of whole milliseconds that parse_time reads back."""
    milliseconds = round(seconds * 1000)
    for unit, size in (("h", 3_600_000), ("m", 60_000), ("s", 1000)):
        if milliseconds and milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    return f"{milliseconds}ms" if milliseconds else "0"


def parse_size(text: str) -> int:
    """Bytes; K, M and G are powers of 1024."""
    match = _SIZE.fullmatch(text.lower())
    if match is None:
        raise Malformed(_SIZE_EXPECTED, shown([text]))
    return int(match[1]) * _SIZE_UNITS[match[2]]


def format_size(size: int) -> str:
    """The shortest text that parse_size reads back."""
    for unit in ("G", "M", "K"):
        if size and size % _SIZE_UNITS[unit.lower()] == 0:
            return f"{size // _SIZE_UNITS[unit.lower()]}{unit}"
    return str(size)
