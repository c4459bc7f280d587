"""What a local redirect hands on: REDIRECT_ variables and headers, as Apache does."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from tests.blackbox.clients import new_handle, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway

PROGRAM = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
exec env
"""
DIRECTIVES = """
SetEnv GIVEN "by the file"
<Location /cgi-bin/own>
    SetEnv REDIRECT_STATUS 299
</Location>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES, {"env": PROGRAM, "own": PROGRAM})
    (gateway.htdocs / "page.txt").write_text("a page")
    return gateway


def through(gateway: Gateway, target: str, more: str = "", method: str = "GET") -> Answer:
    """The answer to a program that redirects to this path."""
    return gateway.request(method, f"/cgi-bin/child/info?header={quote('Location: ' + target, safe='')}{more}")


def environ(answer: Answer) -> dict[str, str]:
    return dict(line.split("=", 1) for line in answer.text.splitlines() if "=" in line)


def test_the_first_request_is_told_by_REDIRECT_variables(gateway: Gateway) -> None:
    found = environ(through(gateway, "/cgi-bin/env?second", method="POST"))
    assert found["REDIRECT_STATUS"] == "200"
    assert found["REDIRECT_URL"] == "/cgi-bin/child/info"
    assert found["REDIRECT_QUERY_STRING"].startswith("header=Location")
    assert found["REDIRECT_REQUEST_METHOD"] == "POST"
    assert (found["REQUEST_METHOD"], found["QUERY_STRING"]) == ("GET", "second")


def test_each_variable_of_the_first_program_is_prefixed(gateway: Gateway) -> None:
    found = environ(through(gateway, "/cgi-bin/env"))
    assert found["REDIRECT_GIVEN"] == found["GIVEN"] == "by the file"
    assert found["REDIRECT_SCRIPT_NAME"] == "/cgi-bin/child" and found["SCRIPT_NAME"] == "/cgi-bin/env"
    assert not [name for name in found if name.startswith(("REDIRECT_HTTP_", "REDIRECT_HTSESSION"))]


def test_REQUEST_URI_stays_the_clients(gateway: Gateway) -> None:
    found = environ(through(gateway, "/cgi-bin/env"))
    assert found["REQUEST_URI"].startswith("/cgi-bin/child/info?header=")


def test_a_chain_of_redirects_is_a_chain_of_prefixes(gateway: Gateway) -> None:
    second = f"/cgi-bin/child/two?header={quote('Location: /cgi-bin/env', safe='')}"
    found = environ(through(gateway, second))
    assert (found["REDIRECT_URL"], found["REDIRECT_REDIRECT_URL"]) == (
        "/cgi-bin/child/two",
        "/cgi-bin/child/info",
    )
    assert found["REDIRECT_REDIRECT_STATUS"] == "200"


def test_a_request_that_was_not_redirected_has_no_such_variables(gateway: Gateway) -> None:
    found = environ(gateway.get("/cgi-bin/env", REDIRECT_STATUS="200", Redirect_Url="/x"))
    assert not [name for name in found if name.startswith("REDIRECT_")]


def test_SetEnv_of_the_same_name_wins_in_sessions_too(gateway: Gateway) -> None:
    assert environ(through(gateway, "/cgi-bin/own"))["REDIRECT_STATUS"] == "299"


@pytest.mark.parametrize("target", ["/cgi-bin/env", "/page.txt"])
def test_cookies_and_other_headers_of_the_first_program_reach_the_client(gateway: Gateway, target: str) -> None:
    more = "&header=Set-Cookie:+a%3Db&header=Set-Cookie:+c%3Dd&header=X-Own:+1&header=Content-Type:+x/y"
    answer = through(gateway, target, more)
    assert [value for name, value in answer.fields if name == "set-cookie"] == ["a=b", "c=d"]
    assert answer.header("x-own") == "1" and (answer.header("content-type") or "").startswith("text/plain")


def test_a_fragment_is_not_a_part_of_a_local_redirect(gateway: Gateway) -> None:
    assert environ(through(gateway, "/cgi-bin/env?a=b#there"))["QUERY_STRING"] == "a=b"


def test_a_session_may_redirect_to_another_one(gateway: Gateway) -> None:
    first, second = (start_session(gateway, new_handle()) for _ in range(2))
    handles = [url.rpartition("/")[2] for url in (first, second)]
    target = quote(f"Location: {second}?handle={handles[1]}&count&env=REDIRECT_URL", safe="")
    answer = gateway.get(f"{first}?handle={handles[0]}&header={target}")
    assert answer.text.startswith("count=2 ") and answer.text.endswith(f"REDIRECT_URL={first}\n")
    assert gateway.get(f"{first}?count").text.startswith("count=3 ")
