"""A target that fails, to show that the runner finds and tells it."""

from __future__ import annotations

from tests.fuzz.target import Target


def check(data: bytes) -> None:
    """Raises KeyError for some inputs, and hangs for none."""
    if data.startswith(b"b") and b"ug" in data:
        raise KeyError("planted")


TARGET = Target("a planted error", check, [b"begin"], [b"b", b"ug"])
