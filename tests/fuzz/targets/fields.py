"""What a client says in headers and queries: framing, conditions, cookies, its way, its wishes."""

from __future__ import annotations

import re
from functools import cache
from ipaddress import ip_address

from gateway.directives.readers.networks import network
from gateway.directives.readers.proxies import Proxies, client_of
from gateway.directives.readers.setenvif import Condition, Conditions
from gateway.errors import GatewayError
from gateway.front.heads import NEVER_SERVED, framing, origin_form
from gateway.protocol.conditions import Validators, outcome, without_content
from gateway.protocol.cookies import PREFIX, given, hold, without_own
from gateway.protocol.environ import Request, message_variables, server_name
from gateway.protocol.isindex import search_words
from gateway.protocol.scgi import FrameReader, encode
from gateway.request.conditional import add_conditional
from gateway.status.query import BadQuery, chosen, parse
from tests.fuzz.target import Target

_MOST_ROWS, _SLOWEST = 1_000_000, 86400
_METHODS = ("GET", "HEAD", "POST", "OPTIONS")
Headers = list[tuple[bytes, bytes]]
_MARK = b"f" * 32
_NAME = re.compile(rb"[A-Z0-9_]+")
_OF_MESSAGE = frozenset(
    b"REQUEST_METHOD QUERY_STRING REQUEST_URI SERVER_PROTOCOL UNIQUE_ID SERVER_NAME PATH_INFO PATH_TRANSLATED "
    b"CONTENT_TYPE".split()
)
_WITHHELD = frozenset(
    b"HTTP_PROXY HTTP_AUTHORIZATION HTTP_PROXY_AUTHORIZATION HTTP_CONTENT_LENGTH HTTP_TRANSFER_ENCODING".split()
)


def check(data: bytes) -> None:
    """A target and headers, line by line: each reader refuses them by its own error, or stays in bounds."""
    lines = [line for line in data.replace(b"\0", b"").split(b"\n") if line.strip()]
    target = lines[0].replace(b" ", b"") if lines else b"/"
    pairs = (line.partition(b":") for line in lines[1:])
    headers = [(name.strip().lower(), value.strip()) for name, colon, value in pairs if colon]
    method = _METHODS[len(data) % len(_METHODS)]
    _check_head(method, target, headers)
    _check_conditions(method, headers)
    _check_cookies(headers)
    _check_query(method, target.partition(b"?")[2])
    for _, value in headers:
        _check_way(value)
    _check_variables(method, target, headers)


def _check_head(method: str, target: bytes, headers: Headers) -> None:
    assert method.encode() not in NEVER_SERVED
    try:
        found = framing("1.1", headers)
        assert found.length is None or found.length >= 0
        mapped = list(headers)
        if target and not target.startswith(b"/"):
            assert origin_form(method.encode(), target, mapped).startswith(b"/")
            assert [name for name, _ in mapped].count(b"host") == 1
    except GatewayError as error:
        assert error.status >= 400 or (method, target) == ("OPTIONS", b"*")


def _check_conditions(method: str, headers: Headers) -> None:
    named = dict(headers)
    validators = Validators(named.get(b"etag", b""), named.get(b"last-modified", b""))
    status = outcome(validators, method, headers)
    assert status in ((200, 304, 412) if method in ("GET", "HEAD") else (200,))
    left = without_content(headers)
    assert b"content-length" not in [name for name, _ in left] and without_content(left) == left


def _check_cookies(headers: Headers) -> None:
    for name, value in given(headers).items():
        assert name.startswith(PREFIX) and (not value or b"=" in value or hold(headers, value))
    for name, value in headers:
        if name == b"cookie":
            left = without_own(value)
            assert without_own(left) == left and not given([(name, left)])


def _check_query(method: str, query: bytes) -> None:
    words = search_words(method, query)
    assert not words or (method in ("GET", "HEAD") and b"=" not in query)
    assert not any(b"\0" in word or word.startswith(b"-") for word in words)
    try:
        found = parse(query)
    except BadQuery as error:
        assert "expected" in str(error)
        return
    assert 1 <= found.rows <= _MOST_ROWS and 0 <= found.refresh <= _SLOWEST
    assert chosen([], found) == []


