"""`SetEnv`, `UnsetEnv` and `PassEnv`: one value, changed by three directives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from gateway.directives.directive import Merging, Words
from gateway.directives.problems import Malformed, shown


class Mark(Enum):
    """What else than a value a variable can have."""

    PASSED = "taken from the server's own environment"
    UNSET = "taken away"


class Environment(NamedTuple):
    """What the directives say about each variable, the last word of each."""

    names: Mapping[str, str | Mark] = MappingProxyType({})

    def effective(self, server: Mapping[str, str]) -> dict[str, str]:
        """The variables a program gets, given the server's own environment."""
        variables = {
            name: server.get(name) if said is Mark.PASSED else said for name, said in self.names.items()
        }
        return {name: value for name, value in variables.items() if isinstance(value, str)}


def _combined(values: Sequence[Environment]) -> Environment:
    return Environment(MappingProxyType({name: said for value in values for name, said in value.names.items()}))


MERGED: Merging[Environment] = Merging(
    "lines add up in order of reading; the last one of a name counts",
    _combined,
    lambda outer, inner: _combined([outer, inner]),
)


def _checked(names: Words) -> Words:
    if not names or any(not name or "=" in name for name in names):
        raise Malformed("names of variables, without =", shown(names))
    return names


class SetReader(NamedTuple):
    """`name [value]`."""

    syntax: str = "name [value]"

    def read(self, words: Words, root: str) -> Environment:
        """One variable; without a value it is empty."""
        if len(words) > 2:
            raise Malformed("a name and one value (in quotes if it has blanks)", shown(words))
        return Environment(MappingProxyType({_checked(words[:1])[0]: "".join(words[1:])}))

    def lines(self, value: Environment) -> Iterable[Words]:
        """One line for each variable that is set."""
        return [(name, said) for name, said in value.names.items() if isinstance(said, str)]


class MarkReader(NamedTuple):
    """`name …`, all with the same mark."""

    mark: Mark
    syntax: str = "name …"

    def read(self, words: Words, root: str) -> Environment:
        """The named variables."""
        return Environment(MappingProxyType(dict.fromkeys(_checked(words), self.mark)))

    def lines(self, value: Environment) -> Iterable[Words]:
        """One line for all."""
        names = [name for name, said in value.names.items() if said is self.mark]
        return [names] if names else []
