"""Takes a sample of the measures each second, into the series that outlives the front."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from gateway.measure.histogram import Histogram
from gateway.measure.series import Sample, Series, together

if TYPE_CHECKING:
    from gateway.measure.measures import Measures
    from gateway.sessions.registry import Registry

_SHORTEST = 0.5  # seconds: what begins just before the timer is part of the next sample
_FORGOTTEN = 5.0  # seconds after which the beginning of a second has no rest


class Sampler:
    """Between `begin` and `leave`, `second` writes what happened since it was called last. `starting` counts
    the requests that wait for a start."""

    def __init__(
        self,
        registry: Registry,
        measures: Measures,
        starting: Callable[[], int],
        series: Series,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry, self._measures, self._starting = registry, measures, starting
        self._series, self._clock = series, clock
        self._active = False
        self._carried: Sample | None = None
        self._before = self._totals()

    def begin(self) -> None:
        """This front is the one that writes from now on, and goes on with a second that another one began."""
        carried = self._series.carried()
        self._before, self._active = self._totals(), True
        recent = carried is not None and 0 <= self._before.at - carried.at < _FORGOTTEN
        self._carried = carried if recent else None

    def second(self) -> None:
        """A second is over."""
        if self._active and self._clock() - self._before.at >= _SHORTEST:
            self._series.add(self._sample())

    def leave(self) -> None:
        """Another front takes over: it gets what this one has counted of the second under way."""
        if self._active:
            self._active = False
            self._series.carry(self._sample())

    def _sample(self) -> Sample:
        before, now, carried = self._before, self._totals(), self._carried
        self._before, self._carried = now, None
        sample = _difference(now, before)
        return sample if carried is None else together((carried, sample))

    def _totals(self) -> Sample:
        """The gauges, and everything that was counted so far."""
        registry, measures, tally = self._registry, self._measures, self._registry.tally
        errors = sum(count for digit, count in measures.answers.items() if digit >= 5)
        errors += sum(count for status, count in measures.refusals.items() if status >= 500)
        return Sample(
            self._clock(),
            0.0,
            sum(map(len, registry.sessions.values())),
            len(registry.instances),
            registry.waiting + self._starting(),
            sum(measures.requests.values()),
            tally.created,
            tally.starts,
            errors,
            _counts(measures.gateway.values()),
            _counts(measures.program.values()),
        )


def _difference(now: Sample, before: Sample) -> Sample:
    requests, created, starts, errors = _less(now[5:9], before[5:9])
    return now._replace(
        span=now.at - before.at,
        requests=requests,
        created=created,
        starts=starts,
        errors=errors,
        gateway=_less(now.gateway, before.gateway),
        program=_less(now.program, before.program),
    )


def _less(now: tuple[int, ...], before: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(one - other for one, other in zip(now, before, strict=True))


def _counts(histograms: Iterable[Histogram]) -> tuple[int, ...]:
    return tuple(map(sum, zip(*(histogram.counts for histogram in histograms), strict=True)))
