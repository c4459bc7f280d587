"""The header Authorization of the Basic scheme, and the question for it (RFC 7617; pure)."""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Sequence
from typing import NamedTuple

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]")
_SCHEME = b"basic"


class Credentials(NamedTuple):
    """A name and a password as bytes."""

    name: bytes
    password: bytes


class BadCredentials(ValueError):
    """What was sent is not a name and a password; the text says why and shows none of it."""


def challenge(realm: str) -> bytes:
    """The value of WWW-Authenticate: clients are told to send UTF-8 (RFC 7617, section 2.1)."""
    quoted = realm.replace("\\", "\\\\").replace('"', '\\"').encode("utf-8", "surrogateescape")
    return b'Basic realm="%b", charset="UTF-8"' % quoted


def given(headers: Sequence[tuple[bytes, bytes]]) -> tuple[Credentials, ...]:
    """What a request's headers (lower-case names) say; nothing without Authorization. Raises BadCredentials.

    Old clients send Latin-1: what cannot be UTF-8 is given a second time, converted.
    """
    values = [value for name, value in headers if name == b"authorization"]
    if not values:
        return ()
    if len(values) > 1:
        raise BadCredentials("more than one header Authorization")
    scheme, _, token = values[0].strip().partition(b" ")
    if scheme.lower() != _SCHEME:
        raise BadCredentials("another scheme than Basic")
    sent = _decoded(token.strip())
    try:
        sent.decode()
    except UnicodeDecodeError:
        return _split(sent), _split(sent.decode("latin-1").encode())
    return (_split(sent),)


def _decoded(token: bytes) -> bytes:
    try:
        return b64decode(token + b"=" * (-len(token) % 4), validate=True)
    except ValueError:
        raise BadCredentials("credentials that are not base64") from None


def _split(sent: bytes) -> Credentials:
    name, colon, password = sent.partition(b":")
    if not colon or not name:
        raise BadCredentials("credentials without a name and a colon")
    if _CONTROL.search(name) or b"\0" in password:
        raise BadCredentials("control characters in a name or password")
    return Credentials(name, password)
