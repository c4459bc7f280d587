"""What the browser sees when a request cannot be answered by its program (spec 1, the table)."""

from __future__ import annotations

import json
from urllib.parse import quote

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Answer, Gateway

DIRECTIVES = """
PersistentCGITimeout 90
CGIScriptTimeout 1s
LimitRequestBody 8
Alias /plain htdocs
"""
SECRET = "words-for-the-log-only"
BEFORE_THE_HEADER = {
    "nothing": "silent",
    "exit status 3": "exit=3",
    "signal 11": "kill=SEGV",
    "no blank line": "raw=Content-Type:+text/plain%0A",
    "no header line": "raw=%0Abody",
    "no colon": "raw=just+text%0A%0Abody",
    "two statuses": "status=200&status=404&echo=x",
    "bad status": "status=abc&echo=x",
    "bad name": "raw=bad+name:+x%0A%0A",
    "a control character": "raw=X-A:+a%01b%0A%0A",
    "an endless header": "raw=X:+" + "x" * 4000,
}

LENGTH = "header=Content-Length:+99&"
# Chunked or counted, a plain program or a session; the exit of a plain program without a count is its end (P2).
DEATHS = [
    (promise, session, end)
    for promise in ("", LENGTH)
    for session in (False, True)
    for end in ("exit=3", "kill=KILL", "sleep=30")
    if promise or session or end != "exit=3"
]


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    gateway.program("bad-interpreter", "#!/no/such/interpreter\n")
    gateway.program("not-executable", CHILD_TEXT).chmod(0o644)
    gateway.program("no-format", "neither ELF nor a script\n")
    (gateway.cgi_bin / "folder").mkdir()
    (gateway.htdocs / "empty").mkdir()
    gateway.program("endless-header", "#!/bin/sh\nyes X-A: 1 | head -c 200000\n")
    return gateway


def _page(answer: Answer, status: int, title: str) -> None:
    """An error page: small, HTML, complete in itself, with nothing of the program's."""
    assert (answer.status, answer.whole) == (status, True), answer
    assert (answer.header("content-type") or "").startswith("text/html")
    assert answer.header("cache-control") == "no-store"
    assert f"<title>{status} {title}</title>" in answer.text
    assert '<html lang="en">' in answer.text
    assert len(answer.body) < 4096
    assert SECRET not in answer.text
    assert not [word for word in ("src=", "<link", "@import", "http:", "https:") if word in answer.text]


@pytest.mark.parametrize("path", ["/cgi-bin/missing", "/cgi-bin/missing/handle", "/nothing.html"])
def test_table_a_missing_program_is_404(gateway: Gateway, path: str) -> None:
    _page(gateway.get(path), 404, "Not Found")


@pytest.mark.parametrize("path", ["/cgi-bin/not-executable", "/cgi-bin/folder/", "/plain/empty/"])
def test_table_what_may_not_be_run_or_listed_is_403(gateway: Gateway, path: str) -> None:
    _page(gateway.get(path), 403, "Forbidden")


@pytest.mark.parametrize("name", ["bad-interpreter", "no-format"])
def test_table_what_cannot_be_started_is_500(gateway: Gateway, name: str) -> None:
    _page(gateway.get(f"/cgi-bin/{name}"), 500, "Internal Server Error")
    gateway.wait_log(rf"\[cgi:error\].*/{name}: cannot be started: ")


@pytest.mark.parametrize("query", BEFORE_THE_HEADER.values(), ids=BEFORE_THE_HEADER)
def test_table_no_proper_header_is_502_and_stderr_is_for_the_log(gateway: Gateway, query: str) -> None:
    words = f"{SECRET}-{new_handle()}"
    _page(gateway.get(f"/cgi-bin/child?stderr={words}&{query}"), 502, "Bad Gateway")
    gateway.wait_log(words)


def test_table_an_endless_header_is_502(gateway: Gateway) -> None:
    _page(gateway.get("/cgi-bin/endless-header"), 502, "Bad Gateway")
    gateway.wait_log("/cgi-bin/endless-header: expected a blank line within 65536 bytes")


@pytest.mark.parametrize(("query", "how"), [("exit=3", "exit status 3"), ("kill=SEGV", "signal 11, ")])
def test_table_died_before_the_header_is_logged_with_the_tail_of_stderr(
    gateway: Gateway, query: str, how: str
) -> None:
    words = new_handle()
    assert gateway.get(f"/cgi-bin/child?stderr=one+{words}&stderr=two+{words}&{query}").status == 502
    gateway.wait_log(rf"/cgi-bin/child: .*found no output .{how}.*one {words} \| two {words}")


def test_HTS007_a_session_that_dies_before_the_header_is_502_and_says_how(gateway: Gateway) -> None:
    url, words = start_session(gateway, new_handle()), f"{SECRET}-{new_handle()}"
    _page(gateway.get(f"{url}?stderr={words}&exit=3"), 502, "Bad Gateway")
    gateway.wait_log(f"HTS007 exited before it sent a header while it should persist .exit status 3.*{words}")


@pytest.mark.parametrize("query", ["silent&sleep=30", "handle=a&nomark&silent&sleep=30"])
def test_HTS009_no_output_in_time_is_504(gateway: Gateway, query: str) -> None:
    _page(gateway.get(f"/cgi-bin/child?{query}"), 504, "Gateway Timeout")
    gateway.wait_log("HTS009 neither read nor wrote for 1 s .T4.")


