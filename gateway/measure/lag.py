"""How late the event loop is: one timer a second that compares when it was due with when it came."""

import asyncio
import time
from collections.abc import Callable

from gateway.measure.histogram import Histogram

_PERIOD = 1.0  # seconds


class Lag:
    """Runs from its making until the loop ends; `histogram` takes the seconds, `clock` tells them; `then` is
    called each time."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        histogram: Histogram,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop, self._histogram, self._clock = loop, histogram, clock
        self.then: Callable[[], None] = lambda: None
        self._wait()

    def _wait(self) -> None:
        self._due = self._clock() + _PERIOD
        self._loop.call_later(_PERIOD, self._came)

    def _came(self) -> None:
        self._histogram.add(max(0.0, self._clock() - self._due))
        self._wait()
        self.then()
