"""Connections that serve on, and those that end: keep-alive, pipelining, unread bodies, 100-continue."""

from __future__ import annotations

import hashlib
import re

import pytest

from tests.blackbox.clients import Gate, new_handle, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway
from tests.blackbox.raw import Raw, exchange

LARGE = bytes(range(256)) * 32768  # 8 MiB
DIRECTIVES = """
LimitRequestBody 100M
KeepAliveTimeout 2
PersistentCGITimeout 90
<Location /cgi-bin/narrow>
    LimitRequestBody 8
</Location>
"""
AFTER = "GET /cgi-bin/child?echo=after"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    (gateway.htdocs / "page.txt").write_text("a page")
    (gateway.htdocs / "folder").mkdir()
    gateway.program("narrow", (gateway.cgi_bin / "child").read_text())
    return gateway


KINDS = {
    "a counted page": ("GET", "/cgi-bin/child?echo=x", "", 200),
    "a page with the program's length": ("GET", "/cgi-bin/child?header=Content-Length:+1&echo=x", "", 200),
    "a stream": ("GET", "/cgi-bin/child?echo=x&flush&echo=y", "", 200),
    "an empty page": ("GET", "/cgi-bin/child?head", "", 200),
    "HEAD of a program": ("HEAD", "/cgi-bin/child?echo=x", "", 200),
    "204": ("GET", "/cgi-bin/child?status=204", "", 204),
    "304": ("GET", "/cgi-bin/child?status=304", "", 304),
    "a redirect": ("GET", "/cgi-bin/child?header=Location:+http://x/", "", 302),
    "500 of a program": ("GET", "/cgi-bin/child?status=500&echo=x", "", 500),
    "a file": ("GET", "/page.txt", "", 200),
    "HEAD of a file": ("HEAD", "/page.txt", "", 200),
    "a part of a file": ("GET", "/page.txt", "Range: bytes=2-3", 206),
    "a folder's redirect": ("GET", "/folder", "", 301),
    "404": ("GET", "/nothing", "", 404),
    "403": ("GET", "/folder/", "", 403),
    "405": ("POST", "/page.txt", "Content-Length: 0", 405),
    "502": ("GET", "/cgi-bin/child?exit=3", "", 502),
    "413": ("POST", "/cgi-bin/narrow?body", "Content-Length: 9", 413),
    "a bad path": ("GET", "/%zz", "", 400),
}


@pytest.mark.parametrize(("method", "path", "header", "status"), KINDS.values(), ids=KINDS)
def test_a_connection_serves_on_after(
    gateway: Gateway, method: str, path: str, header: str, status: int
) -> None:
    with Raw(gateway) as client:
        for _ in range(2):
            body = b"123456789" if header == "Content-Length: 9" else b""
            answer = client.request(f"{method} {path}", *filter(None, [header]), body=body)
            assert (answer.status, answer.header("connection"), answer.whole) == (status, None, True)
        assert client.request(AFTER).text == "after"


