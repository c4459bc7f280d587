"""What a run has found: each figure beside its peer's of the same round, told at once and kept for a report."""

import json
import os
import platform
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from bench.packages import versions

MOST, LEAST = "<=", ">="
T = TypeVar("T")
_LIBRARIES = ("uvicorn", "uvloop", "httptools", "starlette")
_PACKAGES = ("wrk", "nginx", "lighttpd", "apache2", "libapache2-mod-fcgid", "fcgiwrap", "uwsgi-core", "perl")


class Goal(NamedTuple):
    """What the median has to be: at least (`>=`) or at most (`<=`) the bound."""

    sign: str
    bound: float

    def met(self, figure: float) -> bool:
        """Whether it is."""
        return figure >= self.bound if self.sign == LEAST else figure <= self.bound

    def __str__(self) -> str:
        return f"{self.sign} {self.bound:g}"


class Row(NamedTuple):
    """One comparison: `ours` and `theirs` in `unit`, one figure for each round, and the ratios of same rounds.
    Without a peer `theirs` is empty, and the goal is for `ours`."""

    work: str
    peer: str
    unit: str
    ours: Sequence[float]
    theirs: Sequence[float]
    ratios: Sequence[float]
    goal: Goal | None

    @property
    def figure(self) -> float:
        """What the goal is for."""
        return statistics.median(self.ratios or self.ours)

    @property
    def met(self) -> bool | None:
        """None without a goal."""
        return None if self.goal is None else self.goal.met(self.figure)


class Book:
    """The rows of a run, in its order."""

    def __init__(self) -> None:
        self.rows: list[Row] = []

    def beside(
        self,
        work: str,
        peer: str,
        unit: str,
        ours: Sequence[float],
        theirs: Sequence[float],
        goal: Goal | None = None,
    ) -> None:
        """A comparison round by round."""
        ratios = [own / other for own, other in zip(ours, theirs, strict=True)]
        self._add(Row(work, peer, unit, ours, theirs, ratios, goal))

    def alone(self, work: str, unit: str, ours: Sequence[float], goal: Goal | None = None) -> None:
        """Figures that stand for themselves."""
        self._add(Row(work, "", unit, ours, (), (), goal))

    def _add(self, row: Row) -> None:
        self.rows.append(row)
        print("  " + told(row), flush=True)

    def write(self, path: Path, arguments: Sequence[str]) -> None:
        """All as JSON: date, machine, versions, arguments, rows."""
        rows = [row._asdict() | {"goal": row.goal and str(row.goal), "met": row.met} for row in self.rows]
        path.write_text(json.dumps(circumstances(arguments) | {"rows": rows}, indent=1) + "\n")


def summary(rows: Sequence[Row]) -> str:
    """How many goals were met."""
    wanted = [row.met for row in rows if row.goal is not None]
    return f"{sum(map(bool, wanted))} of {len(wanted)} goals met"


def told(row: Row) -> str:
    """One line."""
    digits = 0 if statistics.median(row.ours) >= 20 else 2
    text = f"{row.work}: {spread(row.ours, digits)} {row.unit}"
    if row.peer:
        digits = 0 if statistics.median(row.theirs) >= 20 else 2
        text += f", {row.peer} {spread(row.theirs, digits)}, ratio {spread(row.ratios, 2)}"
    if row.goal is not None:
        text += f"; goal {row.goal}: {'met' if row.met else 'NOT met'}"
    return text


def spread(figures: Sequence[float], digits: int = 0) -> str:
    """The median, lowest and highest."""
    middle, low, high = statistics.median(figures), min(figures), max(figures)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def circumstances(arguments: Sequence[str]) -> dict[str, Any]:
    """When, where and with what a run was made."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "command": " ".join(
            ["make bench", *([f'BENCH_ARGUMENTS="{" ".join(arguments)}"'] if arguments else [])]
        ),
        "cores": os.cpu_count(),
        "kernel": platform.release().partition("-")[0],
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
        "packages": versions(_PACKAGES),
    }


def in_turns(ways: Mapping[str, Callable[[], T]], rounds: int) -> dict[str, list[T]]:
    """Each way once a round."""
    found: dict[str, list[T]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            found[name].append(way())
    return found
