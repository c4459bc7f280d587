"""Clients that drip, stall or never come to the point (RequestReadTimeout, Timeout, MaxConnections)."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.raw import Raw

pytestmark = pytest.mark.running

DIRECTIVES = """
RequestReadTimeout header=400ms body=400ms
KeepAliveTimeout 20
Timeout 600ms
CGIScriptTimeout 20
PersistentCGITimeout 90
LimitRequestBody 100M
"""
POST = "POST {0} HTTP/1.1\r\nHost: x\r\nContent-Length: {1}\r\n\r\n"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    with (gateway.htdocs / "large").open("wb") as file:
        file.truncate(64 << 20)
    return gateway


def test_a_client_that_sends_nothing_is_closed_without_a_word(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        assert client.rest() == b""


def test_of_hundreds_that_stall_none_is_forgotten_and_who_goes_on_stays(gateway: Gateway) -> None:
    with ExitStack() as stack:
        stalled, quick = list[Raw](), list[Raw]()
        for _ in range(150):
            stalled.append(stack.enter_context(Raw(gateway)))
            stalled[-1].send(b"GET / HTTP/1.1\r\n")
            quick.append(stack.enter_context(Raw(gateway)))
            assert quick[-1].request("GET /cgi-bin/child?echo=quick").text == "quick"
        assert [client.answer().status for client in stalled] == [408] * len(stalled)
        assert {client.request("GET /cgi-bin/child?echo=still").text for client in quick} == {"still"}


def test_blank_lines_are_nothing(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        client.send(b"\r\n\r\n")
        assert client.rest() == b""


@pytest.mark.parametrize("start", [b"G", b"GET / HTTP/1.1\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n"])
def test_a_head_that_stalls_is_408(gateway: Gateway, start: bytes) -> None:
    with Raw(gateway) as client:
        client.send(start)
        answer = client.answer()
        assert (answer.status, answer.header("connection")) == (408, "close")
        assert client.rest() == b""


def test_a_head_that_drips_is_408(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\n")
        client.sock.settimeout(0.05)
        received = b""
        for _ in range(400):
            client.send(b"X")
            try:
                received += client.sock.recv(65536)
                break
            except TimeoutError:
                continue
        assert received.startswith(b"HTTP/1.1 408 ")


def test_the_second_head_of_a_connection_is_watched_too(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        assert client.request("GET /cgi-bin/child?echo=x").text == "x"
        client.send(b"GET / HT")
        assert client.answer().status == 408


@pytest.mark.parametrize("length", [100, 5_000_000])
def test_a_body_that_stalls_is_408_when_nothing_was_answered(gateway: Gateway, length: int) -> None:
    with Raw(gateway) as client:
        client.send(POST.format("/cgi-bin/child?digest", length).encode() + b"some")
        answer = client.answer("POST")
        assert (answer.status, answer.header("connection")) == (408, "close")
        assert client.rest() == b""


def test_a_chunked_body_that_stalls_is_408_and_starts_nothing(gateway: Gateway) -> None:
    trace = Gate(gateway.folder)
    with Raw(gateway) as client:
        head = f"POST /cgi-bin/child?{trace.touch} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        client.send(head.encode() + b"5\r\nhel")
        assert client.answer("POST").status == 408
    assert not trace.is_open


def test_B3_a_body_of_a_session_that_stalls_is_408_and_the_session_lives(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    with Raw(gateway) as client:
        client.send(POST.format(f"{url}?handle={handle}", 1000).encode() + b"some")
        assert client.answer("POST").status == 408
    assert gateway.get(f"{url}?handle={handle}&count").text.startswith("count=2 ")


def test_B3_a_long_body_of_a_session_that_stalls_costs_the_session(gateway: Gateway) -> None:
    url = start_session(gateway, new_handle())
    with Raw(gateway) as client:
        client.send(POST.format(f"{url}?digest", 3 << 20).encode() + b"x" * (2 << 20))
        assert client.answer("POST").status == 408
    wait_for("the end of the session", lambda: gateway.get(url).status == 410)
    assert gateway.reason(url) == "protocol"


def test_a_body_that_stalls_behind_the_beginning_of_an_answer_is_cut(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        client.send(POST.format("/cgi-bin/child?echo=early&flush&digest", 1 << 20).encode() + b"x" * 100_000)
        assert client.line().startswith(b"HTTP/1.1 200 ")
        rest = client.rest()
        assert b"early" in rest
        assert b"0\r\n\r\n" not in rest


def test_an_unread_body_that_stalls_behind_the_answer_ends_the_connection(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        client.send(POST.format("/nothing", 1000).encode() + b"some")
        assert client.answer("POST").status == 404
        assert client.rest() == b""


def test_a_client_that_waits_for_100_continue_is_not_slow(gateway: Gateway) -> None:
    """The program is slow, the session is busy: until we read, time does not count against the client."""
    gate, handle = Gate(gateway.folder), new_handle()
    url = start_session(gateway, handle)
    head = POST.format(f"{url}?handle={handle}&count&body", 2 << 20).replace("\r\n\r\n", "\r\n") + (
        "Expect: 100-continue\r\n\r\n"
    )
    busy = Client(gateway, f"{url}?handle={handle}&{gate.wait}")
    with Raw(gateway) as client:
        client.send(head.encode())
        time.sleep(1.2)  # three times the bound: nothing can be waited for, as nothing must happen
        gate.open()
        assert busy.answer().status == 200
        assert client.line() == b"HTTP/1.1 100 Continue\r\n"
        client.line()
        client.send(b"x" * (2 << 20))
        assert client.answer("POST").status == 200


def test_a_program_that_reads_slowly_is_not_the_clients_fault(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        client.send(POST.format("/cgi-bin/child?sleep=1.5&digest", 4 << 20).encode())
        client.send(b"x" * (4 << 20))
        assert f"length={4 << 20} " in client.answer("POST").text


def test_a_download_of_a_file_that_stalls_is_cut(gateway: Gateway) -> None:
    _stalls(gateway, "/large")


def test_a_download_from_a_program_that_stalls_is_cut(gateway: Gateway) -> None:
    _stalls(gateway, "/cgi-bin/child?forever")


def _stalls(gateway: Gateway, path: str) -> None:
    with Raw(gateway) as client:
        port = client.sock.getsockname()[1]
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for("the server to give up", lambda: not _connected(gateway.port, port))


def test_a_download_that_moves_slowly_goes_on(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        client.send(b"GET /large HTTP/1.1\r\nHost: x\r\nRange: bytes=0-16777215\r\n\r\n")
        received, end = 0, time.monotonic() + 1.8
        while time.monotonic() < end:
            received += len(client.sock.recv(65536))
            time.sleep(0.05)
        while received < 16 << 20:
            piece = client.sock.recv(1 << 20)
            assert piece, f"cut after {received} bytes"
            received += len(piece)


def _connected(local: int, remote: int) -> bool:
    """Whether the server's end of a connection is there."""
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        fields = line.split()
        ports = tuple(int(address.split(":")[1], 16) for address in fields[1:3])
        if ports == (local, remote):
            return fields[3] in ("01", "08")
    return False