def test_a_connection_serves_on_after_410(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    with Raw(gateway) as client:
        assert client.request(f"GET {url}").status == 200
        assert client.request(f"GET {url}").status == 410
        assert client.request(AFTER).text == "after"


def test_one_connection_serves_all_kinds(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        for method, path, header, status in KINDS.values():
            body = b"123456789" if header == "Content-Length: 9" else b""
            assert client.request(f"{method} {path}", *filter(None, [header]), body=body).status == status


def _mixed(gateway: Gateway) -> list[tuple[str, str, bytes, int, str]]:
    """Method, path, body, status and text of twenty requests of every kind."""
    handle = new_handle()
    url = start_session(gateway, handle)
    again = f"{url}?handle={handle}&count&body"
    kinds = [
        ("GET", "/page.txt", b"", 200, "a page"),
        ("POST", "/cgi-bin/child?body", b"a body", 200, "a body"),
        ("POST", again, b" of a session", 200, "count="),
        ("HEAD", "/cgi-bin/child?echo=unseen", b"", 200, ""),
        ("GET", "/cgi-bin/child?status=204", b"", 204, ""),
        ("GET", "/cgi-bin/child?status=304", b"", 304, ""),
        ("GET", "/nothing", b"", 404, "There is no page"),
        ("POST", "/cgi-bin/narrow?body", b"x" * 1000, 413, "larger"),
        ("GET", "/cgi-bin/child?echo=some&flush&echo=more", b"", 200, "somemore"),
        ("POST", "/page.txt", b"GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n", 405, "only be fetched"),
    ]
    return kinds * 2


@pytest.mark.parametrize("chunked", [False, True])
def test_twenty_requests_in_one_packet_are_answered_in_order(gateway: Gateway, chunked: bool) -> None:
    requests = _mixed(gateway)
    with Raw(gateway) as client:
        client.send(b"".join(_encoded(method, path, body, chunked) for method, path, body, _, _ in requests))
        for method, _, _, status, text in requests:
            answer = client.answer(method)
            assert (answer.status, answer.header("connection")) == (status, None)
            assert text in answer.text
            assert answer.text == "" or text
        assert client.request(AFTER).text == "after"


def _encoded(method: str, path: str, body: bytes, chunked: bool) -> bytes:
    head = f"{method} {path} HTTP/1.1\r\nHost: x\r\n".encode()
    if chunked and body:
        return head + b"Transfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (len(body), body)
    return head + (b"Content-Length: %d\r\n\r\n%b" % (len(body), body) if body else b"\r\n")


def test_pipelined_requests_behind_the_last_one_are_not_answered(gateway: Gateway) -> None:
    one = b"GET /page.txt HTTP/1.1\r\nHost: x\r\n"
    with Raw(gateway) as client:
        client.send(one + b"\r\n" + one + b"Connection: close\r\n\r\n" + one + b"\r\n")
        assert [client.answer().header("connection") for _ in range(2)] == [None, "close"]
        assert client.rest() == b""


def test_a_client_that_leaves_a_pipeline_ends_what_runs(gateway: Gateway) -> None:
    gate = Gate(gateway.folder)
    with Raw(gateway) as client:
        slow = f"GET /cgi-bin/child?echo=x&flush&{gate.wait} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
        client.send(slow + b"GET /page.txt HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.line().startswith(b"HTTP/1.1 200 ")
    gate.open()
    assert gateway.get("/page.txt").text == "a page"
    assert "Traceback" not in gateway.log


# ---- HTTP/1.0


def test_HTTP_1_0_closes_behind_the_answer(gateway: Gateway) -> None:
    answer, rest = exchange(gateway, b"GET /page.txt HTTP/1.0\r\n\r\n")
    assert (answer.text, answer.header("connection"), rest) == ("a page", "close", b"")


COUNTED = [
    "/page.txt",
    "/cgi-bin/child?header=Content-Length:+1&echo=x",
    "/nothing",
    "/cgi-bin/child?status=204",
]


@pytest.mark.parametrize("path", COUNTED)
def test_HTTP_1_0_is_kept_alive_when_it_asks_and_the_length_is_known(gateway: Gateway, path: str) -> None:
    with Raw(gateway) as client:
        for _ in range(3):
            client.send(f"GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
            assert client.answer().header("connection") == "keep-alive"
        client.send(b"GET /page.txt HTTP/1.0\r\n\r\n")
        assert client.answer().header("connection") == "close"
        assert client.rest() == b""


def test_HTTP_1_0_is_closed_when_the_length_is_not_known(gateway: Gateway) -> None:
    path = "/cgi-bin/child?size=200000"  # more than a pipe holds
    answer, rest = exchange(gateway, f"GET {path} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
    assert (answer.text, answer.header("connection"), rest) == ("x" * 200000, "close", b"")
    assert answer.header("transfer-encoding") is None


# ---- bodies that nobody took


@pytest.mark.parametrize("chunked", [False, True])
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/nothing", 404),
        ("/page.txt", 405),
        ("/cgi-bin/narrow", 413),
        ("/cgi-bin/child?exit=3", 502),
        ("/%zz", 400),
    ],
)
def test_an_unread_body_of_8_MiB_does_not_eat_the_answer(
    gateway: Gateway, path: str, status: int, chunked: bool
) -> None:
    with Raw(gateway) as client:
        client.sock.sendall(_encoded("POST", path, LARGE, chunked))  # a reset would be an error here
        answer = client.answer("POST")
        assert (answer.status, answer.whole) == (status, True)
        assert "</html>" in answer.text
        assert client.sock.recv(1) == b""


def test_a_program_that_answers_before_it_reads_is_heard(gateway: Gateway) -> None:
    for path in ("/cgi-bin/child?echo=early", "/cgi-bin/child?echo=early&flush&echo="):
        with Raw(gateway) as client:
            client.send(_encoded("POST", path, LARGE, False))
            answer = client.answer("POST")
            assert (answer.status, answer.text, answer.whole) == (200, "early", True)


def test_a_body_of_8_MiB_that_is_taken_leaves_the_connection_open(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        for _ in range(2):
            client.send(_encoded("POST", "/cgi-bin/child?digest", LARGE, False))
            assert hashlib.sha256(LARGE).hexdigest() in client.answer("POST").text
        assert client.request(AFTER).text == "after"


@pytest.mark.parametrize("size", [0, 1, 200_000])
def test_a_short_body_that_is_not_taken_leaves_the_connection_open(gateway: Gateway, size: int) -> None:
    with Raw(gateway) as client:
        client.send(_encoded("POST", "/nothing", b"x" * size, False))
        assert client.answer("POST").header("connection") is None
        assert client.request(AFTER).text == "after"


# ---- 100-continue


def _waiting(client: Raw, path: str, length: int = 5) -> None:
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\nExpect: 100-continue\r\n\r\n"
    client.send(head.encode())


def test_100_continue_comes_when_the_body_is_wanted(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        _waiting(client, "/cgi-bin/child?body")
        assert client.line() == b"HTTP/1.1 100 Continue\r\n"
        assert client.line() == b"\r\n"
        client.send(b"hello")
        answer = client.answer("POST")
        assert (answer.text, answer.header("connection")) == ("hello", None)
        assert client.request(AFTER).text == "after"


@pytest.mark.parametrize(
    ("path", "status", "length"),
    [("/nothing", 404, 5), ("/folder/", 403, 5), ("/cgi-bin/narrow", 413, 9), ("/page.txt", 405, 5)],
)
def test_no_100_continue_where_the_answer_is_known(
    gateway: Gateway, path: str, status: int, length: int
) -> None:
    with Raw(gateway) as client:
        _waiting(client, path, length)
        answer = client.answer("POST")
        assert (answer.status, answer.header("connection")) == (status, "close")
        assert client.rest() == b""


def test_no_100_continue_for_HTTP_1_0_or_without_a_body(gateway: Gateway) -> None:
    for head, text in [
        (
            b"POST /cgi-bin/child?body HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
            "hello",
        ),
        (b"GET /page.txt HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n", "a page"),
    ]:
        with Raw(gateway) as client:
            client.send(head)
            assert client.line().startswith(b"HTTP/1.1 200 ")
            assert text.encode() in _until(client, text.encode())


def _until(client: Raw, text: bytes) -> bytes:
    received = b""
    while text not in received:
        line = client.line() if b"\r\n\r\n" not in received else client.sock.recv(65536)
        assert line, received
        received += line
        if received.endswith(b"\r\n\r\n"):
            received += client._file.read(len(text))
    return received


# ---- every response says who it is from and when


RESPONSES = ["/page.txt", "/nothing", "/cgi-bin/child?echo=x", "/cgi-bin/child?exit=3", "/folder", "/%zz"]


@pytest.mark.parametrize("path", RESPONSES)
def test_every_response_has_Server_and_Date(gateway: Gateway, path: str) -> None:
    _signed(gateway.get(path))


def test_Server_and_Date_of_a_program_do_not_pass(gateway: Gateway) -> None:
    query = "header=Server:+mine/1.0&header=Date:+yesterday&echo=x"
    _signed(gateway.get(f"/cgi-bin/child?{query}"))


def _signed(answer: Answer) -> None:
    assert [value for name, value in answer.fields if name == "server"] == ["persistent-cgi"]
    dates = [value for name, value in answer.fields if name == "date"]
    assert len(dates) == 1
    assert re.fullmatch(r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT", dates[0])


# ---- directives


def test_KeepAlive_Off_closes_after_each_request(serve: Serve) -> None:
    gateway = serve("KeepAlive Off\n")
    answer, rest = exchange(gateway, b"GET /cgi-bin/child?echo=x HTTP/1.1\r\nHost: x\r\n\r\n")
    assert (answer.text, answer.header("connection"), rest) == ("x", "close", b"")


def test_MaxKeepAliveRequests_bounds_a_connection_and_KeepAliveTimeout_its_rest(serve: Serve) -> None:
    gateway = serve("MaxKeepAliveRequests 3\nKeepAliveTimeout 400ms\n")
    one = "GET /cgi-bin/child?echo=x"
    with Raw(gateway) as client:
        assert [client.request(one).header("connection") for _ in range(3)] == [None, None, "close"]
        assert client.rest() == b""
    with Raw(gateway) as client:
        assert client.request(one).header("connection") is None
        assert client.rest() == b""
    with Raw(gateway) as client:  # pipelined: the third is the last
        client.send(b"GET /cgi-bin/child?echo=x HTTP/1.1\r\nHost: x\r\n\r\n" * 6)
        assert client.rest().count(b"HTTP/1.1 200 ") == 3
