"""Large bodies, both ways and of any framing: exact, counted, and in every way in which a transfer can end."""

from __future__ import annotations

import hashlib
import os
import random
import re
import socket
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.blackbox.access_lines import line
from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import descriptors
from tests.blackbox.raw import Raw

pytestmark = pytest.mark.running
MIB = 1 << 20
SIZE = 6 * MIB + 12345
URL = "/cgi-bin/bulk"
# Fields of the query: `handle`; `size` of the body, full of beginnings of the end mark, and `length`, its
# Content-Length; `gate`: a file that is waited for in the middle; `die`: killed behind the body; `up`: answers
# with length and digest of the body that came; `text`: answers with it
PROGRAM = f"""#!{os.path.realpath(sys.executable)} -S
import hashlib, os, random, sys, time
sys.path.append(os.environ["HTSESSION_LIB"])
import htsession

begun = ("\\4" + os.environ["HTSESSION_END"]).encode()
block = b"".join(begun[: n % 34] + random.Random(n).randbytes(999) for n in range(1000))
for request in htsession.requests():
    asked = dict(pair.split("=") for pair in os.environ["QUERY_STRING"].split("&") if "=" in pair)
    head = ["Content-Type: application/octet-stream"]
    head += ["Accept-HTSession: " + asked["handle"]] if "handle" in asked else []
    head += ["Content-Length: " + asked["length"]] if "length" in asked else []
    head += ["X-Mark: " + os.environ["HTSESSION_END"]]
    out = sys.stdout.buffer
    if "up" in asked:
        digest, size, left = hashlib.sha256(), 0, int(os.environ["CONTENT_LENGTH"])
        while left and (data := sys.stdin.buffer.read1(65536)):
            digest.update(data)
            size, left = size + len(data), left - len(data)
        asked["text"] = "%d %s" % (size, digest.hexdigest())
    out.write(("\\n".join(head) + "\\n\\n" + asked.get("text", "")).encode())
    size, done = int(asked.get("size", 0)), 0
    while done < size:
        if "gate" in asked and done > size // 2:
            out.flush()
            while not os.path.exists(asked["gate"]):
                time.sleep(0.01)
        done += out.write(block[: size - done])
    out.flush()
    if "die" in asked:
        os.kill(os.getpid(), 9)
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(
        "LimitRequestBody 0\nListen unix:sock\n"
        'LogFormat "%q %>s %b %I %O %X" bytes\nCustomLog logs/bytes.log bytes\n',
        {"bulk": PROGRAM},
    )
    gateway.get(f"{URL}?size={MIB}")  # what a front opens once is open
    return gateway


@cache
def block(mark: str) -> bytes:
    begun = b"\4" + mark.encode()
    return b"".join(begun[: n % 34] + random.Random(n).randbytes(999) for n in range(1000))


def content(mark: str | None, size: int) -> bytes:
    """What the program sends; `mark`: its end mark."""
    assert mark is not None
    return (block(mark) * (size // len(block(mark)) + 1))[:size]


def up(size: int) -> tuple[bytes, str]:
    """A body, and what the program answers to it."""
    body = random.Random(size).randbytes(size)
    return body, f"{size} {hashlib.sha256(body).hexdigest()}"


def begin(gateway: Gateway, *, later: bool) -> tuple[str, str]:
    """The URL and the handle of a session's next request, or of a first one that begins no session."""
    if not later:
        return URL, ""
    handle = new_handle()
    assert gateway.get(f"{URL}?handle={handle}").status == 200
    return f"{URL}/{handle}", f"&handle={handle}"


def bytes_read_and_written(gateway: Gateway) -> int:
    """By the front, through read(2), write(2) and their like: not by splice(2)."""
    text = Path(f"/proc/{gateway.fronts()[-1]}/io").read_text()
    return sum(int(number) for number in re.findall(r"^[rw]char: (\d+)", text, re.MULTILINE))


def pipes_and_sockets(gateway: Gateway) -> int:
    return sum(what.startswith(("pipe:", "socket:")) for what in descriptors(gateway.fronts()[-1]).values())


# ---- down


@pytest.mark.parametrize("later", [False, True])
@pytest.mark.parametrize("length", ["", f"&length={SIZE}"], ids=["chunked", "counted"])
def test_P1_a_large_response_is_exact(gateway: Gateway, length: str, later: bool) -> None:
    url, handle = begin(gateway, later=later)
    with Raw(gateway) as client:
        for _ in range(2 if later else 1):  # on the same connection, of the same session
            answer = client.request(f"GET {url}?size={SIZE}{length}{handle}")
            assert (answer.header("content-length") is None) == (not length)
            assert answer.body == content(answer.header("x-mark"), SIZE)
        assert client.request("GET /cgi-bin/child?echo=after").text == "after"
    if later:
        assert gateway.get(f"{url}?handle").status == 200


