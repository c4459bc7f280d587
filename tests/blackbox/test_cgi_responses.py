"""Responses of plain CGI programs (RFC 3875, section 6), good and bad, and what the client sees of them."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote_plus

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway, wait_for
from tests.blackbox.proc import alive, children


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared("CGIStopGrace 100ms")


def output(gateway: Gateway, text: str, more: str = "", method: str = "GET") -> Answer:
    """The answer to a program that writes just this."""
    return gateway.request(method, f"/cgi-bin/child?raw={quote_plus(text, encoding='latin-1')}{more}")


def test_a_document_response_is_200_with_its_type(gateway: Gateway) -> None:
    answer = output(gateway, "Content-Type: text/x-own\n\nbody\n")
    assert (answer.status, answer.header("content-type"), answer.text) == (200, "text/x-own", "body\n")


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends_of_either_kind(gateway: Gateway, end: str) -> None:
    answer = output(gateway, f"Content-Type: text/a{end}X-More: b{end}{end}body\r\n\n")
    assert (answer.header("content-type"), answer.header("x-more")) == ("text/a", "b")
    assert answer.body == b"body\r\n\n"


@pytest.mark.parametrize("text", ["A: 1\r\nB: 2\n\r\nbody", "A: 1\nB: 2\r\n\nbody"])
def test_mixed_line_ends(gateway: Gateway, text: str) -> None:
    answer = output(gateway, text)
    assert (answer.header("a"), answer.header("b"), answer.text) == ("1", "2", "body")


def test_a_continued_header_line_is_joined(gateway: Gateway) -> None:
    assert output(gateway, "X-Long: one\n  two\n\n").header("x-long") == "one two"


def test_repeated_headers_stay_apart(gateway: Gateway) -> None:
    answer = output(gateway, "Set-Cookie: a=b\nSet-Cookie: c=d\n\n")
    assert [value for name, value in answer.fields if name == "set-cookie"] == ["a=b", "c=d"]


@pytest.mark.parametrize(
    "status", ["200", "201 Created", "404 Not Found", "418 I'm a teapot", "503 Busy", "599"]
)
def test_Status_is_the_status(gateway: Gateway, status: str) -> None:
    answer = output(gateway, f"Status: {status}\nContent-Type: text/plain\n\npage")
    assert (answer.status, answer.text) == (int(status[:3]), "page")
    assert answer.header("status") is None


@pytest.mark.parametrize(
    "status", ["abc", "99", "600", "0200", "20", "", "100 Continue", "-200", "199", "200abc", "2e2"]
)
def test_a_bogus_Status_is_502(gateway: Gateway, status: str) -> None:
    assert output(gateway, f"Status: {status}\n\npage").status == 502


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(gateway: Gateway, status: int) -> None:
    answer = output(gateway, f'Status: {status}\nETag: "x"\n\nnot sent')
    assert (answer.status, answer.body, answer.header("etag")) == (status, b"", '"x"')
    assert answer.header("transfer-encoding") is None


def test_the_body_is_binary_safe(gateway: Gateway) -> None:
    every = "".join(map(chr, range(256)))
    assert output(gateway, "Content-Type: x/y\n\n" + every).body == every.encode("latin-1")


@pytest.mark.parametrize(
    "text",
    [
        "", "\n", "\r\n\r\n", "A: b\0c\n\n", "no header at all", "no colon\n\nbody", "Name : blank\n\n",
        ": no name\n\n", "A: b\n",
        "Content-Type: text/plain", "A: b\x01\n\n", "A: b\rc\n\n", "Content-Length: x\n\n",
        "Status: 200\nStatus: 404\n\n", "Location: \n\n", "Location: /a\nLocation: /b\n\n",
    ],
)  # fmt: skip
def test_a_malformed_head_is_502(gateway: Gateway, text: str) -> None:
    answer = output(gateway, text)
    assert answer.status == 502
    assert "no colon" not in answer.text  # nothing of it reaches the client


def test_a_head_without_end_is_502(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?raw=X-Long:+&size=70000").status == 502


def test_a_program_that_fails_before_its_head_is_502_and_logged(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?silent&stderr=secret+reason+1&exit=3")
    assert answer.status == 502 and "secret" not in answer.text
    gateway.wait_log(r"exit status 3; its last words: .*secret reason 1")


def test_a_program_that_is_killed_before_its_head_is_502_and_logged(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?silent&stderr=secret+reason+2&kill=SEGV").status == 502
    gateway.wait_log(r"signal 11, Segmentation fault; its last words: .*secret reason 2")


def test_a_program_that_is_killed_in_its_body_cuts_the_connection(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?echo=begun&flush&kill=KILL")
    assert (answer.status, answer.body, answer.whole) == (200, b"begun", False)
    gateway.wait_log("signal 9")


def test_a_cut_is_told_to_HTTP_1_0_by_a_reset(gateway: Gateway) -> None:
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/child?echo=begun&flush&kill=KILL HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            while sock.recv(4096):
                pass


def test_an_exit_status_after_a_whole_page_does_not_matter(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?echo=page&exit=1")
    assert (answer.status, answer.text, answer.whole) == (200, "page", True)


def test_Content_Length_is_checked(gateway: Gateway) -> None:
    assert output(gateway, "Content-Length: 4\n\npage").text == "page"
    few = output(gateway, "Content-Length: 9\n\npage")
    assert (few.whole, few.body) == (False, b"page")
    assert output(gateway, "Content-Length: 2\n\npage").body == b"pa"


def test_HEAD_has_the_head_of_GET_and_no_body(gateway: Gateway) -> None:
    answer = output(gateway, "Content-Type: text/a\nContent-Length: 4\n\npage", method="HEAD")
    assert (answer.status, answer.header("content-length"), answer.body) == (200, "4", b"")
    assert output(gateway, "Content-Length: 4\n\n", method="HEAD").header("content-length") == "4"


def test_HEAD_is_told_no_length_that_GET_would_not_have(gateway: Gateway) -> None:
    """RFC 9110, section 8.6: the body is dropped, or not even made."""
    gateway.get("/cgi-bin/child?handle=head-length")
    path = "/cgi-bin/child/head-length"
    answer = gateway.request("HEAD", f"{path}?handle=head-length&echo=page")
    assert (answer.status, answer.header("content-length")) == (200, None)
    assert gateway.get(f"{path}?echo=over").text == "over"


def test_an_HTTP_1_0_client_gets_a_body_that_ends_with_the_connection(gateway: Gateway) -> None:
    head, _, body = gateway.raw(b"GET /cgi-bin/child?echo=one&flush&echo=two HTTP/1.0\r\n\r\n").partition(
        b"\r\n\r\n"
    )
    assert b"transfer-encoding" not in head.lower()
    assert body == b"onetwo"


def test_hop_by_hop_headers_of_a_program_are_the_gateways_business(gateway: Gateway) -> None:
    text = "Connection: X-Own\nKeep-Alive: 5\nTransfer-Encoding: chunked\nUpgrade: x\nX-Own: kept\n\npage"
    answer = output(gateway, text)
    assert answer.text == "page" and answer.header("x-own") == "kept"
    assert not {"keep-alive", "upgrade"} & {name for name, _ in answer.fields}


def test_headers_cannot_smuggle_a_response(gateway: Gateway) -> None:
    answer = output(gateway, "X-Own: a\nSet-Cookie: b=c\r\n\r\nHTTP/1.1 200 OK\r\n\r\nsecond")
    assert answer.text == "HTTP/1.1 200 OK\r\n\r\nsecond"


def test_an_nph_program_writes_its_own_status_line(gateway: Gateway) -> None:
    gateway.program("nph-own", "#!/bin/sh\nprintf 'HTTP/1.0 299 Own\\r\\nX-Own: a\\r\\n\\r\\nbody'\n")
    answer = gateway.get("/cgi-bin/nph-own")
    assert (answer.status, answer.header("x-own"), answer.text) == (299, "a", "body")


def test_a_client_that_leaves_ends_a_program_that_writes_without_end(gateway: Gateway) -> None:
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/child?forever HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert sock.recv(4096)
        pids = gateway.instances()
    assert pids
    wait_for("the program's end", lambda: not any(alive(pid) for pid in pids))


def test_a_program_that_cannot_be_executed_is_500(gateway: Gateway) -> None:
    gateway.program("no-interpreter", "#!/nowhere/interpreter\n")
    assert gateway.get("/cgi-bin/no-interpreter").status == 500
    gateway.wait_log("no-interpreter: cannot be started: No such file or directory")
    gateway.program("no-format", "\x7fELF of no kind\n")
    assert gateway.get("/cgi-bin/no-format").status == 500


def test_a_grandchild_that_keeps_the_output_open_keeps_the_response_open(
    gateway: Gateway, tmp_path: Path
) -> None:
    waiting = f"while [ ! -e {tmp_path}/go ]; do sleep 0.01; done"
    program = f"#!/bin/sh\nprintf 'A: b\\n\\none '\n({waiting}; printf two) &\n"
    gateway.program("parent", program)
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/parent HTTP/1.0\r\n\r\n")
        received = b""
        while not received.endswith(b"one "):
            received += sock.recv(4096)
        (tmp_path / "go").touch()
        while more := sock.recv(4096):
            received += more
    assert received.endswith(b"\r\n\r\none two")
    assert children(gateway.keeper)  # the front at least: nothing was harmed
