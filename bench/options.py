"""What `BENCH_ARGUMENTS` says, and what a section says when it cannot run."""

import argparse
from collections.abc import Callable
from typing import NamedTuple


class Missing(Exception):
    """A tool that a section needs is not installed; its text says which, and how it is got."""


class Options(NamedTuple):
    """Rounds of each measurement, seconds of each run of wrk, connections (None: the section's own), sessions
    that are held at a time, and idle ones (None: the section's own)."""

    rounds: int
    seconds: int
    connections: list[int] | None
    sessions: int
    idle: int | None


def count(most: int = 1_000_000_000, least: int = 1) -> Callable[[str], int]:
    """A type of argparse: a whole number from `least` to `most`."""

    def read(text: str) -> int:
        if not text.isdecimal() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"expected a number from {least} to {most}, found {text}")
        return int(text)

    return read