def _check_way(value: bytes) -> None:
    header = value.decode("latin-1")
    found = client_of("10.1.2.3", header, _proxies())
    if found is not None:
        assert str(ip_address(found.address)) == found.address
        assert len(found.rest) <= len(header) + header.count(",")
    name = server_name(value)
    assert name is None or name.decode("ascii")


def _check_variables(method: str, target: bytes, headers: Headers) -> None:
    client = ("192.0.2.1", 1)
    request = Request(method, target.partition(b"?")[0], b"", "1.1", headers, client, client, "http", b"id")
    fixed = {b"FIXED": b"1", b"DOCUMENT_ROOT": b"/srv", b"HTTP_X_FIXED": b"1"}
    variables = message_variables(request, fixed, path_info=target, content_length=None)
    assert fixed.keys().isdisjoint(variables) and _WITHHELD.isdisjoint(variables)
    strange = {name for name in variables if not name.startswith(b"HTTP_")} - _OF_MESSAGE
    assert not strange and all(map(_NAME.fullmatch, variables)), strange
    assert PREFIX not in variables.get(b"HTTP_COOKIE", b"") or not given(
        [(b"cookie", variables[b"HTTP_COOKIE"])]
    )
    add_conditional(variables, _conditions(), request, fixed)
    assert variables[b"REQUEST_METHOD"] == method.encode() and b"FIXED" not in variables
    [frame] = FrameReader().feed(encode(variables, 0, _MARK))
    assert variables.items() <= frame.variables.items(), "a program reads what was meant"


@cache
def _proxies() -> Proxies:
    return Proxies((network("10.0.0.0/8"), network("2001:db8::/32")), (network("10.2.0.0/16"),))


@cache
def _conditions() -> Conditions:
    return (
        Condition("SetEnvIf", "Request_URI", "^/([^/]*)(/.*)?$", ("FIRST=$1", "REST=$2", "FIXED=x")),
        Condition("SetEnvIf", "User-Agent", "(.*)", ("AGENT=$1", "!NONE")),
        Condition("SetEnvIfNoCase", "^X-.*", "a(b)?", ("FOUND=$1\\$",)),
        Condition("SetEnvIf", "FIRST", "^.{2,}$", ("LONG",)),
    )


SEEDS = [
    b'/a?rows=10&sort=left\nHost: x\nIf-None-Match: W/"a", "b"\nETag: "b"\n',
    b"/a/b?one+two\nHost: x\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT\n"
    b"Last-Modified: Fri, 02 Jan 1970 00:00:00 +0130\nUser-Agent: x\n",
    b"http://x/b?refresh=5\nHost: y:80\nContent-Length: 5\nExpect: 100-continue\n",
    b"/a\nHost: [::1]:80\nTransfer-Encoding: chunked\nX-Forwarded-For: 192.0.2.7, [2001:db8::1]:80, 10.2.0.1\n",
    b"/a\nCookie: HTSESSION_BIND_ab=secret; c=d\nCookie: a=HTSESSION_BIND_; HTSESSION_BIND_x\nHost: a\n",
    b"*\nHost:\nIf-Match: *\nIf-Unmodified-Since: Mon, 1 Jan 1 00:00:00 -2359\nLast-Modified: x\n",
]
WORDS = [
    b"\n", b":", b": ", b"?", b"&", b"=", b";", b",", b'"', b"*", b"W/", b"%00", b"%", b"+", b"-", b"0" * 40,
    b"9" * 20, b"0" * 4400, b"\xff", b"\t", b"Host: ", b"Content-Length: ", b"Transfer-Encoding: ", b"chunked",
    b"Expect: ",
    b"Cookie: ", b"HTSESSION_BIND_", b"If-Match: ", b"If-None-Match: ", b"If-Modified-Since: ",
    b"If-Unmodified-Since: ", b"Last-Modified: ", b"ETag: ", b"Thu, 01 Jan 1970 00:00:00 GMT",
    b"31 Dec 9999 23:59:59 -2359", b"1 Jan 1 00:00:00 +2359", b"X-Forwarded-For: ", b"10.2.0.1", b"::1",
    b"[", b"]", b"rows", b"refresh", b"sort", b"id", b"events", b"find", b"http://", b"X-a: ab", b"Proxy: ",
    b"Authorization: ", b"Content-Type: ", b"X-Fixed: ", b"a_b: ",
]  # fmt: skip
TARGET = Target("headers and queries", check, SEEDS, WORDS, longest=6000)
