"""Ending and extending sessions from the status page."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import NamedTuple
from urllib.parse import parse_qsl, urlencode

from starlette.responses import JSONResponse, Response

from gateway.control import ending
from gateway.control.facts import Facts, of_session
from gateway.control.seek import Refusal, Seeker
from gateway.directives import table
from gateway.errors import BadRequest, ClientGone, GatewayError
from gateway.logs.access.masks import Masks
from gateway.logs.error import ErrorLog
from gateway.request.incoming import Incoming
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.status.permission import BACK, Permissions
from gateway.web.pages import preferred

ACTIONS = ("end", "extend")
_LONGEST = 4096  # bytes of a form
_MOST_FIELDS = 16
_JSON = "application/json"


class NotDone(GatewayError):
    """What was asked cannot be done, with the status and the text of a Refusal."""

    level = "info"
    link = BACK

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(f"server-status: {refusal.text}")
        self.status, self.title = refusal.status, HTTPStatus(refusal.status).phrase
        self.text = f"{refusal.text[:1].upper()}{refusal.text[1:]}."


class Services(NamedTuple):
    """What acting needs."""

    registry: Registry
    seeker: Seeker
    masks: Masks
    permissions: Permissions
    log: ErrorLog


class Actions:
    """Carries out what forms ask: `action` (end, extend), `id`, `time` (extend), `token`; `began`, when the
    session began that the page has shown: ids of sessions in a shared instance come again."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def session(self, number: str) -> Session:
        """The living session of an id as the page has it, of nothing else that a session is called by. Raises
        NotDone."""
        try:
            if number.isascii() and number.replace(".", "", 1).isdecimal():
                found = self._services.seeker.living(number)
                if found.id == number:
                    return found
            raise Refusal(404, "no such session is known (any more)")
        except Refusal as refusal:
            raise NotDone(refusal) from None

    async def carry_out(self, on: Incoming) -> Response:
        """The answer to a form. Raises Forbidden, Unauthorized, Misconfigured, BadRequest, BodyTooLarge,
        ClientGone, NotDone."""
        form = await _form(on)
        user = await self._services.permissions.demand(on, form.get("token", ""))
        action = form.get("action", "")
        if action not in ACTIONS:
            raise NotDone(Refusal(400, f"action: expected one of {', '.join(ACTIONS)}"))
        session = self.session(form.get("id", ""))
        if form.get("began", _told(session)) != _told(session):
            raise NotDone(Refusal(404, f"session {session.id} is over: what has its id now is another one"))
        facts = of_session(session, self._services.masks)
        await self._act(action, session, form.get("time", ""))
        self._note(on, user, action, facts, form.get("time", ""))
        if preferred(_accept(on)) == _JSON:
            told = {"action": action, "id": facts["id"], "cgi_name": facts["cgi_name"]}
            return JSONResponse(told | {"done": notice({"done": action, "id": facts["id"]})})
        query = urlencode({"done": action, "id": facts["id"]})
        return Response(status_code=303, headers={"location": f"?{query}"})

    async def _act(self, action: str, session: Session, time: str) -> None:
        registry = self._services.registry
        try:
            if action == "end":
                await ending.end(registry, session)
            else:
                ending.extend(registry, session, time)
        except Refusal as refusal:
            raise NotDone(refusal) from None

    def _note(self, on: Incoming, user: bytes | None, action: str, facts: Facts, time: str) -> None:
        who = "" if user is None else f" by user {user.decode('utf-8', 'backslashreplace')}"
        what = "ended" if action == "end" else f"extended to {time}"
        client = None if on.request.client is None else on.request.client[0]
        text = f"server-status: session {facts['id']} of {facts['cgi_name']} was {what}{who}"
        self._services.log("notice", text, module="core", client=client, host=on.host.key)


def notice(query: Mapping[str, str]) -> str:
    """What the page says after an action, from the words of its URL; empty for anything else."""
    number = query.get("id", "")
    if not number.isascii() or not number.replace(".", "", 1).isdecimal():
        return ""
    return {"end": f"Session {number} was ended.", "extend": f"Session {number} was extended."}.get(
        query.get("done", ""), ""
    )


def _told(session: Session) -> str:
    return str(session.began)


async def _form(on: Incoming) -> dict[str, str]:
    """The fields of a small form (application/x-www-form-urlencoded)."""
    on.body.restrict(_LONGEST)
    try:
        await on.body.take(_LONGEST, on.record.settings[table.Timeout])
    except TimeoutError:
        on.connection.abort()
        raise ClientGone from None
    try:
        return dict(parse_qsl(on.body.in_memory.decode("utf-8", "replace"), max_num_fields=_MOST_FIELDS))
    except ValueError:
        raise BadRequest(f"server-status: a form of more than {_MOST_FIELDS} fields") from None


def _accept(on: Incoming) -> str:
    return ",".join(value.decode("latin-1") for name, value in on.request.headers if name == b"accept")
