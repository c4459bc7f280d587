"""The sampler of one front after the other, against sums made by hand."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.measure.measures import Measures
from gateway.measure.sampler import Sampler
from gateway.measure.series import SIZE, Series
from tests.sessions.world import World

FORGOTTEN = 5.0  # seconds
WORK, TIME, RELOAD, CRASH = "work", "time", "reload", "crash"
steps = st.lists(
    st.one_of(
        st.tuples(st.just(WORK), st.integers(1, 9)),
        st.tuples(st.sampled_from((TIME, RELOAD, CRASH)), st.sampled_from((0.125, 0.5, 1.0, 1.25, 4.0, 8.0))),
    ),
    max_size=40,
)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    made = World()
    yield made
    made.close()


class Fronts:
    """The one that writes, and what has to come of it: `written` requests, `pending` ones that no second has
    yet, and what the front before has left, while no second was written since."""

    def __init__(self, world: World) -> None:
        self.world, self.now = world, 1000.0
        self.series = Series(memoryview(bytearray(SIZE)), lambda: 0.0)
        self.written = self.pending = 0
        self.left: tuple[int, float] | None = None
        self.begin()

    def begin(self) -> None:
        self.since, self.measures = self.now, Measures()
        self.world.registry.measures = self.measures
        self.sampler = Sampler(self.world.registry, self.measures, lambda: 2, self.series, lambda: self.now)
        self.measures.requests["session"] += 5  # before its time
        self.sampler.begin()
        recent = self.left is not None and self.now - self.left[1] < FORGOTTEN
        self.pending = self.left[0] if self.left is not None and recent else 0

    def work(self, count: int) -> None:
        self.measures.requests["other"] += count
        self.measures.refusals[503] += count
        self.measures.refusals[404] += 1
        self.world.registry.tally.created += count
        self.measures.program["first"].counts[3] += count
        self.measures.program["session"].counts[3] += count
        self.pending += count

    def time(self, seconds: float) -> None:
        self.now += seconds
        self.sampler.second()
        if self.now - self.since >= 0.5:
            self.written, self.pending, self.left, self.since = self.written + self.pending, 0, None, self.now

    def reload(self, gap: float) -> None:
        self.sampler.leave()
        self.left = self.pending, self.now
        self.sampler.second()
        self.now += gap
        self.begin()

    def crash(self, gap: float) -> None:
        self.now += gap
        self.begin()


@given(steps)
def test_every_request_is_written_once_by_whichever_front_unless_it_dies(
    world: World, steps: list[tuple[str, float]]
) -> None:
    fronts = Fronts(world)
    for what, how in [*steps, (TIME, 1.0)]:
        getattr(fronts, what)(how)
        seconds = fronts.series.seconds()
        assert sum(one.requests for one in seconds) == fronts.written
        assert all(one.span >= 0.5 for one in seconds)
        assert all(one.requests == one.created == one.errors == one.program[3] // 2 for one in seconds)
        assert all((one.sessions, one.instances, one.queue) == (0, 0, 2) for one in seconds)
    total = sum(one.span for one in fronts.series.seconds())
    assert total <= fronts.now - 1000.0
