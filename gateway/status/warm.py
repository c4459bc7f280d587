"""Hosts that are kept ready (StartCGI): the keeper has them, and is asked only when somebody looks."""

import asyncio
import os

from gateway import hosts
from gateway.control.facts import Facts
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.starter import Starter

_PATIENCE = 1.0  # seconds
_KINDS = {os.fsencode(kind.file): name for name, kind in hosts.KINDS.items()}


class WarmHosts:
    """`rows` as they were last known; one question at a time, also to a keeper that is silent."""

    def __init__(self, starter: Starter, link: KeeperLink) -> None:
        self._starter, self._link = starter, link
        self._ready: dict[str, int] = {}
        self._asked: asyncio.Future[dict[str, int]] | None = None

    async def look(self) -> None:
        """Ask the keeper, and wait a second at most."""
        if not self._starter.prepared:
            return
        if self._asked is None:
            self._asked = self._link.count_warm()
        await asyncio.wait((self._asked,), timeout=_PATIENCE)
        if self._asked is not None and self._asked.done():
            self._ready, self._asked = self._asked.result(), None

    def rows(self) -> list[Facts]:
        """A row for each way of starting: its host, the interpreter, as whom (None: as the gateway), how many
        processes are ready (None: not known) and how many are to be."""
        return [
            {
                "group": group.id,
                "host": _KINDS.get(group.argv[-1], os.fsdecode(group.argv[-1])),
                "interpreter": os.fsdecode(group.argv[0]),
                "user": None if group.identity is None else group.identity.uid,
                "ready": self._ready.get(group.id),
                "wanted": group.number,
            }
            for group in self._starter.prepared
        ]
