"""Answers of the gateway's own at any URL (SetHandler): status, metrics, health, readiness."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from starlette.responses import Response

from gateway.directives.foreign.handlers import HEALTH, METRICS, READY, STATUS
from gateway.errors import MethodNotAllowed
from gateway.protocol.environ import Request
from gateway.request.incoming import Incoming

if TYPE_CHECKING:
    from gateway.web.metrics import Metrics

_UNREADY_AGAIN = b"5"  # seconds


class OwnPages:
    """`unready` says why no requests are taken now, None when they are; `metrics` and `status` (the one with
    methods of its own) are None where no directive asks for them."""

    def __init__(
        self,
        unready: Callable[[], str | None],
        metrics: Metrics | None,
        status: Callable[[Incoming], Awaitable[Response]] | None,
    ) -> None:
        self._unready, self._metrics, self._status = unready, metrics, status

    async def respond(self, name: str, on: Incoming) -> Response:
        """The answer of a handler. Raises MethodNotAllowed and what else the status page refuses."""
        if name == STATUS:
            assert self._status is not None
            return await self._status(on)
        request = on.request
        if request.method not in ("GET", "HEAD"):
            raise MethodNotAllowed(f"{name}: {request.method}", headers=((b"allow", b"GET, HEAD"),))
        response = _WAYS[name](self, request)
        response.headers.setdefault("cache-control", "no-store")
        return response

    def _measured(self, request: Request) -> Response:
        assert self._metrics is not None
        accept = ",".join(value.decode("latin-1") for name, value in request.headers if name == b"accept")
        text, kind = self._metrics.text(accept)
        return Response(text, headers={"content-type": kind})

    def _healthy(self, request: Request) -> Response:
        return _line(200, "ok")

    def _ready(self, request: Request) -> Response:
        why = self._unready()
        return _line(200, "ready") if why is None else _line(503, why)


_WAYS: dict[str, Callable[[OwnPages, Request], Response]] = {
    METRICS: OwnPages._measured,
    HEALTH: OwnPages._healthy,
    READY: OwnPages._ready,
}


def _line(status: int, text: str) -> Response:
    headers = {} if status == 200 else {"retry-after": _UNREADY_AGAIN.decode()}
    return Response(text + "\n", status, headers, "text/plain")
