"""The keeper's loop: who is in time is heard before a clock runs out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from gateway.keeper.loop import Loop

SECONDS = 0.05


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    yield loop
    loop.close()


def test_what_came_while_the_loop_stood_still_is_heard_before_a_timer(loop: Loop) -> None:
    heard: list[str] = []
    busy, late = os.pipe(), os.pipe()

    def stands_still() -> None:
        due = time.monotonic() + 2 * SECONDS
        os.read(busy[0], 1)
        os.write(late[1], b"x")
        while time.monotonic() < due:
            pass
        heard.append("stood still")

    def in_time() -> None:
        os.read(late[0], 1)
        heard.append("in time")

    def over() -> None:
        heard.append("timer")
        loop.running = False

    loop.reader(busy[0], stands_still)
    loop.reader(late[0], in_time)
    loop.later(SECONDS, over)
    os.write(busy[1], b"x")
    loop.run()
    for descriptor in (*busy, *late):
        os.close(descriptor)
    assert heard == ["stood still", "in time", "timer"]


def test_timers_come_in_the_order_of_their_times(loop: Loop) -> None:
    heard: list[int] = []
    for number in (3, 1, 2):
        loop.later(number * SECONDS / 3, lambda number=number: heard.append(number))  # type: ignore[misc]
    loop.later(2 * SECONDS, lambda: setattr(loop, "running", False))
    loop.run()
    assert heard == [1, 2, 3]
