"""What a gateway takes, sampled; and whether it grows: a straight line through the samples (least squares)."""

import os
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Sample(NamedTuple):
    """At `seconds` of the run, when so many `sessions` were over. `memory`: proportional, of front and keeper,
    in KiB; `descriptors` and `threads` of both; `processes`: all below the keeper, which come and go with the
    sessions."""

    seconds: float
    sessions: int
    memory: float
    descriptors: float
    processes: float
    threads: float


class Line(NamedTuple):
    """What the samples of one kind came to: the mean, how much the line rises from the first sample to the
    last, its standard error, and how much it may rise."""

    kind: str
    mean: float
    rise: float
    error: float
    most: float

    @property
    def flat(self) -> bool:
        """Whether the rise, less what may be chance, is within the tolerance."""
        return self.rise - 2 * self.error <= self.most


# What a rise may come to: a part of the mean, and at least so much
TOLERANCES = {
    "memory": (0.02, 1024.0),
    "descriptors": (0.05, 8.0),
    "processes": (0.05, 4.0),
    "threads": (0.0, 0.5),
}

# What is remembered of so many sessions takes so many KiB for each, until it is full: of those that are over
# (retired handles, R4: 10,000; heads and settings by URL), and the requests that the session lane knows
_REMEMBERED = ((12_000, 1.5), (1_024, 2.0))


def sample(keeper: int, seconds: float, sessions: int) -> Sample:
    """Look at a keeper and its children."""
    below = children(keeper)
    front = [pid for pid in below if b"gateway.front" in _read(pid, "cmdline")]
    own = [keeper, *front]
    return Sample(
        seconds,
        sessions,
        sum(_field(_read(pid, "smaps_rollup"), b"Pss:") for pid in own),
        sum(_descriptors(pid) for pid in own),
        len(below),
        sum(_field(_read(pid, "status"), b"Threads:") for pid in own),
    )


def lines(samples: Sequence[Sample]) -> list[Line]:
    """A line for each kind. With fewer than three samples there is none."""
    if len(samples) < 3:
        return []
    at = [one.seconds for one in samples]
    first, last = samples[0].sessions, samples[-1].sessions
    filling = sum(size * (min(full, last) - min(full, first)) for full, size in _REMEMBERED)
    return [
        _line(kind, at, [getattr(one, kind) for one in samples], filling if kind == "memory" else 0.0)
        for kind in TOLERANCES
    ]


def _line(kind: str, at: list[float], values: list[float], more: float) -> Line:
    part, least = TOLERANCES[kind]
    slope, start = statistics.linear_regression(at, values)
    wide = sum((one - statistics.fmean(at)) ** 2 for one in at)
    left = sum((value - start - slope * one) ** 2 for one, value in zip(at, values, strict=True))
    error = (left / (len(at) - 2) / wide) ** 0.5
    mean, span = statistics.fmean(values), at[-1] - at[0]
    return Line(kind, mean, slope * span, error * span, max(part * mean, least) + more)


def children(pid: int) -> list[int]:
    """The children of a process, of all its threads."""
    found: list[int] = []
    for path in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, path.read_text().split())
    return found


def _read(pid: int, name: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/{name}").read_bytes()
    except OSError:
        return b""


def _field(text: bytes, name: bytes) -> int:
    found = next((line for line in text.splitlines() if line.startswith(name)), name + b" 0")
    return int(found.split()[1])


def _descriptors(pid: int) -> int:
    try:
        return len(os.listdir(f"/proc/{pid}/fd"))
    except OSError:
        return 0
