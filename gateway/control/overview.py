"""The gateway as a whole, as facts for people."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import NamedTuple

from gateway import __version__
from gateway.configuration.load import Configuration
from gateway.control.closing import Closing
from gateway.control.facts import Facts, living, of_ending, processes, state, usage
from gateway.sessions.registry import Registry

_RECENT = 10  # endings


class Crowd(NamedTuple):
    """Connections of clients, and how many there may be."""

    used: int
    most: int


class Overview:
    """`facts` of a front and of the keeper, its parent. `crowd` counts the clients' connections."""

    def __init__(
        self, configuration: Configuration, registry: Registry, closing: Closing, crowd: Callable[[], Crowd]
    ) -> None:
        self._configuration, self._registry, self._closing = configuration, registry, closing
        self._crowd, self._since = crowd, time.time()
        self._path = os.path.abspath(configuration.path)

    async def facts(self) -> Facts:
        """Counters are of this front, since it was loaded (`front.since`). Limits: how full, and their most."""
        registry, tally = self._registry, self._registry.tally
        found = await asyncio.to_thread(usage, (os.getpid(), os.getppid()))
        sessions = [state(session) for session in living(registry)]
        return {
            "version": __version__,
            "state": self._state(),
            "configuration": self._path,
            "listeners": [str(listener) for listener in self._configuration.listeners],
            "keeper": {"pid": os.getppid(), "since": await _began(os.getppid())} | found.get(os.getppid(), {}),
            "front": {"pid": os.getpid(), "since": self._since} | found.get(os.getpid(), {}),
            "another_front": registry.overlap,
            "sessions": {name: sessions.count(name) for name in ("idle", "busy", "waiting")},
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
            "recent": [of_ending(ending) for ending in list(tally.recent)[-_RECENT:]],
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
