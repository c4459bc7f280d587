"""Sessions that time out in the same moment do not keep others waiting."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any, cast

from gateway.sessions.clocks import SessionClock

COUNT = 100


class Timed:
    """What the clock looks at."""

    called = False

    def __init__(self, deadline: float) -> None:
        self.deadline = deadline


def test_sessions_that_time_out_together_end_few_at_a_time_and_all() -> None:
    async def run() -> None:
        loop, turns = asyncio.get_running_loop(), [0]
        ended: list[Any] = []
        clock = SessionClock(loop, ended.append)
        sessions = [Timed(time.monotonic()) for _ in range(COUNT)]
        for session in sessions:
            clock.arm(cast("Any", session))
        async with asyncio.timeout(10):
            while len(ended) < COUNT:
                await asyncio.sleep(0)
                turns.append(len(ended))
        assert ended == sessions
        assert max(after - before for before, after in pairwise(turns)) < COUNT / 4

    asyncio.run(run())


def test_a_session_that_is_called_or_over_before_its_turn_comes_does_not_end() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        first: asyncio.Future[Any] = loop.create_future()
        clock = SessionClock(loop, first.set_result)  # a second one would be an error
        called, over, renewed, last = (cast("Any", Timed(time.monotonic())) for _ in range(4))
        for session in (called, over, renewed, last):
            clock.arm(session)
            clock._due(session)
        called.called, renewed.deadline = True, time.monotonic() + 3600
        clock.disarm(over)
        async with asyncio.timeout(10):
            assert await first is last
        clock.disarm(renewed)

    asyncio.run(run())
