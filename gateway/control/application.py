"""What the control socket answers: JSON over HTTP.

GET /status, /sessions, /session?id=ID; POST /end?id=ID, /extend?id=ID&time=TIME, /drain?on=yes|no. An answer is
an object; one with another status than 200 has `error`, a text for people.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from gateway.control import ending, explain
from gateway.control.closing import Closing
from gateway.control.facts import Facts, living, of_ending, of_session, with_processes
from gateway.control.overview import Overview
from gateway.control.seek import Over, Refusal, Seeker
from gateway.logs.access.masks import Masks
from gateway.sessions.registry import Registry

Answer = Callable[[Request], Awaitable[dict[str, Any]]]


class Control:
    """The answers, for one front."""

    def __init__(
        self, registry: Registry, seeker: Seeker, masks: Masks, closing: Closing, overview: Overview
    ) -> None:
        self._registry, self._seeker, self._masks = registry, seeker, masks
        self._closing, self._overview = closing, overview

    def application(self) -> Starlette:
        """The ASGI application."""
        asked: list[tuple[str, str, Answer]] = [
            ("GET", "/status", self._status),
            ("GET", "/sessions", self._sessions),
            ("GET", "/session", self._session),
            ("POST", "/end", self._end),
            ("POST", "/extend", self._extend),
            ("POST", "/drain", self._drain),
        ]
        return Starlette(routes=[Route(path, _answered(answer), methods=[way]) for way, path, answer in asked])

    async def _status(self, request: Request) -> Facts:
        return await self._overview.facts()

    async def _sessions(self, request: Request) -> Facts:
        sessions = [of_session(session, self._masks) for session in living(self._registry)]
        return {"sessions": await with_processes(sessions), "another_front": self._registry.overlap}

    async def _session(self, request: Request) -> Facts:
        found = self._seeker.find(_named(request))
        if isinstance(found, Over):
            return _of_over(found)
        facts = of_session(found, self._masks)
        doing, left = facts["state"], facts["left"]
        told = {"alive": explain.alive(found, doing, left), "ends": list(explain.ends(found, doing, left))}
        return (await with_processes([facts]))[0] | told

    async def _end(self, request: Request) -> Facts:
        session = self._seeker.living(_named(request))
        facts = of_session(session, self._masks)
        await ending.end(self._registry, session)
        return facts | {"state": "ended", "reason": "ended", "text": ending.TEXT}

    async def _extend(self, request: Request) -> Facts:
        session = self._seeker.living(_named(request))
        ending.extend(self._registry, session, request.query_params.get("time", ""))
        return of_session(session, self._masks)

    async def _drain(self, request: Request) -> Facts:
        if request.query_params.get("on", "yes") == "no":
            self._closing.cancel()
        else:
            self._closing.begin()
        return {"draining": self._closing.on, "sessions": sum(1 for _ in living(self._registry))}


def _of_over(over: Over) -> Facts:
    known = {} if over.ending is None else of_ending(over.ending)
    return known | {
        "state": "replaced" if over.replaced else "ended",
        "reason": over.reason,
        "at": over.at,
        "ended": over.ended,
        "story": over.story,
    }


def _named(request: Request) -> str:
    return request.query_params.get("id", "")


def _answered(answer: Answer) -> Callable[[Request], Awaitable[JSONResponse]]:
    async def endpoint(request: Request) -> JSONResponse:
        try:
            return JSONResponse(await answer(request))
        except Refusal as refusal:
            return JSONResponse({"error": refusal.text}, refusal.status)

    return endpoint
