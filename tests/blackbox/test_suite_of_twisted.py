"""What Twisted's own tests of its CGI server expect (twisted/web/test/test_cgi.py, by test name).

On purpose otherwise: a malformed header is 502 and logged (test_malformedHeaderCGI: Twisted leaves the line
out); so is an end before the header (test_prematureEndOfHeaders: 500 there); a folder of programs is 403
(CGIDirectoryTests: 404).
"""

from __future__ import annotations

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway

LENGTH = """#!/bin/sh
body=$(head -c "${CONTENT_LENGTH:-0}")
printf 'Header: OK\\n\\nreadinput ok %s' "$body"
"""
ALL = "#!/bin/sh\nbody=$(cat)\nprintf 'Header: OK\\n\\nreadallinput ok %s' \"$body\"\n"
HEADERS = "#!/bin/sh\nprintf 'A: b\\n\\n'\nenv | grep ^HTTP_ | sort\n"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared("", {"length": LENGTH, "all": ALL, "headers": HEADERS})


def output(gateway: Gateway, text: str) -> str:
    return f"/cgi-bin/child?raw={text}"


def test_CGI_the_output_is_the_body(gateway: Gateway) -> None:
    answer = gateway.get(output(gateway, "Header:+OK%0A%0Acgi+output%0A"))
    assert (answer.header("header"), answer.text) == ("OK", "cgi output\n")


def test_protectedServerAndDate(gateway: Gateway) -> None:
    answer = gateway.get(output(gateway, "Server:+monkeys%0ADate:+last+year%0AA:+b%0A%0Acgi+output"))
    assert answer.status == 200
    values = [value for name, value in answer.fields if name in ("server", "date")]
    assert "monkeys" not in values and "last year" not in values


def test_noDuplicateContentTypeHeaders(gateway: Gateway) -> None:
    answer = gateway.get(output(gateway, "content-type:+text/cgi-duplicate-test%0A%0Acgi+output"))
    kinds = [value for name, value in answer.fields if name == "content-type"]
    assert kinds == ["text/cgi-duplicate-test"]


def test_noProxyPassthrough(gateway: Gateway) -> None:
    headers = "Host: a\r\nConnection: close\r\nProxy: foo\r\nX-Innocent-Header: bar\r\n"
    received = gateway.raw(f"GET /cgi-bin/headers HTTP/1.1\r\n{headers}\r\n".encode())
    names = {line.split(b"=")[0] for line in received.split(b"\n") if b"HTTP_" in line}
    assert b"HTTP_X_INNOCENT_HEADER" in names and b"HTTP_PROXY" not in names


def test_duplicateHeaderCGI_both_are_sent(gateway: Gateway) -> None:
    answer = gateway.get(output(gateway, "Header:+spam%0AHeader:+eggs%0A%0Acgi+output"))
    assert [value for name, value in answer.fields if name == "header"] == ["spam", "eggs"]


def test_malformedHeaderCGI_is_logged(gateway: Gateway) -> None:
    assert gateway.get(output(gateway, "XYZ%0A%0Acgi+output")).status == 502
    gateway.wait_log("expected a header line .*XYZ")


def test_prematureEndOfHeaders(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?silent").status == 502
    gateway.wait_log("no output")


@pytest.mark.parametrize(("program", "said"), [("length", "readinput ok"), ("all", "readallinput ok")])
def test_ReadInput_ends_where_the_body_ends(gateway: Gateway, program: str, said: str) -> None:
    assert gateway.get(f"/cgi-bin/{program}").text.rstrip() == said
    assert gateway.post(f"/cgi-bin/{program}", b"Here is your stdin").text == f"{said} Here is your stdin"


def test_pathInfo_is_the_rest_of_the_path(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child/a/b?env=PATH_INFO").text == "PATH_INFO=/a/b\n"


def test_a_folder_of_programs_and_a_missing_one(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/").status == 403
    assert gateway.get("/cgi-bin/foo").status == 404
