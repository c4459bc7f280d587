"""The HTML of the status page. Templates and what they include lie in gateway/web/templates/."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from gateway.control.facts import Facts
from gateway.status.query import Query, chosen
from gateway.status.words import FILTERS

if TYPE_CHECKING:
    from jinja2 import Environment

_NONCE_BYTES = 16
_POLICY = (
    "default-src 'none'; style-src 'nonce-{0}'; script-src 'nonce-{0}'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


@cache
def templates() -> Environment:
    """The templates, loaded when the first page is asked for; or before the front becomes another user, while
    its files may be read."""
    from jinja2 import Environment, PackageLoader

    loader = PackageLoader("gateway.web")
    made = Environment(loader=loader, autoescape=True, auto_reload=False)
    made.filters |= FILTERS
    for name in loader.list_templates():
        if name.startswith("status"):  # what the page includes is loaded by itself only when that is rendered
            made.get_template(name)
    return made


async def page(snapshot: Facts, query: Query, more: Mapping[str, Any]) -> HTMLResponse:
    """The page; `more`: `charts`, `may_act`, `sign_in`, `token`, `notice`. Rendered beside the event loop: a
    thousand rows take their time."""
    rows = chosen(snapshot["sessions"], query)
    context = {**snapshot, **more}
    context |= {"rows": rows[: query.rows], "shown": len(rows), "most": query.rows, "query": query.kept}
    response = await _rendered("status.html", context)
    if query.refresh:
        response.headers["refresh"] = str(query.refresh)
    return response


async def confirmation(action: str, session: Facts, token: str) -> HTMLResponse:
    """The page that asks whether a session is to be ended or extended, with the form that does it."""
    return await _rendered("status_confirm.html", {"action": action, "session": session, "token": token})


async def _rendered(name: str, context: Mapping[str, Any]) -> HTMLResponse:
    nonce = secrets.token_urlsafe(_NONCE_BYTES)
    text = await asyncio.to_thread(templates().get_template(name).render, dict(context, nonce=nonce))
    return HTMLResponse(text, headers={"content-security-policy": _POLICY.format(nonce)})
