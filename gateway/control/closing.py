"""`gateway drain`: no session begins any more, those that live go on, with the last one the gateway stops."""

import asyncio

from gateway.logs.error import ErrorLog
from gateway.sessions.keeper import KeeperLink
from gateway.sessions.registry import Registry

_POLL = 0.2  # seconds


class Closing:
    """Whether the gateway closes is kept in the shared table: a reload, or the crash of a front, opens
    nothing."""

    def __init__(self, registry: Registry, link: KeeperLink, log: ErrorLog) -> None:
        self._registry, self._link, self._log = registry, link, log
        self._table = registry.store.table
        self._watch: asyncio.Task[None] | None = None

    @property
    def on(self) -> bool:
        """Whether newcomers are turned away."""
        return self._table.closing

    def begin(self) -> None:
        """Turn newcomers away from now on."""
        if not self._table.closing:
            self._log("notice", "HTS013 draining: no session begins any more", module="core")
        self._table.closing = True
        self.resume()

    def cancel(self) -> None:
        """Let newcomers in again."""
        if self._table.closing:
            self._log("notice", "draining was cancelled: sessions begin again", module="core")
        self._table.closing = False

    def resume(self) -> None:
        """This front serves: if the gateway closes, it is the one that sees the last session end."""
        if self._table.closing and (self._watch is None or self._watch.done()):
            self._watch = asyncio.create_task(self._until_empty())

    async def _until_empty(self) -> None:
        registry = self._registry
        while self._table.closing and not registry.draining and not registry.stopping:
            if not (registry.sessions or registry.instances or registry.calls or registry.overlap):
                self._log("notice", "HTS013 the last session is over: the gateway stops", module="core")
                self._link.tell("finished")
                return
            await asyncio.sleep(_POLL)
