"""The gateway as a whole, as facts for people."""

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway import __version__
from gateway.configuration.load import Configuration
from gateway.control.closing import Closing
from gateway.control.facts import Facts, living, of_ending, processes, shown, state, usage
from gateway.measure.sources import History
from gateway.sessions.registry import Registry

_RECENT = 10  # endings


class Crowd(NamedTuple):
    """Connections of clients, and how many there may be."""

    used: int
    most: int


class Overview:
    """`facts` of a front and of the keeper, its parent. `crowd` counts the clients' connections, `history` is
    what the keeper has seen."""

    def __init__(
        self,
        configuration: Configuration,
        registry: Registry,
        closing: Closing,
        crowd: Callable[[], Crowd],
        history: Callable[[], History],
    ) -> None:
        self._configuration, self._registry, self._closing = configuration, registry, closing
        self._crowd, self._history, self._since = crowd, history, time.time()
        self._path = os.path.abspath(configuration.path)
        self._keeper_since: float | None = None

    async def facts(self) -> Facts:
        """What `told` says, what the front's and the keeper's processes use, sessions by state, and the newest
        endings."""
        found = await asyncio.to_thread(usage, (os.getpid(), os.getppid()))
        await self.look()
        sessions = [state(session) for session in living(self._registry)]
        return self.told(found) | {
            "sessions": {name: sessions.count(name) for name in ("idle", "busy", "waiting")},
            "recent": [of_ending(ending) for ending in list(self._registry.tally.recent)[-_RECENT:]],
        }

    async def look(self) -> None:
        """Find out when the keeper began; it stays so."""
        if self._keeper_since is None:
            self._keeper_since = await _began(os.getppid())

    def told(self, found: Mapping[int, Facts]) -> Facts:
        """Counters are of this front, since it was loaded (`front.since`). Limits: how full, and their most.
        `found`: what processes use, by pid (`usage`)."""
        registry, tally, history = self._registry, self._registry.tally, self._history()
        return {
            "version": __version__,
            "state": self._state(),
            "configuration": shown(self._path),
            "listeners": [str(listener) for listener in self._configuration.listeners],
            "keeper": {"pid": os.getppid(), "since": self._keeper_since} | found.get(os.getppid(), {}),
            "front": {"pid": os.getpid(), "since": self._since} | found.get(os.getpid(), {}),
            "another_front": registry.overlap,
            "reloads": {"done": history.reloads, "refused": history.refused, "refusal": history.refusal},
            "calls": len(registry.calls),
            "limits": {
                "MaxPersistentCGI": {"used": registry.persistent, "most": registry.limits.persistent},
                "MaxCGIJobs": {"used": len(registry.instances), "most": registry.limits.jobs},
                "MaxConnections": self._crowd()._asdict(),
            },
            "created": tally.created,
            "ended": dict(tally.ended),
            "starts": tally.starts,
            "requests": tally.requests,
            "in_lane": tally.in_lane,
        }

    def _state(self) -> str:
        if self._registry.stopping:
            return "stopping"
        return "draining" if self._closing.on else "serving"


async def _began(pid: int) -> float | None:
    try:
        return float(await asyncio.to_thread(lambda: processes().Process(pid).create_time()))
    except processes().Error:
        return None
