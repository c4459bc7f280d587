"""The guard: lets a request in, asks for a user, or refuses (in the order of Apache's hooks)."""

from __future__ import annotations

import os
from collections.abc import Callable, Container

from gateway.access.credentials import BadCredentials, challenge, given
from gateway.access.files import Watched, as_text, parse_groups
from gateway.access.passwords import Passwords
from gateway.configuration.load import Host
from gateway.directives.access import Access
from gateway.directives.readers.networks import holds
from gateway.directives.readers.requirements import Facts, Verdict
from gateway.errors import Forbidden, Misconfigured, Unauthorized
from gateway.protocol.environ import Request
from gateway.request.conditional import variables_of
from gateway.request.incoming import Incoming

_LOOPBACK = ("127.0.0.0/8", "::1")
_LONGEST_SHOWN = 255


class Guard:
    """`shown` gives a host's path for the log, handles of sessions masked."""

    def __init__(self, shown: Callable[[Host, bytes], str]) -> None:
        self._shown = shown
        self._passwords = Passwords()
        self._groups = Watched(parse_groups)

    async def admit(self, access: Access, on: Incoming) -> bytes | None:
        """The user who was let in, None where nobody needed to say who they are.

        Raises Forbidden, Unauthorized, Misconfigured (500), Busy.
        """
        facts = self._facts(access, on)
        verdict = access.verdict(facts)
        if verdict is Verdict.GRANTED:
            return None
        if verdict is not Verdict.NO_USER:
            raise Forbidden(f"client denied by server configuration: {self._path(on)}{access.hint}")
        realm, users = self._needed(access, on)
        user = await self._authenticated(on, realm, users)
        if access.verdict(facts._replace(user=as_text(user))) is Verdict.GRANTED:
            return user
        raise Unauthorized(challenge(realm), f"user {_named(user)}: not let in by Require: {self._path(on)}")

    def lets_in(self, access: Access, on: Incoming) -> bool:
        """Whether nobody needs to say who they are: what `admit` would let in as nobody."""
        return access.verdict(self._facts(access, on)) is Verdict.GRANTED

    def _facts(self, access: Access, on: Incoming) -> Facts:
        variables = _variables(access, on.request)
        return _facts(on.request, variables, lambda user: self._groups_of(access, user, on))

    async def _authenticated(self, on: Incoming, realm: str, users: str) -> bytes:
        try:
            credentials = given(on.request.headers)
        except BadCredentials as error:
            raise Unauthorized(challenge(realm), f"{error}: {self._path(on)}") from None
        if not credentials:
            raise Unauthorized(challenge(realm))
        try:
            for name, password in credentials:
                if await self._passwords.fit(users, name, password):
                    return name
            known = any(self._passwords.known(users, name) for name, _ in credentials)
        except OSError as error:
            raise Misconfigured(f"AuthUserFile {users}: {error.strerror}: {self._path(on)}") from error
        why = "authentication failure, the password does not fit" if known else "not found"
        raise Unauthorized(challenge(realm), f"user {_named(credentials[0].name)}: {why}: {self._path(on)}")

    def _groups_of(self, access: Access, user: str, on: Incoming) -> frozenset[str]:
        if access.groups is None:
            raise Misconfigured(f"Require group: expected an AuthGroupFile, found none: {self._path(on)}")
        try:
            return self._groups[access.groups].get(user, frozenset())
        except OSError as error:
            text = f"AuthGroupFile {access.groups}: {error.strerror}: {self._path(on)}"
            raise Misconfigured(text) from error

    def _needed(self, access: Access, on: Incoming) -> tuple[str, str]:
        """AuthName and AuthUserFile."""
        if not access.basic or access.realm is None or access.users is None:
            wanted = "Require asks for a user: expected AuthType Basic, AuthName and AuthUserFile"
            raise Misconfigured(f"{wanted}, found not all of them: {self._path(on)}")
        return access.realm, access.users

    def _path(self, on: Incoming) -> str:
        return self._shown(on.host, on.request.raw_path)


def _variables(access: Access, request: Request) -> Container[str]:
    """Those of SetEnvIf, and of a request that another one led to (REDIRECT_STATUS), as in Apache."""
    if not access.variables:
        return ()
    given = variables_of(access.conditions, request)
    return given if request.came_by is None else {*given, *map(os.fsdecode, request.came_by.variables)}


def _facts(request: Request, variables: Container[str], groups: Callable[[str], frozenset[str]]) -> Facts:
    address = None if request.client is None else request.client[0]
    ours = None if request.server is None else request.server[0]
    local = address is None or address == ours or holds(_LOOPBACK, address)
    return Facts(request.method, address, local, None, groups, variables)


def _named(user: bytes) -> str:
    """A name for the log."""
    return as_text(user[:_LONGEST_SHOWN])
