"""How fast a client has to be: `RequestReadTimeout` (Apache, mod_reqtimeout)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.units import format_time, parse_time

_PART = re.compile(
    r"(handshake|header|body)=([^-,]+)(?:-([^,]+))?(?:,MinRate=([1-9][0-9]{0,8}))?", re.IGNORECASE
)


class Pace(NamedTuple):
    """`first` seconds (0: no limit), and one more for every `rate` bytes (0: none), up to `most`."""

    first: float
    most: float | None = None
    rate: int = 0

    def allowed(self, count: int) -> float:
        """Seconds that a client has who has sent so many bytes."""
        if not self.first:
            return float("inf")
        seconds = self.first + count / self.rate if self.rate else self.first
        return seconds if self.most is None else min(seconds, self.most)

    def __str__(self) -> str:
        most = "" if self.most is None else f"-{format_time(self.most)}"
        return format_time(self.first) + most + (f",MinRate={self.rate}" if self.rate else "")


Paces = Mapping[str, Pace]
PACES: Paces = MappingProxyType(
    {"handshake": Pace(10), "header": Pace(20, 40, 500), "body": Pace(20, None, 500)}
)


class PaceReader(NamedTuple):
    """`header=20-40,MinRate=500 body=20,MinRate=500 handshake=10`, each part once."""

    syntax: str = "[handshake=time] [header=time[-time][,MinRate=n]] [body=time[-time][,MinRate=n]]"

    def read(self, words: Words, root: str) -> Paces:
        """The parts that are named."""
        found: dict[str, Pace] = {}
        for word in words:
            name, pace = self._part(word)
            if name in found:
                raise Malformed(f"{name} once", shown(words))
            found[name] = pace
        if not found:
            raise Malformed(self.syntax, shown(words))
        return MappingProxyType(found)

    def _part(self, word: str) -> tuple[str, Pace]:
        match = _PART.fullmatch(word)
        if match is None:
            raise Malformed(self.syntax, shown([word]))
        first, most = parse_time(match[2]), None if match[3] is None else parse_time(match[3])
        if most is not None and (most < first or match[4] is None):
            raise Malformed("a longer time behind the -, and MinRate", shown([word]))
        if match[1].lower() == "handshake" and match[4] is not None:
            raise Malformed("handshake=time", shown([word]))
        return match[1].lower(), Pace(first, most, int(match[4] or 0))

    def lines(self, value: Paces) -> Iterable[Words]:
        """One line."""
        return [[f"{name}={pace}" for name, pace in value.items()]]
