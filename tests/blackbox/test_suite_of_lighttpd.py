"""What lighttpd's own tests of CGI expect (tests/mod-cgi.t, request.t, core-404-handler.t).

On purpose otherwise: NUL in a URL is 404, as in Apache (lighttpd: 400); a 404 handler that is a file keeps
the status 404 (lighttpd's server.error-handler-404 makes it 200; its server.error-handler keeps it too);
OPTIONS of a file is 405, as any method but GET and HEAD (lighttpd: 200).
"""

from __future__ import annotations

from urllib.parse import quote_plus

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway

NPH = "#!/bin/sh\nprintf 'HTTP/1.0 %s FooBar\\r\\n\\r\\n' \"$QUERY_STRING\"\n"
HEADER = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nprintenv \"$QUERY_STRING\"\n"
HANDLER = """#!/bin/sh
case "$REDIRECT_URL" in
*/200/*) printf 'Status: 200\\n\\nfound here' ;;
*/302/*) printf 'Status: 302\\nLocation: http://www.example.org/\\n\\n' ;;
*/404/*) printf 'Status: 404\\n\\nNot found here' ;;
*) printf 'Content-Type: text/plain\\n\\n%s' "$REDIRECT_STATUS" ;;
esac
"""
DIRECTIVES = """
ErrorDocument 404 /404.txt
<Location /dynamic>
    ErrorDocument 404 /cgi-bin/404
</Location>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES, {"nph-status": NPH, "get-header": HEADER, "404": HANDLER})
    (gateway.htdocs / "404.txt").write_text("static not found\n")
    return gateway


def output(gateway: Gateway, text: str) -> Answer:
    return gateway.get(f"/cgi-bin/child?raw={quote_plus(text)}")


@pytest.mark.parametrize(("status", "answered"), [("30", 502), ("304", 304), ("200", 200)])
def test_mod_cgi_NPH_status(gateway: Gateway, status: str, answered: int) -> None:
    assert gateway.get(f"/cgi-bin/nph-status?{status}").status == answered


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("GATEWAY_INTERFACE", {}, "CGI/1.1"),
        ("QUERY_STRING", {}, "QUERY_STRING"),
        ("HTTP_XX_YY123", {"xx-yy123": "foo"}, "foo"),
        ("HTTP_HOST", {"Host": "www.example.org"}, "www.example.org"),
    ],
)
def test_mod_cgi_environment(gateway: Gateway, name: str, header: dict[str, str], value: str) -> None:
    assert gateway.get(f"/cgi-bin/get-header?{name}", **header).text == value + "\n"


def test_mod_cgi_broken_header_end_after_CRLF_does_not_crash(gateway: Gateway) -> None:
    answer = output(gateway, "Location: http://www.example.org/\r\n\n\n")
    assert (answer.status, answer.header("location")) == (302, "http://www.example.org/")


def test_mod_cgi_internal_redirect(gateway: Gateway) -> None:
    assert output(gateway, "Location: /404.txt\r\n\r\n").text == "static not found\n"


@pytest.mark.parametrize(
    "chunk", [b"a\r\n0123456789\r\n", b"A\r\n0123456789\r\n", b"10\r\n0123456789abcdef\r\n"]
)
def test_request_chunked_POST_has_a_length(gateway: Gateway, chunk: bytes) -> None:
    head = b"POST /cgi-bin/child?env=CONTENT_LENGTH HTTP/1.1\r\nHost: a\r\nConnection: close\r\n"
    answer = gateway.raw(head + b"Transfer-Encoding: chunked\r\n\r\n" + chunk + b"0\r\n\r\n")
    assert b"CONTENT_LENGTH=%d\n" % int(chunk.split(b"\r\n")[0], 16) in answer


def test_request_Content_Length_beyond_the_limit_is_413(gateway: Gateway) -> None:
    head = b"POST /cgi-bin/child HTTP/1.0\r\nHost: 123.example.org\r\nContent-Length: 2147483648\r\n\r\n"
    assert b" 413 " in gateway.raw(head).split(b"\r\n")[0]


def test_request_path_info_on_a_folder_is_404(gateway: Gateway) -> None:
    assert gateway.get("/www/abc/def").status == 404


def test_404_handler_static(gateway: Gateway) -> None:
    answer = gateway.get("/static/notfound")
    assert (answer.status, answer.text) == (404, "static not found\n")


@pytest.mark.parametrize(
    ("path", "status", "text"),
    [
        ("200", 200, "found here"),
        ("404", 404, "Not found here"),
        ("302", 302, ""),
        ("redirect_status", 404, "404"),
    ],
)
def test_404_handler_dynamic(gateway: Gateway, path: str, status: int, text: str) -> None:
    answer = gateway.get(f"/dynamic/{path}/notfound")
    assert (answer.status, answer.text) == (status, text)


def test_404_of_a_program_stays(gateway: Gateway) -> None:
    answer = output(gateway, "Status: 404 Not Found\n\nsend404\n")
    assert (answer.status, answer.text) == (404, "send404\n")
