"""What the parser lets through and the gateway does not: the rules of a request's head. Pure."""

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from gateway.errors import (
    BadRequest,
    ExpectationFailed,
    HeadTooLarge,
    LineTooLong,
    MethodNotAllowed,
    NotImplementedHere,
    ServerOptions,
    VersionNotSupported,
)
from gateway.front.limits import LARGEST_HEAD, Limits

Headers = Sequence[tuple[bytes, bytes]]
WATCHED = frozenset((b"host", b"content-length", b"transfer-encoding", b"expect", b"upgrade"))
NEVER_SERVED = (b"CONNECT", b"TRACE")
ALLOWED = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

_HOST = re.compile(rb"(?:(?:[A-Za-z0-9._\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{0,5})?)?")
_ABSOLUTE = re.compile(rb"https?://([^/?#]*)([^#]*)", re.IGNORECASE)
_LONGEST_HOST = 262
_LINE_REST = 10  # the blanks and the version of a request line
_MOST_DIGITS = 18  # of a Content-Length; as for the body itself
_FIELD_REST = 2  # the colon and a blank


class Framing(NamedTuple):
    """How the body is delimited (`length` None: chunked), and whether the client waits for `100 Continue`."""

    length: int | None
    expects: bool
    upgrade: bool


_PLAIN = Framing(0, False, False)


def framing(version: str, watched: Headers) -> Framing:
    """Check the headers that decide where a request ends and whom it is for (RFC 9112, sections 3.2, 6).

    `watched` are those of the headers that are named in WATCHED. Raises GatewayError.
    """
    if len(watched) == 1 and watched[0][0] == b"host":
        _check_host(watched[0][1])
        return _PLAIN
    named: dict[bytes, list[bytes]] = {}
    for name, value in watched:
        named.setdefault(name, []).append(value)
    _check_hosts(version, named.get(b"host", []))
    lengths, codings = named.get(b"content-length", []), named.get(b"transfer-encoding", [])
    length = _length(version, lengths, codings)
    expects = _expects(version, named.get(b"expect", []))
    return Framing(length, expects, b"upgrade" in named)


def _check_hosts(version: str, hosts: Sequence[bytes]) -> None:
    if len(hosts) > 1 or (not hosts and version != "1.0"):
        raise BadRequest(f"expected one Host header, found {len(hosts)}")
    for host in hosts:
        _check_host(host)


def _check_host(value: bytes) -> None:
    if len(value) > _LONGEST_HOST or not _is_host(value):
        raise BadRequest(f"expected a host name in the Host header, found {value[:40]!r}")


@lru_cache(1024)
def _is_host(value: bytes) -> bool:
    return _HOST.fullmatch(value) is not None


def _length(version: str, lengths: Sequence[bytes], codings: Sequence[bytes]) -> int | None:
    if codings:
        if lengths or version == "1.0" or len(codings) > 1:
            raise BadRequest("expected Content-Length or one Transfer-Encoding, the latter from HTTP/1.1 on")
        if codings[0].lower() != b"chunked":
            raise NotImplementedHere(f"Transfer-Encoding: expected chunked, found {codings[0][:40]!r}")
        return None
    if len(lengths) > 1:
        raise BadRequest("expected one Content-Length, found more")
    if lengths and (not lengths[0].isdigit() or len(lengths[0]) > _MOST_DIGITS):
        raise BadRequest(f"expected a number in Content-Length, found {lengths[0][:40]!r}")
    return int(lengths[0]) if lengths else 0


def _expects(version: str, expectations: Sequence[bytes]) -> bool:
    if not expectations or version == "1.0":  # RFC 9110, section 10.1.1
        return False
    if len(expectations) > 1 or expectations[0].lower() != b"100-continue":
        raise ExpectationFailed(f"Expect: expected 100-continue, found {expectations[0][:40]!r}")
    return True


def check_version(version: str) -> None:
    """Raises VersionNotSupported."""
    if version not in ("1.1", "1.0"):
        raise VersionNotSupported(f"HTTP/{version}")


def check_sizes(limits: Limits, method: bytes, url: bytes, headers: Headers) -> None:
    """Raises LineTooLong, HeadTooLarge."""
    line = len(method) + len(url) + _LINE_REST
    if line > limits.line:
        raise LineTooLong(f"a request line of {line} bytes, LimitRequestLine is {limits.line}")
    check_fields(limits, headers)
    for name, value in headers:
        if len(name) + len(value) + _FIELD_REST > limits.field:
            size, shown = len(name) + len(value) + _FIELD_REST, name[:40].decode("latin-1")
            raise HeadTooLarge(f"{shown}: a header of {size} bytes, LimitRequestFieldSize is {limits.field}")


def check_fields(limits: Limits, headers: Headers) -> None:
    """Raises HeadTooLarge."""
    if len(headers) > limits.fields:
        raise HeadTooLarge(f"{len(headers)} headers, LimitRequestFields is {limits.fields}")
    if limits.fields == LARGEST_HEAD and sum(len(name) + len(value) for name, value in headers) > LARGEST_HEAD:
        raise HeadTooLarge(f"headers of more than {LARGEST_HEAD} bytes")


def not_served(method: bytes) -> MethodNotAllowed:
    """The answer to one of NEVER_SERVED."""
    return MethodNotAllowed(method.decode(), headers=((b"allow", ALLOWED),))


def origin_form(method: bytes, url: bytes, headers: list[tuple[bytes, bytes]]) -> bytes:
    """The path and query of a target that does not begin with a slash; the host of an absolute one takes the
    place of the Host header (RFC 9112, section 3.2.2). Raises GatewayError."""
    if url == b"*":
        if method == b"OPTIONS":
            raise ServerOptions(headers=((b"allow", ALLOWED),))
        raise BadRequest("expected a path, found *")
    found = _ABSOLUTE.match(url)
    if found is None or not found[1]:
        raise BadRequest(f"expected a path or an http URL, found {url[:40]!r}")
    _check_host(found[1])
    headers[:] = [pair for pair in headers if pair[0] != b"host"] + [(b"host", found[1])]
    return found[2] if found[2].startswith(b"/") else b"/" + found[2]
