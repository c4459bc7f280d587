"""`Require` and its groups: who is let in, decided as Apache's mod_authz_core does (pure)."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from enum import Enum, auto
from typing import NamedTuple

from gateway.directives.directive import Container as Section
from gateway.directives.directive import Merging
from gateway.directives.methods import Methods, counted
from gateway.directives.readers.networks import holds


class Verdict(Enum):
    """What a requirement says: NEUTRAL has no say, NO_USER could become GRANTED if there were a user."""

    GRANTED = auto()
    DENIED = auto()
    NO_USER = auto()
    NEUTRAL = auto()


class Facts(NamedTuple):
    """What is known of a request. `address` is the client's (None: a Unix socket), `local`: it is this
    machine's; `groups` gives those of a user; `variables` has the names that SetEnvIf gave."""

    method: str
    address: str | None
    local: bool
    user: str | None
    groups: Callable[[str], frozenset[str]]
    variables: Container[str] = ()


class Condition(NamedTuple):
    """One `Require` line: a kind of the table below with its arguments. `methods`: it has no say on others."""

    kind: str
    words: tuple[str, ...] = ()
    negated: bool = False
    methods: Methods | None = None


class Group(NamedTuple):
    """`<RequireAll>`, `<RequireAny>` or `<RequireNone>`, by its name in the file."""

    name: str
    terms: tuple[Term, ...]
    methods: Methods | None = None

    @property
    def negated(self) -> bool:
        """Whether it can only take away, as `Require not` does."""
        return self.name == NONE.name


Term = Condition | Group


def needs_variables(term: Term) -> bool:
    """Whether it depends on variables of the request."""
    return any(map(needs_variables, term.terms)) if isinstance(term, Group) else term.kind == "env"


def _group(name: str, text: str) -> Section:
    return Section(name, syntax="", contexts="DLF", inside="", origin="Apache", help=text)


ALL = _group("RequireAll", "All `Require` lines and groups in it must grant; one at least without `not`.")
ANY = _group("RequireAny", "One of the `Require` lines and groups in it must grant. So it is without a group.")
NONE = _group("RequireNone", "None of the `Require` lines and groups in it may grant; only within RequireAll.")
GROUPS = (ALL, ANY, NONE)


class Rules(NamedTuple):
    """What one section says: its terms (any of them grants), and how they join an outer section's (AuthMerging;
    None: not said)."""

    terms: tuple[Term, ...] = ()
    joined: str | None = None

    def limited(self, methods: Methods | None) -> Rules:
        """The same within <Limit>; what stood in a Limit of its own already has its methods."""
        return Rules(
            tuple(one if one.methods else one._replace(methods=methods) for one in self.terms), self.joined
        )


def _within(values: Sequence[Rules]) -> Rules:
    said = [value.joined for value in values if value.joined is not None]
    return Rules(tuple(term for value in values for term in value.terms), said[-1] if said else None)


def _across(outer: Rules, inner: Rules) -> Rules:
    """AuthMerging speaks for its own section only."""
    if not inner.terms or not outer.terms or inner.joined in (None, "Off"):
        return Rules(inner.terms or outer.terms)
    name = ALL.name if inner.joined == "And" else ANY.name
    return Rules((Group(name, (Group(ANY.name, outer.terms), Group(ANY.name, inner.terms))),))


MERGED: Merging[Rules] = Merging(
    "lines of one section add up; an inner section's replace the outer's, unless AuthMerging joins both",
    _within,
    _across,
)


# ---- deciding


def decide(rules: Rules, facts: Facts) -> Verdict:
    """What the terms of a section say together; GRANTED lets in, nothing else does. Terms that all stand in
    <Limit> for other methods let in (Apache)."""
    if rules.terms and not any(_counts(term, facts.method) for term in rules.terms):
        return Verdict.GRANTED
    return _any(rules.terms, facts)


def _counts(term: Term, method: str) -> bool:
    """Whether a term has a say on this method; a group by what is in it."""
    if term.methods is not None and method not in term.methods:
        return False
    return not isinstance(term, Group) or any(_counts(inner, method) for inner in term.terms)


def _any(terms: Iterable[Term], facts: Facts) -> Verdict:
    result = Verdict.NEUTRAL
    for term in terms:
        said = _verdict(term, facts) if _counts(term, facts.method) else Verdict.NEUTRAL
        if said is Verdict.GRANTED:
            return said
        if result is Verdict.NEUTRAL or (said is Verdict.NO_USER and result is Verdict.DENIED):
            result = said
    return result


def _all(terms: Iterable[Term], facts: Facts) -> Verdict:
    result = Verdict.NEUTRAL
    for term in terms:
        said = _verdict(term, facts) if _counts(term, facts.method) else Verdict.GRANTED
        if said is Verdict.DENIED:
            return said
        if said is not Verdict.NEUTRAL and (result is Verdict.NEUTRAL or said is Verdict.NO_USER):
            result = said
    return result


def _verdict(term: Term, facts: Facts) -> Verdict:
    if isinstance(term, Group):
        said = (_all if term.name == ALL.name else _any)(term.terms, facts)
    else:
        said = _TESTS[term.kind](term.words, facts)
    if not term.negated:
        return said
    return Verdict.DENIED if said is Verdict.GRANTED else Verdict.NEUTRAL


def _of(holds_true: bool) -> Verdict:
    return Verdict.GRANTED if holds_true else Verdict.DENIED


def _of_user(facts: Facts, test: Callable[[str], bool]) -> Verdict:
    return Verdict.NO_USER if facts.user is None else _of(test(facts.user))


_TESTS: dict[str, Callable[[tuple[str, ...], Facts], Verdict]] = {
    "all": lambda words, facts: _of(words == ("granted",)),
    "valid-user": lambda words, facts: _of_user(facts, lambda user: True),
    "user": lambda words, facts: _of_user(facts, lambda user: user in words),
    "group": lambda words, facts: _of_user(facts, lambda user: not facts.groups(user).isdisjoint(words)),
    "ip": lambda words, facts: _of(holds(words, facts.address)),
    "local": lambda words, facts: _of(facts.local),
    "method": lambda words, facts: _of(counted(facts.method) in words),
    "env": lambda words, facts: _of(any(name in facts.variables for name in words)),
}
