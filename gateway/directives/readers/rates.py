"""How many in which time: `PersistentCGIClientRate`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown

_RATE = re.compile(r"([0-9]{1,9})(?:/(second|minute))?", re.IGNORECASE)
_BURST = re.compile("[1-9][0-9]{0,5}")
_SECONDS = {"second": 1.0, "minute": 60.0}


class Rate(NamedTuple):
    """`number` in the time of a `unit`; `burst` at once after a rest."""

    number: int
    unit: str
    burst: int

    @property
    def each(self) -> float:
        """Seconds in which one more is allowed."""
        return _SECONDS[self.unit] / self.number


class RateReader(NamedTuple):
    """`n/second [burst]` or `n/minute [burst]`; 0 is no limit."""

    syntax: str = "n/second|n/minute [burst] | 0"

    def read(self, words: Words, root: str) -> Rate | None:
        """The rate; the burst that is not named is n. None: no limit."""
        match = _RATE.fullmatch(words[0]) if words else None
        if match is None or len(words) > 2 or (match[2] is None and int(match[1])):
            raise Malformed("n/second or n/minute, a burst behind it or not; or 0", shown(words))
        if len(words) == 2 and not _BURST.fullmatch(words[1]):
            raise Malformed("a burst of 1 to 999999", shown(words[1:]))
        number = int(match[1])
        if not number:
            return None
        return Rate(number, match[2].lower(), int(words[1]) if words[1:] else number)

    def lines(self, value: Rate | None) -> Iterable[Words]:
        """One line."""
        return [["0"]] if value is None else [[f"{value.number}/{value.unit}", str(value.burst)]]