@pytest.mark.parametrize("length", ["", f"&length={SIZE}"], ids=["to the end", "counted"])
def test_a_large_response_is_exact_for_a_client_of_HTTP_1_0(gateway: Gateway, length: str) -> None:
    head, _, body = gateway.raw(f"GET {URL}?size={SIZE}{length} HTTP/1.0\r\n\r\n".encode()).partition(
        b"\r\n\r\n"
    )
    mark = re.search(rb"x-mark: (\w+)", head)
    assert mark is not None
    assert body == content(mark[1].decode(), SIZE)


@pytest.mark.parametrize("length", ["", f"&length={SIZE}"], ids=["chunked", "counted"])
def test_a_large_response_is_exact_for_a_client_that_reads_in_fits(gateway: Gateway, length: str) -> None:
    """The program waits in the middle, with all buffers full before: what was read stays as it was."""
    gate = gateway.folder / f"fits-{new_handle()}"
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
    sock.connect(("127.0.0.1", gateway.port))
    with Raw(gateway, sock) as client:
        client.send(f"GET {URL}?size={SIZE}{length}&gate={gate} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        others = [gateway.get(f"{URL}?size={SIZE}{length}") for _ in range(3)]
        gate.touch()
        answer = client.answer()
    for one in (answer, *others):
        assert one.body == content(one.header("x-mark"), SIZE)


def test_RFC9110_9_3_2_the_answer_to_HEAD_has_no_large_body(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        answer = client.request(f"HEAD {URL}?size={SIZE}&length={SIZE}")
        assert (answer.header("content-length"), answer.body) == (str(SIZE), b"")
        assert client.request("GET /cgi-bin/child?echo=after").text == "after"


@pytest.mark.parametrize("wrong", [-2 * MIB, -1, 10, 4 * MIB])
@pytest.mark.parametrize("later", [False, True])
def test_P4_a_large_response_of_another_length_is_cut_and_ends_the_session(
    gateway: Gateway, wrong: int, later: bool
) -> None:
    url, handle = begin(gateway, later=later)
    answer = gateway.get(f"{url}?size={SIZE}&length={SIZE + wrong}{handle}")
    assert not answer.whole or wrong < 0
    assert answer.body == content(answer.header("x-mark"), SIZE + min(wrong, 0))
    gateway.wait_log(
        rf"expected {SIZE + wrong} bytes of body \(Content-Length\), found {'more' if wrong < 0 else SIZE}"
    )
    if later:
        assert gateway.reason(url) == "crashed"


@pytest.mark.parametrize("later", [False, True])
def test_a_program_that_dies_in_a_large_response_is_told_by_a_cut(gateway: Gateway, later: bool) -> None:
    url, handle = begin(gateway, later=later)
    for length in ("", f"&length={2 * SIZE}"):
        answer = gateway.get(f"{url}?size={SIZE}{length}&die=1{handle}")
        if answer.status == 410:
            break  # the session ended with the first one
        assert not answer.whole
        assert answer.body == content(answer.header("x-mark"), SIZE)
    if later:
        assert gateway.reason(url) == "crashed"


@pytest.mark.parametrize("length", ["", f"&length={SIZE}"], ids=["chunked", "counted"])
def test_R7_a_session_survives_a_client_that_leaves_a_large_response(gateway: Gateway, length: str) -> None:
    url, handle = begin(gateway, later=True)
    before = pipes_and_sockets(gateway)
    gate = gateway.folder / f"left-{handle[-11:]}"
    with Raw(gateway) as client:
        client.send(f"GET {url}?size={SIZE}{length}&gate={gate}{handle} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        assert client.line().startswith(b"HTTP/1.1 200 ")
    gate.touch()
    answer = gateway.get(f"{url}?size={SIZE}{length}{handle}")
    assert answer.body == content(answer.header("x-mark"), SIZE)
    wait_for("descriptors to be closed", lambda: pipes_and_sockets(gateway) <= before)


def test_the_access_log_counts_a_large_response(gateway: Gateway) -> None:
    for framing, extra in (("counted", f"&length={SIZE}"), ("chunked", "")):
        mark = f"mark=down-{framing}"
        gateway.get(f"{URL}?size={SIZE}{extra}&{mark}")
        status, size, _, sent, _ = line(gateway, "bytes.log", mark).split()[1:]
        assert (status, size) == ("200", str(SIZE))
        assert SIZE < int(sent) < SIZE + 4000


def test_the_access_log_counts_what_went_out_before_the_client_left(gateway: Gateway) -> None:
    gate = gateway.folder / "never"
    with Raw(gateway) as client:
        query = f"size={4 * SIZE}&length={4 * SIZE}&gate={gate}&mark=left"
        client.send(f"GET {URL}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = 0
        while got < SIZE:
            got += len(client.sock.recv(65536))
    size = int(line(gateway, "bytes.log", "mark=left").split()[2])
    assert SIZE - 4000 < size < 3 * SIZE


# ---- up


@pytest.mark.parametrize("later", [False, True])
def test_B3_a_large_body_is_exact_and_the_next_request_behind_it_is_another_one(
    gateway: Gateway, later: bool
) -> None:
    url, handle = begin(gateway, later=later)
    body, expected = up(SIZE)
    head = f"POST {url}?up=1{handle} HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    behind = b"GET /cgi-bin/child?echo=behind HTTP/1.1\r\nHost: x\r\n\r\n"
    with Raw(gateway) as client:
        client.send(head + body + behind)
        assert client.answer("POST").text == expected
        assert client.answer().text == "behind"
        client.send(head + body)
        assert client.answer("POST").text == expected
        assert client.request("GET /cgi-bin/child?echo=after").text == "after"


def test_a_large_body_does_not_hide_the_body_of_an_upgrade_behind_it(gateway: Gateway) -> None:
    body, expected = up(SIZE)
    head = f"POST {URL}?up=1 HTTP/1.1\r\nHost: x\r\nContent-Length: {SIZE}\r\n\r\n".encode()
    lines = (
        "POST /cgi-bin/child?body HTTP/1.1",
        "Host: x",
        "Connection: Upgrade",
        "Upgrade: x",
        "Content-Length: 5",
    )
    behind = "\r\n".join((*lines, "", "hello")).encode()
    with Raw(gateway) as client:
        client.send(head + body + behind)
        assert client.answer("POST").text == expected
        assert client.answer("POST").text == "hello"


@pytest.mark.parametrize("size", [MIB + 1, MIB + (1 << 18), 2 * MIB + 16384, 3 * MIB])
def test_B3_a_large_body_comes_whole_in_pieces_of_any_size(gateway: Gateway, size: int) -> None:
    url, handle = begin(gateway, later=True)
    body, expected = up(size)
    with Raw(gateway) as client:
        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        client.send(f"POST {url}?up=1{handle} HTTP/1.1\r\nHost: x\r\nContent-Length: {size}\r\n\r\n".encode())
        numbers, at = random.Random(size), 0
        while at < size:
            piece = body[at : at + numbers.choice((1, 1000, 70_000, 300_000))]
            client.send(piece)
            at += len(piece)
        assert client.answer("POST").text == expected


def test_a_large_body_goes_to_the_program_without_being_read(gateway: Gateway) -> None:
    body, expected = up(32 * MIB)
    before = bytes_read_and_written(gateway)
    assert gateway.post(f"{URL}?up=1", body).text == expected
    assert bytes_read_and_written(gateway) - before < 8 * MIB


def test_a_large_body_and_a_large_response_pass_a_Unix_socket(gateway: Gateway) -> None:
    body, expected = up(SIZE)
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(gateway.folder / "sock"))
    with Raw(gateway, sock) as client:
        assert client.request(f"POST {URL}?up=1", f"Content-Length: {SIZE}", body=body).text == expected
        answer = client.request(f"GET {URL}?size={SIZE}")
        assert answer.body == content(answer.header("x-mark"), SIZE)


def test_a_large_body_that_nobody_reads_is_no_obstacle(gateway: Gateway) -> None:
    before = pipes_and_sockets(gateway)
    for _ in range(3):
        assert gateway.post(f"{URL}?text=unread", bytes(SIZE)).text == "unread"
    wait_for("descriptors to be closed", lambda: pipes_and_sockets(gateway) <= before)


@pytest.mark.parametrize("later", [False, True])
def test_B3_a_client_that_leaves_in_a_large_body_ends_the_program(gateway: Gateway, later: bool) -> None:
    url, handle = begin(gateway, later=later)
    before, instances = pipes_and_sockets(gateway), len(gateway.instances())
    with Raw(gateway) as client:
        client.send(
            f"POST {url}?up=1{handle} HTTP/1.1\r\nHost: x\r\nContent-Length: {4 * SIZE}\r\n\r\n".encode()
        )
        client.send(bytes(2 * SIZE))
    wait_for("the end of the program", lambda: len(gateway.instances()) <= instances - later)
    gateway.wait_log(r"HTS011 the client left while its body was being written")
    wait_for("descriptors to be closed", lambda: pipes_and_sockets(gateway) <= before)
    if later:
        assert gateway.reason(url) == "protocol"


def test_the_access_log_counts_a_large_body(gateway: Gateway) -> None:
    gateway.post(f"{URL}?up=1&mark=up", bytes(SIZE))
    received = int(line(gateway, "bytes.log", "mark=up").split()[3])
    assert SIZE < received < SIZE + 1000
