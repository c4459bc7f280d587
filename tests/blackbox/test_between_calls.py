"""B1 to B3: what a session keeps between two calls, and what never reaches the next one."""

from __future__ import annotations

import contextlib
import hashlib
import http.client
import socket

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, Gateway, read_answer, wait_for

MIB = 1 << 20
# A returning program: shows its environment, its input and what it keeps.
HOSTED = """
import os, sys
print("Accept-HTSession:", os.environ.get("HTSESSION_HANDLE") or os.environ["QUERY_STRING"])
print("Content-Type: text/plain\\n")
os.environ.setdefault("MINE", "set by the first call")
kept = globals().get("kept", []) + [os.environ["REQUEST_METHOD"]]
for name in ("CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_COOKIE", "QUERY_STRING", "SERVER_WIDE", "MINE"):
    print(name, os.environ.get(name, "<absent>"))
print("stdin", sys.stdin.read())
print("kept", *kept)
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    directives = "CGIActivationGroup python .py\nSetEnv SERVER_WIDE yes\nTimeout 20s"
    return serve_shared(directives, {"hosted.py": HOSTED})


def seen(text: str) -> dict[str, str]:
    return dict(line.split(" ", 1) for line in text.splitlines() if " " in line)


def digest(body: bytes) -> str:
    return f"length={len(body)} sha256={hashlib.sha256(body).hexdigest()}\n"


def pattern(size: int) -> bytes:
    """Bytes without a short period, EOT among them."""
    return (b"".join(b"%d\4\0\n" % number for number in range(size // 4 + 1)))[:size]


def test_B1_variables_and_input_of_a_call_are_gone_in_the_next(gateway: Gateway) -> None:
    url = "/cgi-bin/hosted.py"
    gateway.get(f"{url}?b1")
    posted = seen(gateway.post(f"{url}/b1?q=1", b"form=1", Cookie="a=b", Content_Type="text/form").text)
    assert (posted["CONTENT_LENGTH"], posted["CONTENT_TYPE"]) == ("6", "text/form")
    assert (posted["HTTP_COOKIE"], posted["stdin"], posted["QUERY_STRING"]) == ("a=b", "form=1", "q=1")
    got = seen(gateway.get(f"{url}/b1").text)
    assert got["CONTENT_LENGTH"] == got["CONTENT_TYPE"] == got["HTTP_COOKIE"] == "<absent>"
    assert (got["stdin"], got["QUERY_STRING"], got["SERVER_WIDE"]) == ("", "", "yes")


def test_B1_on_the_wire_the_length_of_no_body_is_0(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=b1-wire")
    gateway.post("/cgi-bin/child/b1-wire?handle=b1-wire", b"12345", Cookie="a=b")
    answer = gateway.get("/cgi-bin/child/b1-wire?handle=b1-wire&env=CONTENT_LENGTH&env=HTTP_COOKIE")
    assert answer.text == "CONTENT_LENGTH=0\nHTTP_COOKIE=<absent>\n"


def test_B1_standard_error_of_every_call_reaches_the_log(gateway: Gateway) -> None:
    for word in ("one", "two"):
        gateway.get(f"/cgi-bin/child{'/b1-err' * (word == 'two')}?handle=b1-err&stderr=word+{word}")
        gateway.wait_log(f"word {word}")


def test_B2_everything_else_is_kept(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/hosted.py?b2")
    gateway.post("/cgi-bin/hosted.py/b2", b"")
    got = seen(gateway.get("/cgi-bin/hosted.py/b2").text)
    assert (got["kept"], got["MINE"]) == ("GET POST GET", "set by the first call")


@pytest.mark.parametrize("size", [0, 1, 65536, 65537, MIB, MIB + 1, 8 * MIB])
def test_B3_a_body_of_any_size_arrives_whole(gateway: Gateway, size: int) -> None:
    handle, body = f"b3-{size}", pattern(size)
    query = f"handle={handle}&env=CONTENT_LENGTH&digest"
    first = gateway.post(f"/cgi-bin/child?{query}", body)
    assert first.text in (f"CONTENT_LENGTH={size or '<absent>'}\n" + digest(body))
    for _ in range(2):
        later = gateway.post(f"/cgi-bin/child/{handle}?{query}", body)
        assert later.text == f"CONTENT_LENGTH={size}\n" + digest(body)


def test_B3_a_first_body_that_was_not_read_is_dropped(gateway: Gateway) -> None:
    assert gateway.post("/cgi-bin/child?handle=b3-first&noread", b"x" * 3 * MIB).status == 200
    answer = gateway.post("/cgi-bin/child/b3-first?handle=b3-first&count&body", b"second")
    assert answer.text.startswith("count=2") and answer.text.endswith("second")


def test_B3_a_large_body_that_was_not_taken_whole_ends_the_session(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=b3-rest")
    gateway.post("/cgi-bin/child/b3-rest?handle=b3-rest&noread&latewait=/never", b"x" * 3 * MIB)
    gateway.wait_log("HTS011 the request was not taken whole")
    assert gateway.get("/cgi-bin/child/b3-rest").header("x-htsession-ended") == "protocol"


def begin_post(gateway: Gateway, path: str, declared: int, sent: bytes) -> socket.socket:
    """A POST whose body stays behind its declared length."""
    sock = gateway.connect()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {declared}\r\n\r\n"
    sock.sendall(head.encode() + sent)
    return sock


def test_B3_a_body_is_taken_whole_before_the_session_is_claimed(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=b3-half")
    with begin_post(gateway, "/cgi-bin/child/b3-half?handle=b3-half&count", MIB, b"x" * (MIB // 2)) as sock:
        assert gateway.get("/cgi-bin/child/b3-half?handle=b3-half&count").text.startswith("count=2")
        sock.sendall(b"x" * (MIB // 2))
        assert b" 200 OK" in sock.recv(4096)


def test_B3_a_client_that_leaves_a_spooled_body_harms_nothing(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=b3-left")
    begin_post(gateway, "/cgi-bin/child/b3-left?handle=b3-left&count", MIB, b"x" * (MIB // 2)).close()
    assert gateway.get("/cgi-bin/child/b3-left?handle=b3-left&count").text.startswith("count=2")


def test_B3_a_client_that_leaves_while_its_body_is_written_ends_the_session(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=b3-gone")
    started = gateway.folder / "b3-gone"
    path = f"/cgi-bin/child/b3-gone?handle=b3-gone&touch={started}&digest"
    with begin_post(gateway, path, 4 * MIB, b"x" * (2 * MIB)):
        wait_for("the call", started.exists)
    gateway.wait_log("HTS011 the client left")
    assert gateway.get("/cgi-bin/child/b3-gone").header("x-htsession-ended") == "protocol"


def test_B3_unread_bodies_leave_a_kept_connection_usable(gateway: Gateway) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=BOUND)
    with contextlib.closing(connection):
        connection.connect()
        sock = connection.sock
        for path, size, status in (("/nothing", 100_000, 404), ("/cgi-bin/child?noread", 200_000, 200)):
            connection.request("POST", path, b"x" * size)
            assert read_answer(connection.getresponse()).status == status
        connection.request("GET", "/cgi-bin/child?echo=last")
        assert read_answer(connection.getresponse()).text == "last"
        assert connection.sock is sock
