"""ErrorDocument: texts, files, programs and URLs in place of the gateway's own pages."""

from __future__ import annotations

import pytest

from tests.blackbox.clients import new_handle, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for

REPORT = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexec env\n"
STATED = "#!/bin/sh\nprintf 'Status: 200 Fine\\nContent-Type: text/plain\\n\\nfound here'\n"
DIRECTIVES = """
CGIStopGrace 100ms
SetEnv GIVEN "by the file"
ErrorDocument 404 /errors/404.html
ErrorDocument 405 "<b>only to be read</b>"
ErrorDocument 410 /cgi-bin/report?gone
ErrorDocument 502 /cgi-bin/report
ErrorDocument 413 "too much"
ErrorDocument 414 "too long a line"
ErrorDocument 431 /errors/404.html
ErrorDocument 400 /cgi-bin/report
LimitRequestBody 100
<Location /program>
    ErrorDocument 404 /cgi-bin/report?from=here
</Location>
<Location /stated>
    ErrorDocument 404 /cgi-bin/stated
</Location>
<Location /default>
    ErrorDocument 404 default
</Location>
<Location /away>
    ErrorDocument 404 https://errors.example/404?x
</Location>
<Location /missing>
    ErrorDocument 404 /not/there/either
</Location>
<Location /failing>
    ErrorDocument 404 /cgi-bin/child?silent
</Location>
<Location /redirecting>
    ErrorDocument 404 /cgi-bin/child?header=Location:+/errors/404.html
</Location>
<Location /leaving>
    ErrorDocument 404 /cgi-bin/child?header=Location:+https://errors.example/
</Location>
<Location /denied>
    Require all denied
</Location>
<Location /guarded>
    ErrorDocument 404 /denied/page.html
</Location>
<Location /secret>
    Require all denied
    ErrorDocument 403 /cgi-bin/report
</Location>
Redirect 418 /teapot
ErrorDocument 418 "short and stout"
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES, {"report": REPORT, "stated": STATED})
    for folder in ("errors", "denied"):
        (gateway.htdocs / folder).mkdir()
    (gateway.htdocs / "errors" / "404.html").write_text("<h1>our own 404</h1>")
    (gateway.htdocs / "denied" / "page.html").write_text("nobody sees this")
    (gateway.htdocs / "file.txt").write_text("0123456789")
    return gateway


def environ(text: str) -> dict[str, str]:
    return dict(line.split("=", 1) for line in text.splitlines() if "=" in line)


def test_a_file_is_sent_with_the_status_of_the_error(gateway: Gateway) -> None:
    answer = gateway.get("/nothing")
    assert (answer.status, answer.text) == (404, "<h1>our own 404</h1>")
    assert (answer.header("content-type") or "").startswith("text/html")


def test_the_file_is_whole_whatever_range_or_condition_was_meant_for_the_first_URL(gateway: Gateway) -> None:
    etag = gateway.get("/errors/404.html").header("etag") or ""
    for headers in ({"Range": "bytes=0-3"}, {"If-None-Match": etag}, {"If-None-Match": "*"}):
        answer = gateway.get("/nothing", **headers)
        assert (answer.status, answer.text) == (404, "<h1>our own 404</h1>")


@pytest.mark.parametrize("accept", ["application/json", "text/plain", "text/html"])
def test_an_error_document_is_the_same_for_everybody(gateway: Gateway, accept: str) -> None:
    assert gateway.get("/nothing", Accept=accept).text == "<h1>our own 404</h1>"


def test_a_text_is_sent_as_html_and_the_headers_of_the_error_stay(gateway: Gateway) -> None:
    answer = gateway.post("/file.txt", b"x")
    assert (answer.status, answer.text, answer.header("allow")) == (405, "<b>only to be read</b>", "GET, HEAD")
    assert (answer.header("content-type") or "").startswith("text/html")


def test_a_program_gets_the_REDIRECT_variables(gateway: Gateway) -> None:
    answer = gateway.post("/program/x%20y?q=1", b"a form")
    found = environ(answer.text)
    assert answer.status == 404
    assert found["REDIRECT_STATUS"] == "404" and found["REDIRECT_URL"] == "/program/x y"
    assert (found["REDIRECT_QUERY_STRING"], found["QUERY_STRING"]) == ("q=1", "from=here")
    assert (found["REDIRECT_REQUEST_METHOD"], found["REQUEST_METHOD"]) == ("POST", "GET")
    assert found["REDIRECT_GIVEN"] == "by the file" and found["REQUEST_URI"] == "/program/x%20y?q=1"
    assert found["REDIRECT_ERROR_NOTES"] == "There is no page at this address."
    assert "CONTENT_LENGTH" not in found


def test_a_program_may_state_another_status(gateway: Gateway) -> None:
    answer = gateway.get("/stated/x")
    assert (answer.status, answer.text) == (200, "found here")


def test_a_failing_program_is_told_by_its_own_variables(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child/info?silent&stderr=secret")
    found = environ(answer.text)
    assert (answer.status, found["REDIRECT_STATUS"]) == (502, "502")
    assert found["REDIRECT_SCRIPT_NAME"] == "/cgi-bin/child" and "secret" not in answer.text.replace(
        found["REDIRECT_QUERY_STRING"], ""
    ).replace(found["REQUEST_URI"], "")


def test_what_a_program_says_of_an_error_itself_is_left_alone(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?status=404+Not+Found&echo=send404")
    assert (answer.status, answer.text) == (404, "send404")


def test_default_is_the_gateways_own_page(gateway: Gateway) -> None:
    assert "There is no page at this address." in gateway.get("/default/x").text


def test_a_URL_elsewhere_is_a_redirect(gateway: Gateway) -> None:
    answer = gateway.get("/away/x")
    assert (answer.status, answer.header("location")) == (302, "https://errors.example/404?x")


@pytest.mark.parametrize("path", ["/missing/x", "/failing/x", "/guarded/x"])
def test_an_error_within_an_error_document_is_the_plain_page_of_the_first(gateway: Gateway, path: str) -> None:
    answer = gateway.get(path)
    assert answer.status == 404 and "There is no page at this address." in answer.text
    gateway.wait_log("ErrorDocument 404 ")


def test_an_error_document_may_redirect_locally_and_keeps_the_status(gateway: Gateway) -> None:
    answer = gateway.get("/redirecting/x")
    assert (answer.status, answer.text) == (404, "<h1>our own 404</h1>")


def test_an_error_document_may_send_the_client_elsewhere(gateway: Gateway) -> None:
    answer = gateway.get("/leaving/x")
    assert (answer.status, answer.header("location")) == (302, "https://errors.example/")


def test_access_is_checked_and_a_403_has_its_document(gateway: Gateway) -> None:
    answer = gateway.get("/secret/x")
    assert (answer.status, environ(answer.text)["REDIRECT_STATUS"]) == (403, "403")


def test_R4_a_410_is_replaced_in_all_its_forms_and_keeps_its_header(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    gateway.get(f"{url}?echo=bye")
    wait_for("the end", lambda: gateway.get(url).status == 410)
    for accept in ("application/json", "text/html"):
        answer = gateway.get(url, Accept=accept)
        found = environ(answer.text)
        assert (answer.status, answer.header("x-htsession-ended")) == (410, "ended")
        assert (found["REDIRECT_STATUS"], found["REDIRECT_URL"]) == ("410", url)


def test_a_body_too_large_has_its_document(gateway: Gateway) -> None:
    answer = gateway.post("/cgi-bin/child", b"x" * 200)
    assert (answer.status, answer.text) == (413, "too much")


def test_a_status_of_a_Redirect_line_has_its_document(gateway: Gateway) -> None:
    answer = gateway.get("/teapot")
    assert (answer.status, answer.text) == (418, "short and stout")


def test_HEAD_gets_the_head_of_the_document(gateway: Gateway) -> None:
    for path in ("/nothing", "/program/x"):
        answer = gateway.request("HEAD", path)
        assert (answer.status, answer.body) == (404, b"")


def test_the_connection_serves_on_after_an_error_document(gateway: Gateway) -> None:
    head = "GET {} HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = "GET /file.txt HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    received = gateway.raw((head.format("/nothing") + head.format("/program/x") + last).encode())
    assert received.count(b"HTTP/1.1 404") == 2 and received.endswith(b"0123456789")


def test_what_the_parser_refuses_has_its_document_too(gateway: Gateway) -> None:
    long = gateway.get("/" + "x" * 9000)
    assert (long.status, long.text, long.header("connection")) == (414, "too long a line", "close")
    heavy = gateway.get("/", X="x" * 9000)
    assert (heavy.status, heavy.text) == (431, gateway.get("/errors/404.html").text)
    bad = gateway.raw(b"GET / HTTP/1.1\r\nHost: a b\r\n\r\n")
    assert bad.startswith(b"HTTP/1.1 400 ") and b"REDIRECT_STATUS=400" in bad
