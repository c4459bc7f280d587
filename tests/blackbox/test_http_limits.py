"""How large a head may be, and how much memory one that never ends can take (spec 3: 414, 431)."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, Answer, Gateway, wait_for
from tests.blackbox.raw import Raw, exchange

DIRECTIVES = """
LimitRequestLine 100
LimitRequestFieldSize 200
LimitRequestFields 10
"""
MEBIBYTE = 1 << 20
FLOOD = 64 * MEBIBYTE


@pytest.fixture(scope="module")
def small(serve_shared: Serve) -> Gateway:
    return serve_shared(DIRECTIVES)


@pytest.fixture(scope="module")
def usual(serve_shared: Serve) -> Gateway:
    return serve_shared()


@pytest.fixture(scope="module")
def unlimited(serve_shared: Serve) -> Gateway:
    return serve_shared("LimitRequestFields 0\n")


def _get(gateway: Gateway, path: str, headers: list[str]) -> Answer:
    lines = [f"GET {path} HTTP/1.1", "Host: x", *headers, "", ""]
    with Raw(gateway) as client:
        client.send("\r\n".join(lines).encode())
        return client.answer()


def _path(size: int) -> str:
    start = "/cgi-bin/child?echo="
    return start + "x" * (size - len(start))


@pytest.mark.parametrize(("size", "status"), [(100, 200), (101, 414), (150, 414), (5000, 414)])
def test_LimitRequestLine_counts_the_whole_line(small: Gateway, size: int, status: int) -> None:
    answer = _get(small, _path(size - len("GET  HTTP/1.1")), [])
    assert (answer.status, answer.header("connection")) == (status, None if status == 200 else "close")


@pytest.mark.parametrize(("size", "status"), [(200, 200), (201, 431), (5000, 431)])
def test_LimitRequestFieldSize_counts_a_whole_header(small: Gateway, size: int, status: int) -> None:
    answer = _get(small, "/cgi-bin/child?echo=x", ["X-A: " + "x" * (size - len("X-A: "))])
    assert (answer.status, answer.header("connection")) == (status, None if status == 200 else "close")


@pytest.mark.parametrize(("count", "status"), [(10, 200), (11, 431), (50, 431)])
def test_LimitRequestFields_counts_the_headers(small: Gateway, count: int, status: int) -> None:
    answer = _get(small, "/cgi-bin/child?echo=x", [f"X-{number}: 1" for number in range(count - 1)])
    assert (answer.status, answer.header("connection")) == (status, None if status == 200 else "close")


@pytest.mark.parametrize(("count", "status"), [(100, 200), (101, 431)])
def test_a_hundred_headers_are_taken_without_a_directive(usual: Gateway, count: int, status: int) -> None:
    assert _get(usual, "/cgi-bin/child?echo=x", [f"X-{n}: 1" for n in range(count - 1)]).status == status


@pytest.mark.parametrize(("size", "line", "field"), [(8190, 200, 200), (8191, 414, 431)])
def test_8190_bytes_are_taken_without_a_directive(usual: Gateway, size: int, line: int, field: int) -> None:
    assert _get(usual, _path(size - len("GET  HTTP/1.1")), []).status == line
    assert _get(usual, "/cgi-bin/child?echo=x", ["X-A: " + "x" * (size - len("X-A: "))]).status == field


def test_LimitRequestFields_0_is_no_limit_but_the_memory_is(unlimited: Gateway) -> None:
    assert _get(unlimited, "/cgi-bin/child?echo=x", [f"X-{number}: 1" for number in range(2000)]).status == 200
    assert (
        _get(unlimited, "/cgi-bin/child?echo=x", [f"X-{number}: 1" for number in range(150_000)]).status == 431
    )


def test_a_head_in_single_bytes_is_measured_alike(small: Gateway) -> None:
    for path, header, status in [("/", "X-A: " + "x" * 196, 431), (_path(88), "X-A: 1", 414)]:
        with Raw(small) as client:
            for byte in f"GET {path} HTTP/1.1\r\nHost: x\r\n{header}\r\n\r\n".encode():
                client.send(bytes([byte]))
            assert client.answer().status == status


def test_a_limit_of_one_request_does_not_count_for_the_next(small: Gateway) -> None:
    request = f"GET {_path(60)} HTTP/1.1\r\nHost: x\r\nX-A: {'x' * 190}\r\n\r\n".encode()
    with Raw(small) as client:
        client.send(request * 5)
        assert [client.answer().status for _ in range(5)] == [200] * 5


ENDLESS = {
    "a target": (b"GET /", b"x" * 65536, 414),
    "a header's value": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", b"x" * 65536, 431),
    "a header's name": (b"GET / HTTP/1.1\r\nHost: x\r\nX-", b"x" * 65536, 431),
    "headers": (b"GET / HTTP/1.1\r\nHost: x\r\n", b"X-A: 1\r\n" * 8192, 431),
    "a chunk extension": (
        b"POST /cgi-bin/child HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5;",
        b"x" * 65536,
        400,
    ),
    "small chunks with long extensions": (
        b"POST /cgi-bin/child HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        (b"1;" + b"x" * 4000 + b"\r\nx\r\n") * 16,
        400,
    ),
    "a trailer": (
        b"POST /cgi-bin/child HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-A: ",
        b"x" * 65536,
        400,
    ),
    "trailers": (
        b"POST /cgi-bin/child HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
        b"X-A: 1\r\n" * 8192,
        431,
    ),
}


@pytest.mark.parametrize(("head", "more", "status"), ENDLESS.values(), ids=ENDLESS)
def test_what_never_ends_is_refused_and_takes_no_memory(
    usual: Gateway, head: bytes, more: bytes, status: int
) -> None:
    front = usual.fronts()[-1]
    before = _memory(front)
    with Raw(usual) as client:
        client.send(head)
        with contextlib.suppress(ConnectionError):
            for _ in range(FLOOD // len(more)):
                client.sock.sendall(more)
        assert client.answer().status == status
    assert _peak(front) - before < 16 * MEBIBYTE


def test_a_flood_of_requests_in_one_packet_takes_no_memory(usual: Gateway) -> None:
    front = usual.fronts()[-1]
    before = _memory(front)
    with Raw(usual) as client:
        client.send(b"GET /cgi-bin/child?sleep=0.2 HTTP/1.1\r\nHost: x\r\n\r\n")
        client.sock.setblocking(False)
        with contextlib.suppress(BlockingIOError, ConnectionError):
            for _ in range(FLOOD // (1 << 16)):
                client.sock.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 2000)
        client.sock.settimeout(BOUND)
        received = client.rest()
    assert received.count(b"HTTP/1.1 ") <= 103
    assert received.count(b"connection: close") == 1
    assert _peak(front) - before < 16 * MEBIBYTE


def test_a_refused_head_is_logged_once_and_counts_as_a_request(serve: Serve) -> None:
    gateway = serve('LogFormat "%>s %r" short\nCustomLog logs/access.log short\n')
    exchange(gateway, b"GET /seen HTTP/1.1\r\nHost: x\r\nX A: 1\r\n\r\n")
    log = gateway.folder / "logs" / "access.log"
    wait_for("the line", lambda: log.exists() and log.read_text().count("\n") == 1)
    assert log.read_text().startswith("400 GET /seen")
    gateway.wait_log("not HTTP: Invalid header token")


def _memory(pid: int) -> int:
    """Bytes that a process holds; its peak is measured from here on."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    return _field(pid, "VmRSS")


