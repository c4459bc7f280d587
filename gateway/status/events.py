"""Server-sent events for all who look at the status page: one task for all of them, none without."""

from __future__ import annotations

import asyncio
import json
import socket
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from starlette.responses import Response

from gateway.control.facts import Facts
from gateway.errors import Busy
from gateway.logs.error import ErrorLog
from gateway.request.body import Receive
from gateway.request.incoming import Scope, Send
from gateway.sessions.registry import Registry
from gateway.status.changes import Changes
from gateway.status.snapshot import Snapshots

MOST_VIEWERS = 32
_PERIOD = 1.0  # seconds between two changes
_CHARTS_EVERY = 5  # changes
_SLICES = 10  # changes in which every process is looked at once
_MOST_BEHIND = 20  # events that a viewer has not taken; then it is dropped
_IN_KERNEL = 1 << 15  # bytes on their way: more would hide for an hour that a viewer takes nothing
_LAST_WORDS = 2.0  # seconds in which a viewer takes what is left at the end
_BEGIN = b"retry: 1000\n\n"  # milliseconds after which a browser comes again

Charts = Callable[[str], Mapping[str, str]]


class Connection(Protocol):
    """What a stream needs of the client's connection."""

    on_lost: Callable[[], None] | None
    transport: Any

    @property
    def lost(self) -> bool:
        """Whether the client is gone."""

    def abort(self) -> None:
        """Close at once."""


class Viewer:
    """One stream: what it has to be sent, within bounds. `charts`: the range of those that it shows; `first`:
    what only its first event has."""

    def __init__(self, connection: Connection, charts: str, first: Facts) -> None:
        self.charts, self.first = charts, first
        self._connection = connection
        self._waiting: deque[bytes] = deque()
        self._more = asyncio.Event()
        self._over = False

    def put(self, event: bytes) -> None:
        """One more event; a viewer that is too far behind is dropped."""
        self._waiting.append(event)
        self._more.set()
        if len(self._waiting) > _MOST_BEHIND:
            self.drop()

    def end(self) -> None:
        """Nothing comes any more."""
        self._over = True
        self._more.set()

    def drop(self) -> None:
        """End at once, whatever was not taken."""
        self._waiting.clear()
        self.end()
        self._connection.abort()

    async def next(self) -> bytes:
        """What has come since the last time; empty at the end."""
        if not self._waiting and not self._over:
            self._more.clear()
            await self._more.wait()
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


class Broadcast:
    """The viewers of a front. `charts` draws those of a range, once for all of them."""

    def __init__(self, snapshots: Snapshots, registry: Registry, charts: Charts, log: ErrorLog) -> None:
        self._snapshots, self._registry, self._charts, self._log = snapshots, registry, charts, log
        self._viewers: set[Viewer] = set()
        self._newcomers: list[Viewer] = []
        self._wake = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False

    def stream(self, charts: str, first: Facts) -> Response:
        """The answer to a request for events. Raises Busy. A front that leaves ends it at once: the browser
        comes again, and then to the next one."""
        if len(self._viewers) >= MOST_VIEWERS:
            raise Busy(f"server-status: {MOST_VIEWERS} streams of events, and no more at a time")
        return _Stream(self, charts, first)

    def enter(self, viewer: Viewer) -> None:
        """One more viewer."""
        self._viewers.add(viewer)
        if self._closed:
            viewer.end()
            return
        self._newcomers.append(viewer)
        self._wake.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())
            self._task.add_done_callback(self._ended)

    def leave(self, viewer: Viewer) -> None:
        """A viewer is gone; without the last one nothing is looked at any more."""
        self._viewers.discard(viewer)
        if not self._viewers and self._task is not None:
            self._task.cancel()
            self._task = None

    def close(self) -> None:
        """This front leaves: its viewers go to the next one."""
        self._closed = True
        for viewer in self._viewers:
            viewer.end()
        if self._viewers:
            asyncio.get_running_loop().call_later(_LAST_WORDS, self._drop_all)

    def _drop_all(self) -> None:
        for viewer in list(self._viewers):
            viewer.drop()

    def _ended(self, task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._log("error", f"server-status: the streams of events have failed: {error!r}", module="core")
            self._task = None
            self._drop_all()

    async def _run(self) -> None:
        await self._snapshots.look()
        changes, count = Changes(self._snapshots, self._registry), 0
        while True:
            self._tell(changes.since())
            if count % _CHARTS_EVERY == 0:
                self._draw()
            count += 1
            await self._pause()
            processes = len(self._registry.instances)
            await self._snapshots.look(processes // _SLICES + 1)

    async def _pause(self) -> None:
        """A second; less when somebody is new."""
        try:
            async with asyncio.timeout(_PERIOD):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    def _tell(self, change: Facts) -> None:
        """What has changed, to all who had been there before; everything to newcomers."""
        newcomers, self._newcomers = self._newcomers, []
        event = _event("change", change)
        for viewer in self._viewers.difference(newcomers):
            viewer.put(event)
        if newcomers:
            snapshot = self._snapshots.whole()
            for viewer in newcomers:
                viewer.put(_event("snapshot", snapshot | viewer.first))

    def _draw(self) -> None:
        drawn: dict[str, bytes] = {}
        for viewer in self._viewers:
            if viewer.charts not in drawn:
                drawn[viewer.charts] = _event("charts", {viewer.charts: dict(self._charts(viewer.charts))})
            viewer.put(drawn[viewer.charts])


class _Stream(Response):
    """The events of one viewer, until it or this front leaves."""

    media_type = "text/event-stream"

    def __init__(self, broadcast: Broadcast, charts: str, first: Facts) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._broadcast, self._charts, self._first = broadcast, charts, first

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send them as they come."""
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if scope["method"] != "HEAD":
            await self._follow(scope["gateway.connection"], send)
        await send({"type": "http.response.body", "body": b""})

    async def _follow(self, connection: Connection, send: Send) -> None:
        viewer = Viewer(connection, self._charts, self._first)
        sock = connection.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _IN_KERNEL)
        connection.on_lost = viewer.end
        self._broadcast.enter(viewer)
        try:
            data = _BEGIN
            while data and not connection.lost:
                await send({"type": "http.response.body", "body": data, "more_body": True})
                data = await viewer.next()
        finally:
            self._broadcast.leave(viewer)
            connection.on_lost = None


def _event(name: str, facts: Facts) -> bytes:
    return f"event: {name}\ndata: {json.dumps(facts, separators=(',', ':'))}\n\n".encode()
