"""Counts of durations by upper bound: one bisect and two additions a value, no lock, no label to look up."""

from bisect import bisect_left

BOUNDS = (
    0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
    0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
)  # fmt: skip


class Histogram:
    """`counts[i]` values were at most `BOUNDS[i]` seconds and above the bound before; the last ones were longer
    than all. `total` is their sum in seconds."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        """One more value."""
        self.counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    @property
    def count(self) -> int:
        """How many values there were."""
        return sum(self.counts)

    def buckets(self) -> list[tuple[str, int]]:
        """Prometheus' form: the bound as text and how many values were at most so long, `+Inf` last."""
        found, sofar = [], 0
        for bound, count in zip((*map(repr, BOUNDS), "+Inf"), self.counts, strict=True):
            sofar += count
            found.append((bound, sofar))
        return found
