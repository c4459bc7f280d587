"""Starts of programs that are over soon: their fronts hear of start and end in one message, unless one runs on
for more than BOUND."""

import time
from collections import deque
from collections.abc import Callable

from gateway.keeper.child import Child
from gateway.keeper.loop import Loop

BOUND = 0.03  # seconds; within a pipe's room the program does not notice that nobody reads


class Brief:
    """The processes whose fronts wait for news of them, the oldest first. `tell` is called with each that still
    runs when its time is over; whoever tells of one before sets its `untold` to None."""

    def __init__(self, loop: Loop, tell: Callable[[Child], None]) -> None:
        self._loop, self._tell = loop, tell
        self._waiting: deque[tuple[float, Child]] = deque()

    def add(self, child: Child) -> None:
        """A process was started of which its front has not heard."""
        if not self._waiting:
            self._loop.later(BOUND, self._due)
        self._waiting.append((time.monotonic() + BOUND, child))

    def _due(self) -> None:
        now = time.monotonic()
        while self._waiting and (self._waiting[0][0] <= now or self._waiting[0][1].untold is None):
            child = self._waiting.popleft()[1]
            if child.untold is not None:
                self._tell(child)
        if self._waiting:
            self._loop.later(self._waiting[0][0] - now, self._due)
