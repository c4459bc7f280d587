"""Seconds and minutes in memory, against lists; quantiles, against the sorted values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.keeper.table import HISTORY, create
from gateway.measure import series as module
from gateway.measure.histogram import BOUNDS, Histogram
from gateway.measure.series import MINUTES, SECONDS, SIZE, Sample, Series, quantile, together

OFFSET = 1e9  # of the wall clock
BUCKETS = len(BOUNDS) + 1


def sample(at: float, span: float = 1.0, **values: int) -> Sample:
    """A second that ended at `at` with `requests` in its last bucket; the others are made from them."""
    gauges = {"sessions": 3, "instances": 2, "queue": 0} | values
    requests = gauges.pop("requests", 1)
    buckets = (*(0,) * (BUCKETS - 1), requests)
    counts = {"requests": requests, "created": requests // 2, "starts": requests // 3, "errors": 0}
    return Sample(at, span, **{**counts, **gauges}, gateway=buckets, program=buckets[::-1])


def empty() -> tuple[memoryview, Series]:
    memory = memoryview(bytearray(SIZE))
    return memory, Series(memory, lambda: OFFSET)


steps = st.lists(
    st.tuples(st.floats(0.5, 90.0), st.integers(0, 9), st.integers(0, 2**31)), min_size=1, max_size=80
)


@given(steps)
def test_the_series_gives_the_seconds_as_they_came_and_minutes_made_of_them(
    steps: list[tuple[float, int, int]],
) -> None:
    memory, series = empty()
    now, added = 5.0, []
    for span, sessions, requests in steps:
        now += span
        added.append(sample(now, span, sessions=sessions, requests=requests))
        series.add(added[-1])
    assert series.seconds() == [one._replace(at=one.at + OFFSET) for one in added]
    by_minute: dict[float, list[Sample]] = {}
    for one in added:
        by_minute.setdefault(one.at // 60, []).append(one)
    over = [seconds for minute, seconds in by_minute.items() if minute != now // 60]
    minutes = series.minutes()
    assert [minute.at for minute in minutes] == [seconds[-1].at + OFFSET for seconds in over]
    for minute, seconds in zip(minutes, over, strict=True):
        assert minute.sessions == max(one.sessions for one in seconds)
        assert math.isclose(minute.span, sum(one.span for one in seconds))
        assert minute.requests == min(sum(one.requests for one in seconds), 2**32 - 1)
        assert minute.gateway[-1] == minute.program[0] == minute.requests
    assert Series(memory, lambda: OFFSET).seconds() == series.seconds(), "another front sees something else"


def test_the_newest_600_seconds_and_1440_minutes_are_kept_oldest_first() -> None:
    _, series = empty()
    for second in range((MINUTES + 2) * 60 // 4):  # one of 4 s each
        series.add(sample(4.0 * second, 4.0, requests=second))
    last = (MINUTES + 2) * 60 // 4 - 1
    assert [one.requests for one in series.seconds()] == list(range(last - SECONDS + 1, last + 1))
    minutes = series.minutes()
    assert len(minutes) == MINUTES
    assert [one.at for one in minutes] == [OFFSET + 60.0 * minute - 4 for minute in range(2, MINUTES + 2)]


@given(st.sampled_from((0, 1, 59, 60, SECONDS, SECONDS + 1, SECONDS + 9)), st.integers(0, 200))
def test_whoever_dies_while_writing_leaves_the_others_whole(already: int, written: int) -> None:
    memory, series = empty()
    for second in range(already):
        series.add(sample(float(second), requests=second))
    before = series.seconds(), series.minutes()
    size = module._RECORD.size
    at = module._SECONDS_AT + already % (SECONDS + 1) * size
    memory[at : at + min(written, size)] = b"\xff" * min(written, size)
    assert (series.seconds(), series.minutes()) == before


def test_no_second_is_lost_when_one_dies_between_a_minute_and_the_second_that_closed_it() -> None:
    memory, series = empty()
    for second in range(50, 60):
        series.add(sample(float(second)))
    series._minutes.append(series._seconds.count, together(series._seconds.since(0)))
    other = Series(memory, lambda: OFFSET)
    for second in range(60, 125):
        other.add(sample(float(second)))
    assert [one.requests for one in other.minutes()] == [10, 60]


def test_what_one_front_began_the_next_one_takes_once() -> None:
    memory, series = empty()
    series.add(sample(10.0))
    assert series.carried() is None
    series.carry(sample(10.4, 0.4, requests=7))
    other = Series(memory, lambda: OFFSET)
    assert other.carried() == sample(10.4, 0.4, requests=7)
    assert [one.requests for one in other.seconds()] == [1]
    other.add(sample(11.0))
    assert other.carried() is None


def test_a_clock_that_jumps_moves_labels_and_changes_no_span() -> None:
    memory = memoryview(bytearray(SIZE))
    offset = [OFFSET]
    series = Series(memory, lambda: offset[0])
    series.add(sample(1.0))
    offset[0] -= 3600
    series.add(sample(2.0))
    assert [(one.at, one.span) for one in series.seconds()] == [(OFFSET - 3599, 1.0), (OFFSET - 3598, 1.0)]


def test_it_fits_into_the_shared_table_and_touches_nothing_else() -> None:
    assert SIZE <= HISTORY
    table = create(2)
    memory = table.history
    series = Series(memory)
    for second in range(2000):
        series.add(sample(30.0 * second, requests=2**32 + 5))
    assert {one.requests for one in series.seconds()} == {2**32 - 1}
    assert not table.replaced.count and not table.retired.count
    assert not any(table.retired.entry(table.retired.length - 1).key)
    series.close()
    table.close()


values = st.lists(st.one_of(st.floats(0, 59.9), st.sampled_from(BOUNDS)), min_size=1)


@given(values, st.one_of(st.floats(0.001, 1.0), st.sampled_from((0.5, 0.95, 0.99))))
def test_a_quantile_lies_in_the_bucket_of_the_value_that_it_stands_for(values: list[float], q: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    found = quantile(histogram.counts, q)
    assert found is not None
    rank = max(1, math.ceil(q * len(values)))
    exact = sorted(values)[rank - 1]
    bounds = (0.0, *BOUNDS)
    bucket = next(number for number, bound in enumerate(BOUNDS) if exact <= bound)
    assert bounds[bucket] <= found <= bounds[bucket + 1]


@given(values, st.floats(0, 1), st.floats(0, 1))
def test_a_higher_quantile_is_not_lower(values: list[float], one: float, other: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    low, high = (quantile(histogram.counts, q) for q in sorted((one, other)))
    assert low is not None and high is not None and low <= high


@pytest.mark.parametrize(
    ("counts", "found"), [((0,) * BUCKETS, None), ((*(0,) * (BUCKETS - 1), 3), BOUNDS[-1])]
)
def test_without_values_there_is_no_quantile_and_none_above_the_highest_bound(
    counts: tuple[int, ...], found: float | None
) -> None:
    assert quantile(counts, 0.5) == found
