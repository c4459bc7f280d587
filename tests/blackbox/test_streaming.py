"""Bodies flow both ways at the pace of the slower side, in bounded memory (P6, B3)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.blackbox.proc import status

MIB = 1 << 20
KIB_OF_GROWTH = 2 * 1024
SIZES = [256, pytest.param(1024, marks=pytest.mark.faults)]


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared("LimitRequestBody 0")


class Stream:
    """An HTTP/1.0 request whose answer is read piece by piece."""

    def __init__(self, gateway: Gateway, path: str, declared: int | None = None) -> None:
        self.sock = gateway.connect()
        method, length = ("GET", "") if declared is None else ("POST", f"Content-Length: {declared}\r\n")
        self.sock.sendall(f"{method} {path} HTTP/1.0\r\nHost: localhost\r\n{length}\r\n".encode())
        self.received = b""

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *error: object) -> None:
        self.sock.close()

    def until(self, end: bytes) -> None:
        """Read until the answer so far ends like this."""
        while not self.received.endswith(end):
            more = self.sock.recv(65536)
            assert more, self.received[-200:]
            self.received += more

    def count(self) -> int:
        """Read to the end, keep nothing: the length of the body."""
        head, _, body = self.received.partition(b"\r\n\r\n")
        assert head
        total = len(body)
        while more := self.sock.recv(MIB):
            total += len(more)
        return total


@pytest.mark.parametrize("later", [False, True])
def test_P6_pieces_arrive_at_once(gateway: Gateway, tmp_path: Path, later: bool) -> None:
    steps = "&".join(f"echo=data:+{n}%0A%0A&wait={tmp_path}/{n}" for n in range(3))
    query = f"handle=p6-{later}&header=Content-Type:+text/event-stream&{steps}"
    path = "/cgi-bin/child"
    if later:
        gateway.get(f"{path}?handle=p6-{later}")
        path += f"/p6-{later}"
    with Stream(gateway, f"{path}?{query}") as stream:
        for n in range(3):
            stream.until(f"data: {n}\n\n".encode())  # the program goes on only when the client has it
            (tmp_path / str(n)).touch()
        assert stream.count() == 3 * 9
    gateway.get(f"/cgi-bin/child/p6-{later}?echo=the+session+ends")


def test_the_head_arrives_before_the_body(gateway: Gateway, tmp_path: Path) -> None:
    with Stream(gateway, f"/cgi-bin/child?head&wait={tmp_path}/go&echo=body") as stream:
        stream.until(b"\r\n\r\n")
        (tmp_path / "go").touch()
        assert stream.count() == 4


@pytest.mark.parametrize("later", [False, True])
def test_an_upload_flows_while_output_flows(gateway: Gateway, later: bool) -> None:
    path, size = "/cgi-bin/child", 4 * MIB
    if later:
        gateway.get(f"{path}?handle=both-ways")
        path += "/both-ways"
    with Stream(gateway, f"{path}?handle=both-ways&cat", size) as stream:
        for n in range(size // 65536):
            piece = b"%04d" % n + bytes([65 + n % 26]) * 65532
            stream.sock.sendall(piece)
            stream.until(piece)  # back before more of it is sent
    gateway.get("/cgi-bin/child/both-ways?echo=the+session+ends")


def feed(size: int) -> Iterator[bytes]:
    piece = b"u" * MIB
    for _ in range(size // MIB):
        yield piece


def warm_up(gateway: Gateway) -> int:
    """The front's peak so far (KiB), after one large transfer each way, and one that is spooled."""
    front = gateway.fronts()[-1]
    with Stream(gateway, f"/cgi-bin/child?size={16 * MIB}") as stream:
        stream.until(b"x")
        assert stream.count() == 16 * MIB
    gateway.post("/cgi-bin/child?digest", b"u" * (16 * MIB))
    gateway.send_chunked("/cgi-bin/child?digest", feed(16 * MIB))
    return status(front, "VmHWM")


@pytest.mark.parametrize("mib", SIZES)
def test_memory_stays_flat_for_a_large_response_to_a_slow_client(gateway: Gateway, mib: int) -> None:
    before = warm_up(gateway)
    with Stream(gateway, f"/cgi-bin/child?size={mib * MIB}") as stream:
        stream.until(b"x")
        assert len(gateway.get(f"/cgi-bin/child?size={16 * MIB}").body) == 16 * MIB  # others are served
        assert stream.count() == mib * MIB
    assert status(gateway.fronts()[-1], "VmHWM") - before < KIB_OF_GROWTH


@pytest.mark.parametrize("mib", SIZES)
@pytest.mark.parametrize("later", [False, True])
def test_memory_stays_flat_for_a_large_body_to_a_slow_program(
    gateway: Gateway, tmp_path: Path, mib: int, later: bool
) -> None:
    path, query = "/cgi-bin/child", f"handle=up-{mib}&wait={tmp_path}/go&digest"
    if later:
        gateway.get(f"{path}?handle=up-{mib}")
        path += f"/up-{mib}"
    before = warm_up(gateway)
    with Stream(gateway, f"{path}?{query}", mib * MIB) as stream:
        stream.sock.settimeout(0.5)
        sent = 0
        piece = memoryview(b"u" * MIB)
        try:
            while sent < mib * MIB:
                sent += stream.sock.send(piece)
        except TimeoutError:
            pass  # every buffer on the way is full: the client is held back
        assert sent < 32 * MIB
        (tmp_path / "go").touch()
        stream.sock.settimeout(30)
        while sent < mib * MIB:
            sent += stream.sock.send(piece[: mib * MIB - sent])
        stream.until(b"\n")
        while not (b"length=" in stream.received and stream.received.endswith(b"\n")):
            stream.received += stream.sock.recv(65536)
    assert f"length={mib * MIB} ".encode() in stream.received
    assert status(gateway.fronts()[-1], "VmHWM") - before < KIB_OF_GROWTH
    gateway.get(f"/cgi-bin/child/up-{mib}")  # the session ends


def test_a_chunked_upload_is_spooled_in_bounded_memory(gateway: Gateway) -> None:
    before = warm_up(gateway)
    answer = gateway.send_chunked("/cgi-bin/child?env=CONTENT_LENGTH&digest", feed(128 * MIB))
    assert answer.text.startswith(f"CONTENT_LENGTH={128 * MIB}\nlength={128 * MIB} ")
    assert status(gateway.fronts()[-1], "VmHWM") - before < KIB_OF_GROWTH


@pytest.mark.parametrize("later", [False, True])
def test_LimitRequestBody_is_413_before_the_program_starts(serve: Serve, tmp_path: Path, later: bool) -> None:
    gateway = serve("LimitRequestBody 1000")
    path = "/cgi-bin/child"
    if later:
        gateway.get(f"{path}?handle=limit")
        path += "/limit"
    assert gateway.post(f"{path}?handle=limit&digest", b"x" * 1000).text.startswith("length=1000 ")
    for answer in (
        gateway.post(f"{path}?touch={tmp_path}/started", b"x" * 1001),
        gateway.send_chunked(f"{path}?touch={tmp_path}/started", [b"x" * 600] * 2),
    ):
        assert answer.status == 413
    assert not (tmp_path / "started").exists()
    if later:
        assert gateway.get(f"{path}?count").text.startswith("count=3")
