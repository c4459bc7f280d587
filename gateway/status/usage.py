"""What processes use: asked beside the event loop, a few at a time, so that many of them never hold it."""

import asyncio
import os
import time
from collections.abc import Iterable

from gateway.control.facts import Facts, usage

_AT_ONCE = 25  # processes: under 5 ms in which the loop shares the interpreter
_FRESH = 10.0  # seconds


class Usage:
    """`known`: memory (bytes, resident) and cpu (seconds, user and system) by pid, as it was found last."""

    def __init__(self) -> None:
        self.known: dict[int, Facts] = {}
        self._since: dict[int, float] = {}
        self._turn = asyncio.Lock()

    def of(self, pid: int) -> Facts:
        """What is known of a process; None for what is not."""
        return self.known.get(pid, _NOTHING)

    async def look(self, pids: Iterable[int], at_most: int | None = None) -> None:
        """Find out about these processes and the gateway's own two; what is not older than ten seconds stays.
        `at_most`: so many of the oldest ones are looked at now. What is known of others is forgotten."""
        async with self._turn:
            now = time.monotonic()
            wanted = {*pids, os.getpid(), os.getppid()}
            for pid in self._since.keys() - wanted:
                del self._since[pid]
                self.known.pop(pid, None)
            old = [pid for pid in wanted if now - self._since.get(pid, -_FRESH) >= _FRESH]
            old = sorted(old, key=lambda pid: self._since.get(pid, -_FRESH))[:at_most]
            for start in range(0, len(old), _AT_ONCE):
                await self._some(old[start : start + _AT_ONCE])

    async def _some(self, pids: list[int]) -> None:
        found = await asyncio.to_thread(usage, pids)
        now = time.monotonic()
        for pid in pids:
            self._since[pid] = now
            before, after = self.known.get(pid), found.get(pid, _NOTHING)
            if before != after:
                self.known[pid] = after


_NOTHING: Facts = {"memory": None, "cpu": None}
