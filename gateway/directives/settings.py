"""Effective values, each with its origin."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from gateway.directives.directive import Directive
from gateway.directives.problems import Place

T = TypeVar("T")


class Assignment(NamedTuple):
    """One line: what a row was given, and where."""

    row: Directive[Any]
    value: Any
    place: Place


class Settings:
    """Immutable mapping of rows to values; a row that nothing was said about has its default."""

    __slots__ = ("_places", "_values")

    def __init__(
        self, values: Mapping[Directive[Any], Any], places: Mapping[Directive[Any], Sequence[Place]]
    ) -> None:
        self._values = values
        self._places = places

    def __getitem__(self, row: Directive[T]) -> T:
        slot = row.slot
        value: T | Directive[T] = self._values.get(slot, slot.default)
        return self[value] if isinstance(value, Directive) else value

    def __iter__(self) -> Iterator[Directive[Any]]:
        return iter(self._places)

    def __contains__(self, row: object) -> bool:
        return row in self._places

    def origin(self, row: Directive[Any]) -> str:
        """The places `file:line` (several where lines add up) that gave the value, or "default"."""
        return ", ".join(map(str, self.places(row))) or "default"

    def place(self, row: Directive[Any]) -> Place:
        """The last line that had a say; the row must have been assigned."""
        return self._places[row][-1]

    def places(self, row: Directive[Any]) -> Sequence[Place]:
        """The lines that had a say; none for a default."""
        return self._places.get(row, ())

    def changed_by(self, inner: Settings) -> Settings:
        """These settings with those of an inner section on top."""
        values = dict(self._values)
        for slot, value in inner._values.items():
            values[slot] = slot.merging.across(values.get(slot, slot.default), value)
        return Settings(values, {**self._places, **{row: inner._joined(self, row) for row in inner}})

    def _joined(self, outer: Settings, row: Directive[Any]) -> Sequence[Place]:
        own = self._places[row]
        return (*outer._places.get(row, ()), *own) if row.merging.inherits else own

    def with_value(self, row: Directive[T], value: T) -> Settings:
        """The same, but for one value; its origin stays."""
        return Settings({**self._values, row: value}, self._places)


def collect(assignments: Iterable[Assignment]) -> Settings:
    """The settings of one section by itself."""
    values: dict[Directive[Any], list[Any]] = {}
    places: dict[Directive[Any], list[Place]] = {}
    for row, value, place in assignments:
        values.setdefault(row.slot, []).append(value)
        places.setdefault(row, []).append(place)
    combined = {slot: slot.merging.within(given) for slot, given in values.items()}
    return Settings(combined, {row: _kept(row, lines) for row, lines in places.items()})


def _kept(row: Directive[Any], lines: list[Place]) -> Sequence[Place]:
    return lines if row.merging.adds_up else lines[-1:]