def _peak(pid: int) -> int:
    return _field(pid, "VmHWM")


def _field(pid: int, name: str) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


def test_of_a_client_whose_head_was_refused_little_more_is_read(usual: Gateway) -> None:
    with Raw(usual) as client:
        client.send(b"GET /cgi-bin/child HTTP/1.1\r\nHost: x\r\nX-A: " + b"x" * 20_000 + b"\r\n\r\n")
        assert client.answer().status == 431
        with pytest.raises(ConnectionError):
            client.sock.sendall(b"x" * FLOOD)


def test_of_a_head_that_is_too_large_little_is_parsed(serve: Serve) -> None:
    gateway, line = serve(), "X-Many: " + "x" * 100
    assert _get(gateway, "/", [line] * 2000).status == 431
    found = gateway.wait_log(r"(\d+) headers, LimitRequestFields is 100")
    assert int(found[1]) < 16384 / len(line) + 1


def test_requests_that_come_in_one_large_piece_are_all_answered_whole(usual: Gateway) -> None:
    """Longer together than what is parsed at once: heads and bodies are cut anywhere."""
    padding, count = "X-Long: " + "x" * 1000, 60
    with Raw(usual) as client:
        client.send(
            b"".join(
                f"POST /cgi-bin/child?echo={number}-&body HTTP/1.1\r\nHost: x\r\n{padding}\r\n"
                f"Content-Length: {number * 20}\r\n\r\n{str(number % 10) * number * 20}".encode()
                for number in range(count)
            )
        )
        answers = [client.answer("POST").text for _ in range(count)]
    assert answers == [f"{number}-{str(number % 10) * number * 20}" for number in range(count)]


@pytest.mark.parametrize("session", [False, True])
def test_a_large_head_and_its_body_in_one_piece(usual: Gateway, session: bool) -> None:
    path = "/cgi-bin/child"
    if session:
        assert usual.get(f"{path}?handle=one-piece").status == 200
        path += "/one-piece"
    headers = [f"X-{number}: {'x' * 7000}" for number in range(4)]
    for size in (40_000, 200_000):
        with Raw(usual) as client:
            answer = client.request(
                f"POST {path}?handle=one-piece&body", *headers, f"Content-Length: {size}", body=b"b" * size
            )
        assert (answer.status, answer.body) == (200, b"b" * size)
