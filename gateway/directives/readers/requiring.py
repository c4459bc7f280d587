"""`Require`, `AuthMerging` and the groups as lines of a file: read, checked and written (pure)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gateway.directives.directive import Container, Words
from gateway.directives.methods import counted, within
from gateway.directives.problems import Malformed, shown, suggestion
from gateway.directives.readers.networks import spelled
from gateway.directives.readers.requirements import ALL, Condition, Group, Rules, Term
from gateway.directives.readers.setenvif import tested


def _none(words: Words) -> tuple[str, ...]:
    if words:
        raise Malformed("nothing more", shown(words))
    return ()


def _some(words: Words) -> tuple[str, ...]:
    if not words or "" in words:
        raise Malformed("one name or more", shown(words))
    return tuple(words)


def _networks(words: Words) -> tuple[str, ...]:
    return spelled(_some(words))


def _methods(words: Words) -> tuple[str, ...]:
    return tuple(map(counted, _some(words)))


def _variables(words: Words) -> tuple[str, ...]:
    return tuple(map(tested, _some(words)))


def _granted_or_denied(words: Words) -> tuple[str, ...]:
    said = tuple(word.lower() for word in words)
    if said not in (("granted",), ("denied",)):
        raise Malformed("granted or denied after all", shown(words))
    return said


_READERS: dict[str, Callable[[Words], tuple[str, ...]]] = {
    "all": _granted_or_denied,
    "valid-user": _none,
    "user": _some,
    "group": _some,
    "ip": _networks,
    "local": _none,
    "method": _methods,
    "env": _variables,
}
_REASONS = {
    "host": "names of clients are not looked up: use ip",
    "forward-dns": "names are not looked up: use ip",
    "expr": "expressions are not evaluated",
}


class RequireReader(NamedTuple):
    """`[not] kind argument …`."""

    syntax: str = (
        "[not] all granted|all denied|valid-user|user name …|group name …|ip net …|local|method name …"
        "|env name …"
    )

    def read(self, words: Words, root: str) -> Rules:
        """One test."""
        negated = bool(words) and words[0].lower() == "not"
        rest = list(words[1:] if negated else words)
        kind = rest[0].lower() if rest else ""
        if kind not in _READERS:
            known = f"one of {', '.join(_READERS)}"
            reason = f" ({_REASONS[kind]})" if kind in _REASONS else suggestion(kind, _READERS)
            raise Malformed(known, shown(rest[:1]) + reason)
        return Rules((Condition(kind, _READERS[kind](rest[1:]), negated),))

    def lines(self, value: Rules) -> Iterable[Words]:
        """One line for each test; those of a group lie between its begin and its end."""
        return [line for term in value.terms for line in _lines(term)]


def _lines(term: Term) -> Iterator[Words]:
    return within(term.methods, _group_lines(term) if isinstance(term, Group) else [_words(term)])


def _words(term: Condition) -> Words:
    return ["not"] * term.negated + [term.kind, *term.words]


def _group_lines(group: Group) -> Iterator[Words]:
    yield [f"<{group.name}>"]
    for inner in group.terms:
        yield from _lines(inner)
    yield [f"</{group.name}>"]


class MergingReader(NamedTuple):
    """`Off|And|Or`."""

    syntax: str = "Off|And|Or"

    def read(self, words: Words, root: str) -> Rules:
        """Rules without a term."""
        said = "".join(words[:1]).capitalize()
        if len(words) != 1 or said not in ("Off", "And", "Or"):
            raise Malformed("one of Off, And, Or", shown(words))
        return Rules(joined=said)

    def lines(self, value: Rules) -> Iterable[Words]:
        """One word; none where nothing was said."""
        return [] if value.joined is None else [[value.joined]]


def check_member(group: Container | None, term: Term) -> None:
    """A term may stand in this group (None: directly in a section). Raises Malformed, as Apache does."""
    if term.negated and group is not ALL:
        where = f"<{group.name}>" if group else "no group, which is as in <RequireAny>"
        raise Malformed(
            "something that can grant; Require not and <RequireNone> belong into <RequireAll>", where
        )


def grouped(group: Container, values: Iterable[Rules]) -> Rules:
    """A finished group. Raises Malformed for one that could never have a say, or never grant."""
    terms = tuple(term for value in values for term in value.terms)
    if not terms:
        raise Malformed("at least one Require (an empty group would protect nothing)", "none")
    if group is ALL and all(term.negated for term in terms):
        raise Malformed("at least one Require without not", "none")
    return Rules((Group(group.name, terms),))
