"""The shape of a row of the table, and how two values of a row become one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar(
    "T_co", covariant=True
)  # what a reader of settings sees: a row of a list is a row of an iterable
Words = Sequence[str]

CONTEXTS = {
    "S": "server",
    "V": "<VirtualHost>",
    "D": "<Directory>",
    "L": "<Location>",
    "F": "<Files>",
}


class Reader(Protocol[T]):
    """Turns the words of one line into a value, and a value into the words of the lines that give it."""

    @property
    def syntax(self) -> str:
        """The arguments, as the reference shows them."""

    def read(self, words: Words, root: str) -> T:
        """The value; relative paths start at root. Raises Malformed."""

    def lines(self, value: T) -> Iterable[Words]:
        """The inverse of read: the arguments of each line needed."""


class Merging(NamedTuple, Generic[T]):
    """How values of one section become one, and how an inner section's value changes an outer one's.

    `adds_up`: earlier lines of a section still have a say; `inherits`: the outer section's value has.
    """

    text: str
    within: Callable[[Sequence[T]], T]
    across: Callable[[T, T], T]
    adds_up: bool = True
    inherits: bool = True


LAST: Merging[Any] = Merging(
    "the last one counts", lambda values: values[-1], lambda outer, inner: inner, adds_up=False, inherits=False
)


@dataclass(frozen=True, eq=False)
class Row:
    """What every directive and section has: names are matched in any letter case."""

    name: str
    contexts: str = field(kw_only=True)
    origin: str = field(kw_only=True)
    help: str = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Directive(Row, Generic[T_co]):
    """A setting. `into` names the row whose value it contributes to; `paths` lists what must exist;
    `remarks` says what of a value has no effect."""

    reader: Reader[T_co] = field(kw_only=True)
    default: T_co | Directive[T_co] = field(kw_only=True)
    merging: Merging[T_co] = field(kw_only=True)
    into: Directive[T_co] | None = field(kw_only=True)
    paths: Callable[[T_co], Iterable[str]] = field(kw_only=True)
    remarks: Callable[[T_co], Iterable[str]] = field(kw_only=True)

    @property
    def slot(self) -> Directive[T_co]:
        """The row under which the value is kept."""
        return self.into or self


@dataclass(frozen=True, eq=False)
class Control(Row):
    """A directive that steers the reading and leaves no setting behind."""

    syntax: str = field(kw_only=True)


@dataclass(frozen=True, eq=False)
class Container(Row):
    """A section. `inside` is the context letter of its content, empty where that of the outside goes on."""

    syntax: str = field(kw_only=True)
    inside: str = field(kw_only=True)
    regex: bool = field(kw_only=True, default=False)


def directive(
    name: str,
    reader: Reader[T],
    *,
    default: T | Directive[T],
    contexts: str,
    origin: str,
    help: str,
    merging: Merging[T] = LAST,
    into: Directive[T] | None = None,
    paths: Callable[[T], Iterable[str]] = lambda value: (),
    remarks: Callable[[T], Iterable[str]] = lambda value: (),
) -> Directive[T]:
    """One row of the table."""
    return Directive(
        name,
        reader=reader,
        default=default,
        contexts=contexts,
        origin=origin,
        help=help,
        merging=merging,
        into=into,
        paths=paths,
        remarks=remarks,
    )