def test_MinRate_gives_a_client_that_moves_more_time(serve: Serve) -> None:
    gateway = serve("RequestReadTimeout header=300ms-20,MinRate=20 body=300ms,MinRate=20\n")
    with Raw(gateway) as client:
        client.send(b"POST /cgi-bin/child?body HTTP/1.1\r\n")
        for _ in range(20):  # 10 bytes are half a second more
            client.send(b"X-A: 1234\r\n")
            time.sleep(0.05)
        client.send(b"Host: x\r\nContent-Length: 200\r\n\r\n")
        for _ in range(20):
            client.send(b"x" * 10)
            time.sleep(0.05)
        assert client.answer("POST").text == "x" * 200
    with Raw(gateway) as client:
        client.send(b"GET")
        assert client.answer().status == 408


def test_MaxConnections_turns_more_away_with_503_and_comes_back(serve: Serve) -> None:
    gateway = serve("MaxConnections 5\nKeepAliveTimeout 60\n")
    clients = [Raw(gateway) for _ in range(5)]
    for client in clients:
        assert client.request("GET /cgi-bin/child?echo=in").text == "in"
    for _ in range(20):
        with Raw(gateway) as client:
            client.send(b"GET /cgi-bin/child?echo=in HTTP/1.1\r\nHost: x\r\n\r\n")
            answer = client.answer()
            assert (answer.status, answer.header("connection")) == (503, "close")
            assert int(answer.header("retry-after") or 0) > 0
    assert gateway.log.count("MaxConnections 5 reached") == 1
    for client in clients:
        assert client.request("GET /cgi-bin/child?echo=still").text == "still"
        client.sock.close()
    wait_for("room", lambda: gateway.get("/cgi-bin/child?echo=again").text == "again")


@pytest.fixture
def few_files(tmp_path: Path) -> Iterator[Gateway]:
    gateway = Gateway(tmp_path, "MaxCGIJobs 50\nMaxPersistentCGI 20\n")
    gateway.program("child", CHILD_TEXT)
    gateway.prefix = ["sh", "-c", 'ulimit -n 500; exec "$@"', "sh"]
    yield gateway.start()
    gateway.stop()


def test_more_connections_than_descriptors_do_not_harm_those_that_are(few_files: Gateway) -> None:
    """RLIMIT_NOFILE bounds MaxConnections; a flood of connections leaves programs and sessions alone."""
    gateway = few_files
    gateway.wait_log(r"MaxConnections 4096 is lowered to \d+: RLIMIT_NOFILE allows no more")
    handle = new_handle()
    url = start_session(gateway, handle)
    with Raw(gateway) as kept:
        assert kept.request(f"GET {url}?handle={handle}&count").text.startswith("count=2 ")
        flood = [gateway.connect() for _ in range(900)]
        assert kept.request(f"GET {url}?handle={handle}&count").text.startswith("count=3 ")
        assert kept.request("GET /cgi-bin/child?echo=new").text == "new"
        for sock in flood:
            sock.close()
    wait_for("room", lambda: gateway.get("/cgi-bin/child?echo=x").status == 200)
