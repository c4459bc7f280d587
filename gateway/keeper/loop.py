"""The keeper's event loop: descriptors and timers, one thread, no queue of its own."""

import heapq
import itertools
import select
import time
from collections.abc import Callable

Callback = Callable[[], None]


class Loop:
    """Calls back when a descriptor can be read (or written), or when a time has come."""

    def __init__(self) -> None:
        self._epoll = select.epoll()
        self._callbacks: dict[int, Callback] = {}
        self._timers: list[tuple[float, int, Callback]] = []
        self._order = itertools.count()
        self.running = True

    def reader(self, descriptor: int, callback: Callback) -> None:
        """Call `callback` whenever the descriptor can be read, until `forget`."""
        self._epoll.register(descriptor, select.EPOLLIN)
        self._callbacks[descriptor] = callback

    def writer(self, descriptor: int, callback: Callback, *, wanted: bool) -> None:
        """Have the reader's callback run for writability too, or not any more."""
        self._epoll.modify(descriptor, select.EPOLLIN | (select.EPOLLOUT if wanted else 0))
        self._callbacks[descriptor] = callback

    def forget(self, descriptor: int) -> None:
        """Stop watching a descriptor (before it is closed)."""
        self._epoll.unregister(descriptor)
        del self._callbacks[descriptor]

    def later(self, seconds: float, callback: Callback) -> None:
        """Call `callback` once, after so many seconds (monotonic clock)."""
        heapq.heappush(self._timers, (time.monotonic() + seconds, next(self._order), callback))

    def run(self) -> None:
        """Run until `running` is set to False."""
        while self.running:
            timeout = None
            if self._timers:
                timeout = max(0.0, self._timers[0][0] - time.monotonic())
            self._turn(timeout)
            now = time.monotonic()
            if self._timers and self._timers[0][0] <= now:
                self._turn(0)  # who was in time is heard first, also when this process stood still
            while self._timers and self._timers[0][0] <= now:
                heapq.heappop(self._timers)[2]()

    def _turn(self, timeout: float | None) -> None:
        for descriptor, _ in self._epoll.poll(timeout):
            callback = self._callbacks.get(descriptor)
            if callback is not None:  # not forgotten by one that came before it
                callback()

    def close(self) -> None:
        """Close the loop's own descriptor."""
        self._epoll.close()
