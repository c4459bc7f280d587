"""The figures of all series, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from tests.chaos.book import Book
from tests.chaos.faults.fault import Fault

_FAILURES = ("lost", "wrong", "mixed", "refusals", "orphans", "leftovers", "complaints")


class Outcome(NamedTuple):
    """What came of a fault. `failures` tells the first ones; `skipped` says what this machine lacks for it."""

    fault: str
    what: str
    times: int
    sessions: int
    figures: dict[str, int]
    failures: list[str]
    seconds: float
    skipped: str = ""

    @classmethod
    def of(cls, fault: Fault, times: int, sessions: int, book: Book, seconds: float) -> Outcome:
        """What the book says."""
        figures = {name: count for name, count in sorted(book.figures.items()) if count}
        return cls(fault.name, fault.what, times, sessions, figures, book.failures, seconds)

    @property
    def good(self) -> bool:
        """Whether nothing happened that must not happen."""
        return not any(self.figures.get(name) for name in _FAILURES)


_COLUMNS = ("answers", "begun", "cut", "lost in flight", *_FAILURES)


def head() -> str:
    """The table's head."""
    return f"{'fault':20}{'times':>6}{'sessions':>9}{'seconds':>8}" + "".join(
        f"{name:>{max(8, len(name) + 2)}}" for name in _COLUMNS
    )


def row(outcome: Outcome) -> str:
    """A line of the table, with the first failures below it."""
    if outcome.skipped:
        return f"{outcome.fault:20}skipped: {outcome.skipped}"
    counts = "".join(f"{outcome.figures.get(name, 0):>{max(8, len(name) + 2)}}" for name in _COLUMNS)
    line = f"{outcome.fault:20}{outcome.times:6}{outcome.sessions:9}{outcome.seconds:8.0f}{counts}"
    return "\n".join([line, *(f"    {text}" for text in outcome.failures)])


def verdict(outcomes: Sequence[Outcome]) -> str:
    """The sums, in one sentence."""
    sums = {name: sum(one.figures.get(name, 0) for one in outcomes) for name in (*_COLUMNS,)}
    skipped = [one.fault for one in outcomes if one.skipped]
    text = (
        f"{sum(one.times for one in outcomes if not one.skipped)} faults, {sums['answers']} answers, "
        f"{sums['begun']} sessions: {sums['lost']} sessions lost besides {sums['lost in flight']} that a fault "
        f"met, {sums['wrong']} wrong answers, {sums['mixed']} mixed sessions, {sums['orphans']} orphans, "
        f"{sums['leftovers']} leftovers, {sums['refusals']} connections refused, "
        f"{sums['complaints']} errors of the gateway's own"
    )
    return text + (f"; skipped: {', '.join(skipped)}" if skipped else "")


def as_json(outcomes: Sequence[Outcome], about: dict[str, Any]) -> str:
    """All of it; `about` says how it was made."""
    rows = [one._asdict() | {"good": one.good, "seconds": round(one.seconds, 1)} for one in outcomes]
    return json.dumps(about | {"faults": rows, "good": all(one.good for one in outcomes)}, indent=2) + "\n"
