"""Regular expressions that say where a URL path leads: `$0` to `$9` in a target (mod_alias)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.regexes import compiled
from gateway.directives.readers.values import absolute

_REFERENCE = re.compile(r"\\([$\\])|\$([0-9])")


@dataclass(frozen=True)
class Substitution:
    r"""`target` with what groups of `pattern` matched in place of `$1`; `\$` is a dollar sign."""

    pattern: str
    target: str
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_regex", compiled(self.pattern))
        groups = [int(found[2]) for found in _REFERENCE.finditer(self.target) if found[2]]
        if groups and max(groups) > self._regex.groups:
            raise Malformed(
                f"at most ${self._regex.groups} (the groups of {shown([self.pattern])})", shown([self.target])
            )

    def apply(self, url: str, quote: Callable[[str], str] = str) -> str | None:
        """The target for a URL path, each matched text passed through `quote`; None when it does not match."""
        match = self._regex.search(url)
        if match is None:
            return None
        return _REFERENCE.sub(lambda part: part[1] or quote(match[int(part[2])] or ""), self.target)

    @property
    def base(self) -> str:
        """The folder in which every target lies, without its slash; the target if it is always the same."""
        found = _REFERENCE.search(self.target)
        return self.target if found is None else self.target[: found.start()].rpartition("/")[0]

    @property
    def reach(self) -> re.Pattern[str]:
        """What every target matches."""
        parts = (
            re.escape(text) for text in _REFERENCE.sub(lambda part: part[1] or "\0", self.target).split("\0")
        )
        return re.compile(r"\A" + ".*".join(parts) + r"(?:/|\Z)", re.DOTALL)


class AliasPattern(NamedTuple):
    """URL paths that match lead to files, or (`scripted`) to programs."""

    substitution: Substitution
    scripted: bool


AliasPatterns = tuple[AliasPattern, ...]


class AliasMatchReader(NamedTuple):
    """`regex target`."""

    scripted: bool
    syntax: str = "regex directory|file"

    def read(self, words: Words, root: str) -> AliasPatterns:
        """One pattern; the target is made absolute."""
        if len(words) != 2:
            raise Malformed(self.syntax, shown(words))
        return (AliasPattern(Substitution(words[0], absolute(words[1], root)), self.scripted),)

    def lines(self, value: AliasPatterns) -> Iterable[Words]:
        """One line for each pattern of this kind."""
        return [
            (one.substitution.pattern, one.substitution.target)
            for one in value
            if one.scripted is self.scripted
        ]
