"""`Options`, merged as Apache does: a list replaces, `+` and `-` change what the outer section has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import NamedTuple

from gateway.directives.directive import Merging, Words
from gateway.directives.problems import Malformed, shown, suggestion

SERVED = ("ExecCGI", "FollowSymLinks", "SymLinksIfOwnerMatch")
WITHOUT_EFFECT = ("Includes", "IncludesNOEXEC", "Indexes", "MultiViews")
_ALL = frozenset(
    {*SERVED, *WITHOUT_EFFECT} - {"MultiViews", "IncludesNOEXEC"}
)  # Apache: All is all but MultiViews
_GROUPS = {"None": frozenset[str](), "All": _ALL}
_NAMES = {name.lower(): name for name in (*SERVED, *WITHOUT_EFFECT, *_GROUPS)}


@dataclass(frozen=True)
class Options:
    """What is on, or (absolute None) a change to what an outer section has."""

    absolute: frozenset[str] | None = frozenset()
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def then(self, later: Options) -> Options:
        """This one, changed by a later one."""
        if later.absolute is not None:
            return later
        if self.absolute is not None:
            return Options((self.absolute - later.removed) | later.added)
        return Options(
            None, (self.added - later.removed) | later.added, (self.removed - later.added) | later.removed
        )

    def __contains__(self, name: str) -> bool:
        return name in (self.absolute or ()) or name in self.added


MERGED: Merging[Options] = Merging(
    "`+` and `-` change what the outer section has; a list without them replaces it",
    lambda values: reduce(Options.then, values),
    Options.then,
)


def remarks(value: Options) -> list[str]:
    """What of the options has no effect."""
    return [f"Options {name} has no effect here" for name in WITHOUT_EFFECT if name in value]


class OptionsReader(NamedTuple):
    """`[+|-]name …`."""

    syntax: str = "[+|-]ExecCGI|FollowSymLinks|SymLinksIfOwnerMatch|All|None …"

    def read(self, words: Words, root: str) -> Options:
        """Absolute, or a change; a line may not mix both."""
        signed = [word for word in words if word[:1] in ("+", "-")]
        if not words or len(signed) not in (0, len(words)):
            raise Malformed("names that all begin with + or -, or none of them", shown(words))
        if not signed:
            return Options(frozenset().union(*map(self._names, words)))
        return reduce(Options.then, (self._change(word[0], word[1:]) for word in words))

    def _change(self, sign: str, word: str) -> Options:
        names = self._names(word)
        if not names:
            raise Malformed("an option after + or -", shown([sign + word]))
        return Options(None, added=names) if sign == "+" else Options(None, removed=names)

    def _names(self, word: str) -> frozenset[str]:
        name = _NAMES.get(word.lower())
        if name is None:
            raise Malformed(
                f"one of {', '.join(_NAMES.values())}", shown([word]) + suggestion(word, _NAMES.values())
            )
        return _GROUPS.get(name, frozenset([name]))

    def lines(self, value: Options) -> Iterable[Sequence[str]]:
        """One line."""
        if value.absolute is not None:
            return [sorted(value.absolute) or ["None"]]
        return [
            [*(f"+{name}" for name in sorted(value.added)), *(f"-{name}" for name in sorted(value.removed))]
        ]
