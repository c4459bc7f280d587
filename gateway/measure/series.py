"""What happened in each of the last seconds and minutes, in memory that outlives the front that writes it.

The memory is a part of the shared table. Two rings of records lie in it, written by the active front alone:
a record first, then the count, so that whoever dies while writing leaves the others whole (a ring has one
place more than it shows). Records carry CLOCK_MONOTONIC; the wall clock is only a label, made when somebody
reads: a clock that jumps moves all labels and changes no span.
"""

import struct
import time
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gateway.measure.histogram import BOUNDS

SECONDS, MINUTES = 600, 1440  # records that are shown
MINUTE = 60.0
_BUCKETS = len(BOUNDS) + 1
_RECORD = struct.Struct(f"=Qdd7I{_BUCKETS}I{_BUCKETS}I4x")
_FLAT = 3 + 7  # numbers before the buckets
_HEADER = 64
_MOST = 2**32 - 1
_CARRY_AT = _HEADER
_SECONDS_AT = _CARRY_AT + _RECORD.size
_MINUTES_AT = _SECONDS_AT + (SECONDS + 1) * _RECORD.size
SIZE = _MINUTES_AT + (MINUTES + 1) * _RECORD.size


class Sample(NamedTuple):
    """Of one span (a second or a minute): `at` is the wall clock at its end, `span` the seconds that it covers.
    Gauges at its end, of a minute the highest of its seconds: `sessions` and `instances` alive, requests in a
    `queue`. How many came in the span: `requests`, sessions `created`, `starts` of programs, `errors` (answers
    from 500 on, of programs or the gateway itself). `gateway` and `program`: requests by what these took of
    them, in the buckets of Histogram."""

    at: float
    span: float
    sessions: int
    instances: int
    queue: int
    requests: int
    created: int
    starts: int
    errors: int
    gateway: tuple[int, ...]
    program: tuple[int, ...]


class _Ring:
    """Records; `count` of them were ever written. `mark` of one is its writer's own."""

    def __init__(self, memory: memoryview, word: int, at: int, shown: int) -> None:
        self._memory, self._at, self._shown = memory, at, shown
        self._count = memory[8 * word : 8 * word + 8].cast("Q")

    def close(self) -> None:
        """Let go of the memory."""
        self._count.release()

    @property
    def count(self) -> int:
        """Records ever written."""
        return self._count[0]

    def append(self, mark: int, sample: Sample) -> None:
        """Write a record over the oldest."""
        _write(self._memory, self._place(self.count), mark, sample)
        self._count[0] += 1

    def since(self, number: int) -> list[Sample]:
        """The records from this number on that are still there, the oldest first."""
        count = self.count
        numbers = range(max(number, count - self._shown, 0), count)
        return [_read(self._memory, self._place(one))[1] for one in numbers]

    @property
    def last_mark(self) -> int:
        """The mark of the newest record, 0 without one."""
        return _read(self._memory, self._place(self.count - 1))[0] if self.count else 0

    def _place(self, number: int) -> int:
        return self._at + number % (self._shown + 1) * _RECORD.size


class Series:
    """The samples in `memory` (at least SIZE bytes); `offset` is how far the wall clock is ahead of the
    monotonic one now."""

    def __init__(
        self, memory: memoryview, offset: Callable[[], float] = lambda: time.time() - time.monotonic()
    ) -> None:
        self._memory, self._offset = memory, offset
        self._seconds = _Ring(memory, 0, _SECONDS_AT, SECONDS)
        self._minutes = _Ring(memory, 1, _MINUTES_AT, MINUTES)

    def close(self) -> None:
        """Let go of the memory."""
        self._seconds.close()
        self._minutes.close()

    def seconds(self) -> list[Sample]:
        """At most the newest 600 seconds, the oldest first; there is a gap where nobody served."""
        return self._labelled(self._seconds.since(0))

    def minutes(self) -> list[Sample]:
        """At most the newest 1440 minutes that are over, the oldest first."""
        return self._labelled(self._minutes.since(0))

    def _labelled(self, samples: list[Sample]) -> list[Sample]:
        offset = self._offset()
        return [sample._replace(at=sample.at + offset) for sample in samples]

    # ---- the active front writes

    def add(self, sample: Sample) -> None:
        """One more second; its `at` is monotonic. The first one of another minute closes the minute before."""
        count, over = self._seconds.count, self._minutes.last_mark
        newest = self._seconds.since(max(over, count - 1))
        if newest and newest[0].at // MINUTE != sample.at // MINUTE:
            self._minutes.append(count, together(self._seconds.since(over)))
        self._seconds.append(0, sample)

    def carry(self, sample: Sample) -> None:
        """The beginning of a second whose rest is the next front's."""
        _write(self._memory, _CARRY_AT, 0, sample)
        struct.pack_into("=Q", self._memory, _CARRY_AT, self._seconds.count + 1)

    def carried(self) -> Sample | None:
        """What the front before has left of the second that follows the last one, `at` monotonic."""
        mark, sample = _read(self._memory, _CARRY_AT)
        return sample if mark == self._seconds.count + 1 else None


def together(samples: Sequence[Sample]) -> Sample:
    """Some samples (one or more) as one: the highest gauges, the sums of the rest, the time of the last."""

    def sums(columns: Iterable[tuple[int, ...]]) -> tuple[int, ...]:
        return tuple(map(sum, zip(*columns, strict=True)))

    sessions, instances, queue = map(max, zip(*(sample[2:5] for sample in samples), strict=True))
    requests, created, starts, errors = sums(sample[5:9] for sample in samples)
    return Sample(
        samples[-1].at,
        sum(sample.span for sample in samples),
        sessions, instances, queue, requests, created, starts, errors,
        sums(sample.gateway for sample in samples),
        sums(sample.program for sample in samples),
    )  # fmt: skip


def quantile(counts: Sequence[int], q: float) -> float | None:
    """The seconds that a share `q` of the values did not exceed, interpolated in its bucket; the highest bound
    for those above it, None without values."""
    total, before, lower = sum(counts), 0, 0.0
    for bound, count in zip(BOUNDS, counts, strict=False):
        if count and before + count >= q * total:
            return lower + (bound - lower) * max(0.0, q * total - before) / count
        before, lower = before + count, bound
    return BOUNDS[-1] if total else None


def _write(memory: memoryview, at: int, mark: int, sample: Sample) -> None:
    numbers = (min(number, _MOST) for number in (*sample[2:9], *sample.gateway, *sample.program))
    _RECORD.pack_into(memory, at, mark, sample.at, sample.span, *numbers)


def _read(memory: memoryview, at: int) -> tuple[int, Sample]:
    mark, *flat = _RECORD.unpack_from(memory, at)
    first, second = _FLAT - 1, _FLAT - 1 + _BUCKETS
    return mark, Sample._make((*flat[:first], tuple(flat[first:second]), tuple(flat[second:])))
