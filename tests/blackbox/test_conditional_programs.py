"""Conditional requests that a program's own validators answer (as Apache's ap_meets_conditions does)."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest

from tests.blackbox.clients import new_handle, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway

ETAG = "&header=" + quote('ETag: "a"')
DATED = "&header=" + quote("Last-Modified: Fri, 01 Jan 2016 00:00:00 GMT")
LATER, EARLIER = "Sun, 01 Jan 2017 00:00:00 GMT", "Thu, 01 Jan 2015 00:00:00 GMT"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared('CGIStopGrace 100ms\nErrorDocument 412 "not as you think"')


def ask(gateway: Gateway, more: str, method: str = "GET", **headers: str) -> Answer:
    return gateway.request(
        method, f"/cgi-bin/child?header=Set-Cookie:+a%3Db{more}&echo=0123456789", None, headers
    )


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(
    ("more", "headers"),
    [(ETAG, {"If-None-Match": '"a"'}), (ETAG, {"If-None-Match": "*"}), (DATED, {"If-Modified-Since": LATER})],
)
def test_what_the_client_has_is_304_without_a_body(
    gateway: Gateway, method: str, more: str, headers: dict[str, str]
) -> None:
    answer = ask(gateway, more, method, **headers)
    assert (answer.status, answer.body, answer.header("set-cookie")) == (304, b"", "a=b")
    assert answer.header("content-type") is None and answer.header("content-length") is None


@pytest.mark.parametrize(
    ("more", "headers"),
    [(ETAG, {"If-Match": '"b"'}), (DATED, {"If-Unmodified-Since": EARLIER})],
)
def test_what_the_client_does_not_have_is_412_with_its_document(
    gateway: Gateway, more: str, headers: dict[str, str]
) -> None:
    answer = ask(gateway, more, **headers)
    assert (answer.status, answer.text) == (412, "not as you think")


@pytest.mark.parametrize(
    ("more", "headers"),
    [
        (ETAG, {"If-None-Match": '"b"'}),
        (DATED, {"If-Modified-Since": EARLIER}),
        ("", {"If-None-Match": "*"}),
        (ETAG + "&status=203+Own", {"If-None-Match": '"a"'}),
        (ETAG, {"Range": "bytes=2-3"}),
    ],
)
def test_otherwise_the_page_is_sent_whole(gateway: Gateway, more: str, headers: dict[str, str]) -> None:
    answer = ask(gateway, more, **headers)
    assert answer.status in (200, 203) and answer.text == "0123456789"


def test_a_POST_has_acted_and_is_answered_whole(gateway: Gateway) -> None:
    assert ask(gateway, ETAG, "POST", If_None_Match='"a"').status == 200


def test_a_page_that_carries_a_handle_is_sent_whole_and_its_session_goes_on(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    answer = gateway.get(f"{url}?handle={handle}{ETAG}&count", If_None_Match='"a"')
    assert (answer.status, answer.text.split()[0]) == (200, "count=2")
    assert gateway.get(f"{url}?handle={handle}&count").text.startswith("count=3 ")


def test_the_last_page_of_a_session_may_be_304(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    assert gateway.get(f"{url}?{ETAG}&size=300000", If_None_Match='"a"').status == 304
    assert gateway.reason(url) == "ended"


def test_the_connection_serves_on_after_304_and_412(gateway: Gateway) -> None:
    head = f"GET /cgi-bin/child?{ETAG}&size=200000 HTTP/1.1\r\nHost: localhost\r\n"
    last = "GET /cgi-bin/child?echo=last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    received = gateway.raw(
        (head + 'If-None-Match: "a"\r\n\r\n' + head + 'If-Match: "b"\r\n\r\n' + last).encode()
    )
    assert re.findall(rb"HTTP/1.1 (\d+)", received) == [b"304", b"412", b"200"]
    assert b"xxx" not in received and b"last" in received
