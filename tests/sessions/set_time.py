"""A clock that tests set, and an event loop that runs on it."""

import asyncio


class Clock:
    """Stands where the sessions' modules have `time`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        """Seconds."""
        return self.now


class Loop(asyncio.SelectorEventLoop):
    """An event loop on that clock, run step by step."""

    def __init__(self, clock: Clock) -> None:
        self._set = clock
        super().__init__()

    def time(self) -> float:
        """Seconds of the clock."""
        return self._set.now

    def spin(self) -> None:
        """Run what is due and what can be read, without waiting."""
        for _ in range(6):
            self.call_soon(self.stop)
            self.run_forever()
