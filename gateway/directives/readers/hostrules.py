"""`Order`, `Allow`, `Deny` and `Satisfy`: Apache 2.2's access control by address (mod_access_compat; pure)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.directives.directive import Merging, Words
from gateway.directives.methods import Methods, within
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.networks import holds, network
from gateway.directives.readers.requirements import Facts
from gateway.directives.readers.setenvif import tested

EVERYBODY = "all"
ORDERS = ("deny,allow", "allow,deny", "mutual-failure")
_DEFAULT_ORDER = ORDERS[0]
_VARIABLE = "env="
_REMEMBERED = 1024


class HostRules(NamedTuple):
    """What one section says: `order` and `satisfy` None where it says nothing.

    `methods`: of a line within <Limit>. A section with such lines has all of its lines in `parts`, in order.
    """

    order: str | None = None
    allow: tuple[str, ...] = ()
    deny: tuple[str, ...] = ()
    satisfy: str | None = None
    methods: Methods | None = None
    parts: tuple[HostRules, ...] = ()

    @property
    def speaks(self) -> bool:
        """Whether anything is said about clients; `Satisfy` alone is not."""
        return bool(self.order or self.allow or self.deny) or any(part.speaks for part in self.parts)

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables on which it depends."""
        own = [entry for entry in self.allow + self.deny if entry.startswith(_VARIABLE)]
        named = tuple(entry.removeprefix(_VARIABLE).removeprefix("!") for entry in own)
        return named + tuple(name for part in self.parts for name in part.variables)

    def limited(self, methods: Methods | None) -> HostRules:
        """A line within <Limit>; one that stood in a Limit of its own already has its methods."""
        return self if self.methods else self._replace(methods=methods)

    def on(self, method: str) -> HostRules:
        """What is said of a method."""
        if not self.parts:
            return self
        return _joined([part for part in self.parts if part.methods is None or method in part.methods])

    def permits(self, facts: Facts) -> bool:
        """Whether a client may come in; what is said of its method only is asked (`on`)."""
        allowed, denied = _listed(self.allow, facts), _listed(self.deny, facts)
        if (self.order or _DEFAULT_ORDER) == _DEFAULT_ORDER:
            return allowed or not denied
        return allowed and not denied


NOTHING = HostRules()


def _listed(entries: tuple[str, ...], facts: Facts) -> bool:
    everybody, variables, networks = _sorted(entries)
    if everybody or any(_is_set(name, facts.variables) for name in variables):
        return True
    return networks != () and holds(networks, facts.address)


@lru_cache(maxsize=_REMEMBERED)
def _sorted(entries: tuple[str, ...]) -> tuple[bool, tuple[str, ...], tuple[str, ...]]:
    """Whether everybody is listed, names of variables, and networks."""
    variables = tuple(entry.removeprefix(_VARIABLE) for entry in entries if entry.startswith(_VARIABLE))
    networks = tuple(entry for entry in entries if entry != EVERYBODY and not entry.startswith(_VARIABLE))
    return EVERYBODY in entries, variables, networks


def _is_set(name: str, variables: Container[str]) -> bool:
    return name[1:] not in variables if name.startswith("!") else name in variables


def _combined(values: Sequence[HostRules]) -> HostRules:
    return HostRules(parts=tuple(values)) if any(value.methods for value in values) else _joined(values)


def _joined(values: Sequence[HostRules]) -> HostRules:
    orders = [value.order for value in values if value.order]
    satisfied = [value.satisfy for value in values if value.satisfy]
    return HostRules(
        orders[-1] if orders else None,
        tuple(entry for value in values for entry in value.allow),
        tuple(entry for value in values for entry in value.deny),
        satisfied[-1] if satisfied else None,
    )


MERGED: Merging[HostRules] = Merging(
    "Order, Allow, Deny and Satisfy of one section are one; an inner section's replace the outer's, all four",
    _combined,
    lambda outer, inner: inner,
    inherits=False,
)


class OrderReader(NamedTuple):
    """`deny,allow`, `allow,deny` or `mutual-failure`."""

    syntax: str = "|".join(ORDERS)

    def read(self, words: Words, root: str) -> HostRules:
        """The order alone."""
        said = "".join(words[:1]).lower()
        if len(words) != 1 or said not in ORDERS:
            raise Malformed(f"one of {' '.join(ORDERS)} (without a blank)", shown(words))
        return HostRules(order=said)

    def lines(self, value: HostRules) -> Iterable[Words]:
        """One word, or nothing."""
        for part in value.parts or (value,):
            yield from within(part.methods, [[part.order]]) if part.order else ()


class FromReader(NamedTuple):
    """`from all`, `from network …`, `from env=[!]name …`."""

    denies: bool
    syntax: str = "from all|net|env=[!]name …"

    def read(self, words: Words, root: str) -> HostRules:
        """The entries alone."""
        if len(words) < 2 or words[0].lower() != "from":
            raise Malformed(self.syntax, shown(words))
        entries = tuple(_entry(word) for word in words[1:])
        return HostRules(deny=entries) if self.denies else HostRules(allow=entries)

    def lines(self, value: HostRules) -> Iterable[Words]:
        """One line (one for each where there is a <Limit>), or nothing."""
        for part in value.parts or (value,):
            entries = part.deny if self.denies else part.allow
            yield from within(part.methods, [["from", *entries]]) if entries else ()


def _entry(word: str) -> str:
    lowered = word.lower()
    if lowered.startswith(_VARIABLE):
        name = word[len(_VARIABLE) :]
        tested(name.removeprefix("!"))
        return _VARIABLE + name
    return EVERYBODY if lowered == EVERYBODY else network(word)


class SatisfyReader(NamedTuple):
    """`all` or `any`."""

    syntax: str = "all|any"

    def read(self, words: Words, root: str) -> HostRules:
        """The word alone."""
        said = "".join(words[:1]).lower()
        if len(words) != 1 or said not in ("all", "any"):
            raise Malformed("all or any", shown(words))
        return HostRules(satisfy=said)

    def lines(self, value: HostRules) -> Iterable[Words]:
        """One word, or nothing."""
        for part in value.parts or (value,):
            yield from within(part.methods, [[part.satisfy]]) if part.satisfy else ()
