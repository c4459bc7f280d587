"""The y axes of the charts: how high a value stands, and where the ticks are. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

_TICKS = 4  # at most, of an axis that begins at 0
_DECADES = 4  # ticks at most, of a logarithmic one


class Scale(NamedTuple):
    """`share(value)`: 0 at the lower end, 1 at the upper one, never beyond. `ticks` are values, upwards."""

    share: Callable[[float], float]
    ticks: tuple[float, ...]


def levels(values: Sequence[float], *, whole: bool) -> Scale:
    """From 0 to a round number that no value exceeds, at least 1; `whole`: ticks at whole numbers only."""
    highest = max((1.0, *values))
    step = next(step for step in _steps(highest) if step * _TICKS >= highest and (step >= 1 or not whole))
    count = math.ceil(highest / step - 1e-9)
    most = step * count
    ticks = tuple(step * number for number in range(count + 1))
    return Scale(lambda value: min(1.0, max(0.0, value / most)), ticks)


def _steps(highest: float) -> Iterator[float]:
    """Round numbers around a quarter of it, upwards."""
    power = math.floor(math.log10(highest))
    for exponent in (power - 1, power):
        yield from (factor * 10.0**exponent for factor in (1, 2, 5))


def logarithmic(values: Sequence[float]) -> Scale:
    """Between two powers of ten, at least two apart, around all values above 0."""
    some = [value for value in values if value > 0] or [0.001]
    low = math.floor(math.log10(min(some)))
    high = max(math.ceil(math.log10(max(some))), low + 2)
    every = math.ceil((high - low) / _DECADES)
    ticks = tuple(10.0**power for power in range(low, high + 1, every))

    def share(value: float) -> float:
        if value <= 0:
            return 0.0
        return min(1.0, max(0.0, (math.log10(value) - low) / (high - low)))

    return Scale(share, ticks)
