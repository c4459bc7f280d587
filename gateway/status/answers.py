"""`SetHandler server-status`: one URL, its forms by query."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from starlette.responses import JSONResponse, PlainTextResponse, Response

from gateway.control.facts import of_session
from gateway.errors import BadRequest, MethodNotAllowed
from gateway.measure.series import Series
from gateway.measure.sources import Traffic
from gateway.request.incoming import Incoming
from gateway.status import actions, auto, charts
from gateway.status.events import Broadcast
from gateway.status.page import confirmation, page
from gateway.status.permission import BACK, Permission
from gateway.status.query import BadQuery, Query, chosen, parse
from gateway.status.snapshot import Snapshots

_METHODS = "GET, HEAD, POST"
_KEPT = 3.0  # seconds for which charts are not drawn anew


class Charts:
    """The charts of a range, drawn at most every few seconds, however many look."""

    def __init__(self, series: Series) -> None:
        self._series = series
        self._drawn: dict[str, tuple[float, dict[str, str]]] = {}

    def __call__(self, name: str) -> dict[str, str]:
        """`<svg>` texts by name."""
        now = time.monotonic()
        at, drawn = self._drawn.get(name, (-_KEPT, {}))
        if now - at >= _KEPT:
            drawn = charts.render(self._series, name)
            self._drawn[name] = now, drawn
        return drawn


class Front(Protocol):
    """What a front knows of itself; `series` are its measures by time."""

    traffic: Callable[[], Traffic]
    series: Series

    @property
    def counts_bytes(self) -> bool:
        """Whether the bytes of connections are counted."""


class Parts(NamedTuple):
    """What the status page is made of."""

    snapshots: Snapshots
    actions: actions.Actions
    services: actions.Services
    broadcast: Broadcast
    charts: Charts
    front: Front


class BadStatusQuery(BadRequest):
    """A value in the URL of the status page that cannot be meant; the client is told which."""

    link = BACK

    def __init__(self, why: BadQuery) -> None:
        super().__init__(f"server-status: {why}")
        self.text = f"{why}."


class StatusPage:
    """Answers requests that were let in."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def close(self) -> None:
        """This front leaves: streams end."""
        self._parts.broadcast.close()

    async def __call__(self, on: Incoming) -> Response:
        """Raises MethodNotAllowed, BadStatusQuery, Busy, and what `Actions` refuses."""
        response = await self._answer(on)
        response.headers.setdefault("cache-control", "no-store")
        response.headers["x-content-type-options"] = "nosniff"
        response.headers["referrer-policy"] = "same-origin"  # with less a form's Origin would be null
        response.headers["x-robots-tag"] = "noindex"
        return response

    async def _answer(self, on: Incoming) -> Response:
        if on.request.method == "POST":
            return await self._parts.actions.carry_out(on)
        if on.request.method not in ("GET", "HEAD"):
            allowed = ((b"allow", _METHODS.encode()),)
            raise MethodNotAllowed(f"server-status: {on.request.method}", headers=allowed)
        try:
            query = parse(on.request.query)
        except BadQuery as error:
            raise BadStatusQuery(error) from None
        if query.form == "auto":
            return await self._auto(query)
        permissions = self._parts.services.permissions
        if query.form == "login":
            await permissions.ask(on)
            return Response(status_code=303, headers={"location": "?"})
        if query.end or query.extend:
            return await self._ask(on, query)
        permission = await permissions.find(on)
        if query.form == "events":
            return self._parts.broadcast.stream(query.range, self._private(on, permission))
        snapshot = await self._parts.snapshots.taken()
        private = self._private(on, permission)
        if query.form == "json":
            snapshot["sessions"] = chosen(snapshot["sessions"], query)
            return JSONResponse(snapshot | private)
        more = {
            "charts": self._parts.charts(query.range),
            "sign_in": permission.sign_in,
            "notice": actions.notice(query.done),
            "token": "",
        }
        return await page(snapshot, query, more | private)

    async def _auto(self, query: Query) -> Response:
        snapshot = await self._parts.snapshots.taken()
        front, times, measures = self._parts.front, os.times(), self._parts.services.registry.measures
        traffic = front.traffic()
        work = auto.Work(
            None if measures is None else sum(measures.requests.values()),
            traffic.sent if front.counts_bytes else None,
            times.user,
            times.system,
            traffic.connections,
        )
        response = PlainTextResponse(auto.text(snapshot, work, auto.load_average()))
        if query.refresh:
            response.headers["refresh"] = str(query.refresh)
        return response

    async def _ask(self, on: Incoming, query: Query) -> Response:
        """The page that asks before something is done: for those who may do it."""
        services = self._parts.services
        user = await services.permissions.ask(on)
        session = self._parts.actions.session(query.end or query.extend)
        facts = of_session(session, services.masks)
        token = services.permissions.token(on, user)
        return await confirmation("end" if query.end else "extend", facts, token)

    def _private(self, on: Incoming, permission: Permission) -> dict[str, bool | str]:
        """What the page of somebody who may act has beside the others'."""
        if not permission.may_act:
            return {"may_act": False}
        return {"may_act": True, "token": self._parts.services.permissions.token(on, permission.user)}
