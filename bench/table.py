"""The goals of a run as a table for the terminal."""

import statistics
from collections.abc import Sequence

from bench.results import Row, spread

_HEAD = ("work", "beside", "here", "there", "ratio", "goal", "")


def draw(rows: Sequence[Row]) -> str:
    """A line for each row with a goal: medians here and there, the ratios' median, lowest and highest."""
    lines = [_HEAD, *(_cells(row) for row in rows if row.goal is not None)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(map(str.ljust, line, widths)).rstrip() for line in lines)


def _cells(row: Row) -> tuple[str, ...]:
    here, there = (f"{statistics.median(found):,.2f}" if found else "-" for found in (row.ours, row.theirs))
    ratio = spread(row.ratios, 2) if row.ratios else "-"
    return row.work, row.peer or "-", f"{here} {row.unit}", there, ratio, str(row.goal), _verdict(row)


def _verdict(row: Row) -> str:
    return "met" if row.met else "NOT met"