def test_HTS009_no_output_in_time_of_a_session_is_504(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    _page(gateway.get(f"{url}?silent&sleep=30"), 504, "Gateway Timeout")
    gateway.wait_log(r"HTS009 neither read nor wrote for 1 s .T4.: /cgi-bin/child hand…")


@pytest.mark.parametrize(("promise", "session", "end"), DEATHS)
def test_table_died_in_the_middle_of_the_body_is_seen_by_the_client(
    gateway: Gateway, promise: str, session: bool, end: str
) -> None:
    gate = Gate(gateway.folder)
    url = start_session(gateway, new_handle()) if session else "/cgi-bin/child"
    client = Client(gateway, f"{url}?{promise}echo=begun&flush&{gate.wait}&{end}")
    begun = client.until(b"begun")
    assert begun.startswith(b"HTTP/1.1 200 OK\r\n")
    gate.open()
    rest = client.until_closed()
    assert b"0\r\n\r\n" not in rest
    assert SECRET.encode() not in rest


def test_table_died_in_the_middle_of_the_body_is_logged(gateway: Gateway) -> None:
    words = new_handle()
    gateway.get(f"/cgi-bin/child?header=Content-Length:+99&stderr={words}&echo=begun&kill=TERM")
    gateway.wait_log(rf"signal 15.*{words}.*: /cgi-bin/child")


def test_P2_the_exit_of_a_plain_program_ends_its_response(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?echo=all&exit=3")
    assert (answer.status, answer.text, answer.whole) == (200, "all", True)


def test_table_a_body_too_large_is_413_before_the_program_starts(gateway: Gateway) -> None:
    trace = Gate(gateway.folder)
    _page(gateway.post(f"/cgi-bin/child?{trace.touch}", b"123456789"), 413, "Content Too Large")
    assert gateway.post("/cgi-bin/child?body", b"12345678").text == "12345678"
    assert not trace.is_open


def test_table_a_queue_that_is_full_is_503(serve: Serve) -> None:
    gateway = serve("PersistentCGIQueue 0\nMaxCGIJobs 41\n")
    gate = Gate(gateway.folder)
    url = start_session(gateway, new_handle())
    running = Client(gateway, f"{url}?{gate.wait}")
    answer = gateway.get(url)
    _page(answer, 503, "Service Unavailable")
    assert int(answer.header("retry-after") or 0) > 0
    gate.open()
    assert running.answer().status == 200


FORMS = [
    ("text/html,application/xhtml+xml,*/*;q=0.8", "text/html"),
    ("*/*", "text/html"),
    ("application/json", "application/json"),
    ("text/plain", "text/plain"),
    ("text/plain;q=0.5, application/json;q=0.6", "application/json"),
    ("image/png", "text/html"),
]


@pytest.mark.parametrize(("accept", "kind"), FORMS)
@pytest.mark.parametrize("path", ["/cgi-bin/missing", "/cgi-bin/not-executable", "/cgi-bin/child?exit=3"])
def test_table_error_pages_come_in_the_form_that_is_asked_for(
    gateway: Gateway, accept: str, kind: str, path: str
) -> None:
    answer = gateway.get(path, Accept=accept)
    assert answer.status in (403, 404, 502)
    assert (answer.header("content-type") or "").partition(";")[0] == kind
    if kind == "application/json":
        assert json.loads(answer.text)["status"] == answer.status


@pytest.mark.parametrize("path", ["/cgi-bin/missing", "/cgi-bin/not-executable", "/cgi-bin/child?exit=3"])
def test_table_errors_have_no_body_for_HEAD(gateway: Gateway, path: str) -> None:
    answer, full = gateway.request("HEAD", path), gateway.get(path)
    assert (answer.status, answer.body) == (full.status, b"")
    assert answer.header("content-length") == full.header("content-length")


@pytest.mark.parametrize("line", ["a", "/a\x01b HTTP/1.1", "http:// HTTP/1.1", "/a\x7fb", "/a HTTP/9"])
def test_HEAD_of_what_cannot_be_read_has_no_body_either(gateway: Gateway, line: str) -> None:
    received = gateway.raw(f"HEAD {line}\r\nHost: x\r\n\r\n".encode())
    assert received.startswith(b"HTTP/1.1 400 ") and received.endswith(b"\r\n\r\n")
    received = gateway.raw(f"GET {line}\r\nHost: x\r\n\r\n".encode())
    assert received.startswith(b"HTTP/1.1 400 ") and not received.endswith(b"\r\n\r\n")


def test_table_a_name_from_the_url_is_not_shown_unescaped(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/" + quote("<script>alert(1)</script>"))
    _page(answer, 404, "Not Found")
    assert "<script" not in answer.text


def test_table_a_connection_serves_on_after_an_error(gateway: Gateway) -> None:
    paths = ["/cgi-bin/missing", "/cgi-bin/child?exit=3", "/cgi-bin/child?echo=alive"]
    requests = [f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n" for path in paths]
    requests[-1] = requests[-1].replace("Host: x", "Host: x\r\nConnection: close")
    received = gateway.raw("".join(requests).encode())
    assert [received.count(b"HTTP/1.1 " + status) for status in (b"404 ", b"502 ", b"200 ")] == [1, 1, 1]
    assert b"alive" in received
