"""Who may act on the status page, and how a request shows that it comes from the page itself."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from itsdangerous import BadSignature, URLSafeTimedSerializer

from gateway.access.guard import Guard
from gateway.directives import table
from gateway.directives.access import control_of
from gateway.directives.readers.controlling import NOBODY
from gateway.errors import Forbidden, Unauthorized
from gateway.request.incoming import Incoming

BACK = ("?", "Back to the status page")
_VALID = 12 * 3600  # seconds
_SALT = "server-status"
_LOCAL = "this machine"


class Permission(NamedTuple):
    """`may_act`; `user` as bytes, None for nobody in particular; `sign_in`: a user could be asked for."""

    may_act: bool
    user: bytes | None = None
    sign_in: bool = False


class Permissions:
    """ServerStatusControl, evaluated as Require is. `key` is the gateway's: tokens outlive a reload."""

    def __init__(self, guard: Guard, key: bytes) -> None:
        self._guard = guard
        self._tokens = URLSafeTimedSerializer(key, salt=_SALT)

    async def find(self, on: Incoming) -> Permission:
        """What this request may do; a refusal by the rule is no error, one by a file that cannot be read is."""
        if on.record.settings[table.ServerStatusControl] == NOBODY:
            return Permission(False)
        try:
            return Permission(True, await self.ask(on))
        except Unauthorized:
            return Permission(False, sign_in=_header(on, b"authorization") is None)
        except Forbidden:
            return Permission(False)

    async def ask(self, on: Incoming) -> bytes | None:
        """The user who may act. Raises Forbidden, Unauthorized (the browser asks who it is), Misconfigured."""
        user = await self._guard.admit(control_of(on.record.settings), on)
        return on.record.user if user is None else user

    async def demand(self, on: Incoming, token: str) -> bytes | None:
        """The user of a request that acts: one who may, from a page that this gateway gave to the same user.
        Raises Forbidden, Unauthorized, Misconfigured."""
        if _crosses_sites(on):
            raise Refused("this request comes from another site")
        try:
            user = await self.ask(on)
        except Unauthorized as error:
            if _header(on, b"authorization") is None:
                raise
            raise Refused(error.log) from error
        if not self._fits(token, on, user):
            raise Refused("the page is too old, or was not given to you: load it anew")
        return user

    def token(self, on: Incoming, user: bytes | None) -> str:
        """What a page carries that may act: bound to the user, or the client's address, for twelve hours."""
        return self._tokens.dumps(_bound(on, user))

    def _fits(self, token: str, on: Incoming, user: bytes | None) -> bool:
        try:
            return bool(self._tokens.loads(token, max_age=_VALID) == _bound(on, user))
        except BadSignature:
            return False


class Refused(Forbidden):
    """An action that was refused; the client is told why."""

    link = BACK

    def __init__(self, why: str) -> None:
        super().__init__(f"server-status: refused: {why}")
        self.text = f"Nothing was done: {why}."


def _bound(on: Incoming, user: bytes | None) -> list[str]:
    client = on.request.client
    if user is not None:
        return ["user", user.decode("latin-1")]
    return ["client", _LOCAL if client is None else client[0]]


def _crosses_sites(on: Incoming) -> bool:
    """By Sec-Fetch-Site (Fetch Metadata, W3C), which no page can forge; else by Origin (RFC 6454), which names
    this host, or is missing where no browser sends one."""
    site = _header(on, b"sec-fetch-site")
    if site is not None:
        return site != b"same-origin"
    origin = _header(on, b"origin")
    if origin is None:
        return False
    host = (_header(on, b"host") or b"").decode("latin-1").lower()
    return not host or urlsplit(origin.decode("latin-1").lower()).netloc != host


def _header(on: Incoming, name: bytes) -> bytes | None:
    return next((value for key, value in on.request.headers if key == name), None)
