"""Retired handles: the page that says why, and a fresh start instead (spec 1, R4)."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, own_program, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Answer, Gateway

DIRECTIVES = """
PersistentCGITimeout 90
MaxPersistentCGI 200
CGIScriptTimeout 1s
<Directory "cgi-bin/brief">
    PersistentCGITimeout 1
</Directory>
<Directory "cgi-bin/fresh">
    PersistentCGIExpired fresh
</Directory>
<Directory "cgi-bin/fresh/brief">
    PersistentCGITimeout 1
</Directory>
"""
# What happens in a session's second request, and the reason by which its handle is then retired.
ENDS = {
    "echo=bye": "ended",
    "handle={own}&timeout=0": "ended",
    "handle=not/a/handle": "ended",
    "handle={own}&echo=bye&nomark&exit=0": "ended",
    "echo=bye&nomark&exit=0": "ended",
    "exit=3": "crashed",
    "handle={own}&echo=half&exit=3": "crashed",
    "handle={own}&kill=SEGV": "crashed",
    "raw=no+header%0A%0A": "crashed",
    "silent&sleep=30": "crashed",
    "handle={own}&echo=half&sleep=30": "crashed",
    "handle={own}&header=Content-Length:+9&echo=short": "crashed",
    "handle={own}&late=after+the+mark": "protocol",
    "handle=new-{own}": "replaced",
}
STAY = ("protocol", "replaced")


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    for folder in ("brief", "fresh", "fresh/brief"):
        gateway.program(f"{folder}/child", CHILD_TEXT)
    return gateway


def _ended_by(gateway: Gateway, query: str, program: str = "/cgi-bin/child") -> str:
    own = new_handle()
    url = start_session(gateway, own, program=program)
    gateway.get(f"{url}?{query.format(own=own)}")
    return url


def _timed_out(gateway: Gateway, program: str) -> str:
    url = start_session(gateway, new_handle(), program=program)
    gateway.wait_log(f"HTS002 timed out after 1 s: {program} ")
    return url


def _is_gone(answer: Answer, reason: str) -> None:
    assert (answer.status, answer.header("x-htsession-ended")) == (410, reason)
    assert answer.header("cache-control") == "no-store"


@pytest.mark.parametrize(("query", "reason"), ENDS.items())
def test_R4_the_reason_why_a_session_ended(gateway: Gateway, query: str, reason: str) -> None:
    url = _ended_by(gateway, query)
    for path in ("", "/rest", "?query=1"):
        _is_gone(gateway.get(url + path), reason)


def test_R4_timed_out_says_after_how_long(gateway: Gateway) -> None:
    url = _timed_out(gateway, "/cgi-bin/brief/child")
    answer = gateway.get(url)
    _is_gone(answer, "timed-out")
    assert "it timed out after 1 second and was closed" in answer.text


def test_R4_a_session_that_exits_between_two_calls(gateway: Gateway) -> None:
    for status, reason in (("0", "ended"), ("4", "crashed")):
        program = f"exits-{status}"
        text = '#!/bin/sh\nprintf \'Accept-HTSession: %s\\n\\n\\004%s\\n\' "$QUERY_STRING" "$HTSESSION_END"\n'
        gateway.program(program, text + f"while [ ! -e go-{status} ]; do sleep 0.01; done\nexit {status}\n")
        handle = new_handle()
        assert gateway.get(f"/cgi-bin/{program}?{handle}").status == 200
        (gateway.cgi_bin / f"go-{status}").touch()
        gateway.wait_log(f"HTS007 exited between two calls .exit status {status}.*: /cgi-bin/{program} ")
        _is_gone(gateway.get(f"/cgi-bin/{program}/{handle}"), reason)


def test_R4_a_first_response_without_the_end_mark_is_ended(gateway: Gateway) -> None:
    handle = new_handle()
    answer = gateway.get(f"/cgi-bin/child?handle={handle}&echo=whole&nomark&exit=0")
    assert (answer.status, answer.text, answer.whole) == (200, "whole", True)
    gateway.wait_log("HTS007 exited instead of writing the end mark .*: /cgi-bin/child hand…")
    _is_gone(gateway.get(f"/cgi-bin/child/{handle}"), "ended")


def test_HTS011_output_after_the_end_mark_is_logged_as_an_error(gateway: Gateway) -> None:
    program, handle = own_program(gateway), new_handle()
    gateway.get(f"{start_session(gateway, handle, program=program)}?handle={handle}&late=x")
    gateway.wait_log(rf"\[cgi:error\].* HTS011 output .*P5.*: {program} hand…")


def test_R4_limit_is_503_with_Retry_After(serve: Serve) -> None:
    gateway = serve("MaxPersistentCGI 1\nPersistentCGIExpired fresh\n")
    kept, refused = new_handle(), new_handle()
    url = start_session(gateway, kept)
    assert gateway.get(f"/cgi-bin/child?handle={refused}&echo=delivered").text == "delivered"
    gateway.wait_log("HTS003 MaxPersistentCGI is reached: /cgi-bin/child hand…")
    answer = gateway.get(f"/cgi-bin/child/{refused}")
    assert (answer.status, answer.header("x-htsession-ended")) == (503, "limit")
    assert int(answer.header("retry-after") or 0) > 0
    assert gateway.get(f"{url}?handle={kept}&count").text.startswith("count=2 ")


def test_R4_stopped_when_the_front_died_while_the_request_ran(serve: Serve) -> None:
    gateway = serve()
    gate = Gate(gateway.folder)
    url = start_session(gateway, new_handle())
    running = Client(gateway, f"{url}?{gate.touch}&{gate.wait}-never")
    gate.wait_open()
    gateway.kill_front()
    running.leave()
    _is_gone(gateway.get(url), "stopped")


def test_R4_the_page_in_three_forms(gateway: Gateway) -> None:
    url = _ended_by(gateway, "echo=bye")
    html, text = gateway.get(url, Accept="text/html"), gateway.get(url, Accept="text/plain")
    answer = gateway.get(url, Accept="application/json")
    for form, kind in ((html, "text/html"), (text, "text/plain"), (answer, "application/json")):
        _is_gone(form, "ended")
        assert (form.header("content-type") or "").startswith(kind)
    assert '<a class="go" href="/cgi-bin/child">Start again</a>' in html.text
    assert "Start again: /cgi-bin/child\n" in text.text
    facts = json.loads(answer.text)
    assert facts["reason"] == "ended"
    assert facts["link"] == "/cgi-bin/child"
    assert facts["status"] == 410


def test_R4_HEAD_gets_the_header_and_no_body(gateway: Gateway) -> None:
    url = _ended_by(gateway, "exit=3")
    answer = gateway.request("HEAD", url)
    _is_gone(answer, "crashed")
    assert answer.body == b""


def test_R4_the_link_of_an_odd_program_name_is_quoted(gateway: Gateway) -> None:
    gateway.program('a "b"', CHILD_TEXT)
    url = _ended_by(gateway, "echo=bye", program="/cgi-bin/" + quote('a "b"'))
    assert 'href="/cgi-bin/a%20%22b%22"' in gateway.get(url).text


@pytest.mark.parametrize(("query", "reason"), ENDS.items())
def test_R4_expired_fresh_starts_anew_where_that_can_do_no_harm(
    gateway: Gateway, query: str, reason: str
) -> None:
    url = _ended_by(gateway, query, program="/cgi-bin/fresh/child")
    answer = gateway.get(f"{url}/rest?count&env=HTSESSION_STATUS&env=HTSESSION_HANDLE&env=PATH_INFO")
    if reason in STAY:
        _is_gone(answer, reason)
        return
    path_info = url.removeprefix("/cgi-bin/fresh/child") + "/rest"
    count, *lines = answer.text.splitlines()
    assert count.startswith("count=1 ")
    assert lines == ["HTSESSION_STATUS=expired", "HTSESSION_HANDLE=<absent>", f"PATH_INFO={path_info}"]


def test_R4_expired_fresh_after_a_time_out(gateway: Gateway) -> None:
    url = _timed_out(gateway, "/cgi-bin/fresh/brief/child")
    assert gateway.get(f"{url}?env=HTSESSION_STATUS").text == "HTSESSION_STATUS=expired\n"


def test_R4_a_start_without_a_retired_handle_has_no_status(gateway: Gateway) -> None:
    for path in ("", "/unknown"):
        answer = gateway.get(f"/cgi-bin/fresh/child{path}?env=HTSESSION_STATUS")
        assert answer.text == "HTSESSION_STATUS=<absent>\n"


def test_R3_an_expired_handle_is_not_adopted_by_its_own_url(gateway: Gateway) -> None:
    program = "/cgi-bin/fresh/child"
    url = _ended_by(gateway, "echo=bye", program=program)
    handle = url.rpartition("/")[2]
    for _ in range(2):
        answer = gateway.get(f"{url}?handle={handle}&count&env=HTSESSION_STATUS")
        assert answer.text.split()[::2] == ["count=1", "HTSESSION_STATUS=expired"]
    gateway.wait_log(f"HTS004 the handle of its own URL .R3.: {program} ")
