"""Location: redirects by the client and by the gateway (RFC 3875, section 6.2)."""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared()
    (gateway.htdocs / "page.txt").write_text("a static page")
    return gateway


def redirect(
    gateway: Gateway, location: str, *more: str, method: str = "GET", body: bytes | None = None
) -> Answer:
    """The answer to a program whose only header is this Location (and what `more` says)."""
    query = "&".join([f"header={quote_plus('Location: ' + location)}", *more])
    return gateway.request(method, f"/cgi-bin/child?{query}", body)


@pytest.mark.parametrize(
    "location", ["http://example.org/there?q#f", "https://example.org", "mailto:a@b", "//example.org/x"]
)
def test_a_URL_is_a_client_redirect(gateway: Gateway, location: str) -> None:
    answer = redirect(gateway, location)
    assert (answer.status, answer.header("location")) == (302, location)


def test_a_client_redirect_may_have_a_document(gateway: Gateway) -> None:
    answer = redirect(
        gateway, "http://example.org/", "status=302+Found", "header=Content-Type:+text/x", "echo=moved"
    )
    assert (answer.status, answer.header("content-type"), answer.text) == (302, "text/x", "moved")


@pytest.mark.parametrize("status", ["301", "303", "307", "201"])
def test_a_Status_makes_a_path_a_matter_of_the_client(gateway: Gateway, status: str) -> None:
    answer = redirect(gateway, "/page.txt", f"status={status}")
    assert (answer.status, answer.header("location")) == (int(status), "/page.txt")


def test_a_path_is_answered_by_the_gateway_itself(gateway: Gateway) -> None:
    answer = redirect(gateway, "/page.txt")
    assert (answer.status, answer.text, answer.header("location")) == (200, "a static page", None)


def test_a_local_redirect_reaches_a_program_with_its_query(gateway: Gateway) -> None:
    target = "/cgi-bin/child/info?env=PATH_INFO&env=QUERY_STRING&env=REQUEST_METHOD"
    assert redirect(gateway, target).text == (
        "PATH_INFO=/info\nQUERY_STRING=env=PATH_INFO&env=QUERY_STRING&env=REQUEST_METHOD\nREQUEST_METHOD=GET\n"
    )


def test_a_local_redirect_of_a_POST_is_a_GET_without_the_body(gateway: Gateway) -> None:
    target = "/cgi-bin/child?env=REQUEST_METHOD&env=CONTENT_LENGTH&env=CONTENT_TYPE&env=HTTP_COOKIE"
    query = f"header={quote_plus('Location: ' + target)}"
    answer = gateway.post(f"/cgi-bin/child?{query}", b"form=1", Cookie="a=b", Content_Type="text/form")
    assert answer.text.split() == [
        "REQUEST_METHOD=GET", "CONTENT_LENGTH=<absent>", "CONTENT_TYPE=<absent>", "HTTP_COOKIE=a=b",
    ]  # fmt: skip


def test_a_local_redirect_of_a_POST_leaves_the_connection_usable(gateway: Gateway) -> None:
    target = "/cgi-bin/child?header=Location:+/page.txt"
    head = f"POST {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 300000\r\n\r\n"
    tail = "GET /cgi-bin/child?echo=last HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    received = gateway.raw(head.encode() + b"x" * 300_000 + tail.encode())
    assert received.count(b"HTTP/1.1 200 OK") == 2 and b"a static page" in received and b"last" in received


def test_a_local_redirect_of_HEAD_stays_HEAD(gateway: Gateway) -> None:
    answer = redirect(gateway, "/page.txt", method="HEAD")
    assert (answer.status, answer.header("content-length"), answer.body) == (200, "13", b"")


@pytest.mark.parametrize("target", ["/nothing", "/cgi-bin/", "/%2e%2e/%2e%2e/etc/passwd"])
def test_a_local_redirect_obeys_the_rules_of_its_target(gateway: Gateway, target: str) -> None:
    assert redirect(gateway, target).status == gateway.get(target).status
    assert gateway.get(target).status in (400, 403, 404)


def test_local_redirects_without_end_are_500(gateway: Gateway) -> None:
    gateway.program("loop", '#!/bin/sh\nprintf "Location: $SCRIPT_NAME\\n\\n"\n')
    assert gateway.get("/cgi-bin/loop").status == 500
    gateway.wait_log("more than 5 local redirects")


def test_a_few_local_redirects_are_followed(gateway: Gateway) -> None:
    target = "/page.txt"
    for _ in range(5):
        target = f"/cgi-bin/child?header={quote_plus('Location: ' + target)}"
    assert gateway.get(target).text == "a static page"


def test_H9_a_local_redirect_registers_the_session_first(gateway: Gateway) -> None:
    target = "/cgi-bin/child/h9-local/?handle=h9-local&count"
    query = f"handle=h9-local&header={quote_plus('Location: ' + target)}"
    assert gateway.get(f"/cgi-bin/child?{query}").text.startswith("count=2")
    assert gateway.get("/cgi-bin/child/h9-local?handle=h9-local&count").text.startswith("count=3")


def test_H9_a_client_redirect_may_carry_the_handle(gateway: Gateway) -> None:
    answer = redirect(gateway, "/cgi-bin/child/h9-client/", "handle=h9-client", "status=302")
    assert (answer.status, answer.header("location")) == (302, "/cgi-bin/child/h9-client/")
    assert gateway.get("/cgi-bin/child/h9-client/?count").text.startswith("count=2")
