"""Histograms, against counting by hand."""

from __future__ import annotations

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from gateway.measure.histogram import BOUNDS, Histogram
from gateway.measure.lag import Lag

seconds = st.lists(st.one_of(st.floats(0, 120), st.sampled_from(BOUNDS)))


@given(seconds)
def test_each_bucket_counts_the_values_up_to_its_bound(values: list[float]) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    bounds = [*BOUNDS, math.inf]
    assert histogram.buckets() == [
        (repr(bound) if bound < math.inf else "+Inf", sum(value <= bound for value in values))
        for bound in bounds
    ]
    assert histogram.count == len(values)
    assert math.isclose(histogram.total, sum(values), abs_tol=1e-9)


def test_a_loop_that_is_held_up_is_late() -> None:
    now = [100.0]

    class Loop(asyncio.SelectorEventLoop):
        """On a clock that is set."""

        def time(self) -> float:
            return now[0]

    loop, histogram = Loop(), Histogram()
    Lag(loop, histogram, lambda: now[0])
    for late in (0.0, 0.3):
        now[0] += 1.0 + late
        loop.call_soon(loop.stop)
        loop.run_forever()
        loop.call_soon(loop.stop)
        loop.run_forever()
    loop.close()
    assert histogram.count == 2
    assert math.isclose(histogram.total, 0.3)
