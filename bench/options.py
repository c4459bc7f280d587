"""What `BENCH_ARGUMENTS` says, and how figures are told."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple


class Missing(Exception):
    """A tool that a section needs is not installed; its text says which, and how it is got."""


class Options(NamedTuple):
    """Rounds of each measurement, seconds of each run of wrk, connections (None: the section's own), sessions
    that are held at a time."""

    rounds: int
    seconds: int
    connections: list[int] | None
    sessions: int


def spread(figures: Sequence[float], digits: int = 0) -> str:
    """The median, lowest and highest."""
    middle, low, high = statistics.median(figures), min(figures), max(figures)
    return f"{middle:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def verdict(met: bool, goal: str) -> str:
    """How a figure stands to its goal."""
    return f"goal {goal}: {'met' if met else 'not met'}"
