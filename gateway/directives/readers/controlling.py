"""`ServerStatusControl`: who may act on the status page (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gateway.directives.directive import Merging, Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.requirements import MERGED as REQUIRED
from gateway.directives.readers.requirements import Condition, Rules
from gateway.directives.readers.requiring import RequireReader

_KINDS = ("all", "valid-user", "user", "group", "ip", "local", "env")
_REQUIRE = RequireReader()
NOBODY = Rules((Condition("all", ("denied",)),))
MERGED: Merging[Rules] = Merging(
    "lines of one section add up; an inner section's replace the outer's",
    REQUIRED.within,
    lambda outer, inner: inner,
    inherits=False,
)


class ControlReader(NamedTuple):
    """`none`, or one test as Require has it."""

    syntax: str = "none|all granted|valid-user|user name …|group name …|ip net …|local|env name …"

    def read(self, words: Words, root: str) -> Rules:
        """One test. `not` and `method` are none: what is asked for is always the same."""
        said = [words[0].lower(), *words[1:]] if words else []
        if said == ["none"]:
            return NOBODY
        if not said or said[0] not in _KINDS:
            known = f"none, or one of {', '.join(_KINDS)} with what Require has behind it"
            raise Malformed(known, shown(words))
        return _REQUIRE.read(words, root)

    def lines(self, value: Rules) -> Iterable[Words]:
        """One line for each test."""
        return [["none"]] if value == NOBODY else _REQUIRE.lines(value)
