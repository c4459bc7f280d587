"""Plain programs that do not behave: what the client sees, and what becomes of them."""

from __future__ import annotations

import signal

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive, status

MIB = 1 << 20
NO_INPUT = "#!/bin/sh\nexec <&-\nprintf 'Content-Type: text/plain\\n\\nnot interested'\n"
FLOOD = """#!/usr/bin/env python3
import os, sys
line = b"e" * 65535 + (b"\\n" if "lines" in os.environ["QUERY_STRING"] else b"e")
for _ in range(256):
    os.write(2, line)
print("Content-Type: text/plain\\n\\nstill here")
"""
STUBBORN = (
    "#!/bin/sh\ntrap '' TERM\nprintf 'X-Pid: %s\\n\\n' $$\nwhile :; do printf yyyyyyyy || :; done 2>/dev/null\n"
)
LATE = "#!/bin/sh\nprintf 'Content-Length: 4\\n\\npage'\nkill -KILL $$\n"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    programs = {"no-input": NO_INPUT, "flood": FLOOD, "stubborn": STUBBORN, "late": LATE}
    return serve_shared("CGIStopGrace 100ms", programs)


@pytest.mark.parametrize("size", [10, 100_000, 8 * MIB])
def test_a_program_that_closes_its_input_is_heard_however_long_the_body_is(gateway: Gateway, size: int) -> None:
    answer = gateway.post("/cgi-bin/no-input", b"x" * size)
    assert (answer.status, answer.text) == (200, "not interested")


def test_a_program_that_answers_before_it_reads_is_heard_and_can_still_read(gateway: Gateway) -> None:
    answer = gateway.post("/cgi-bin/child?echo=first+&flush&digest", b"x" * 300_000)
    assert answer.text.startswith("first length=300000 ")


def test_a_body_that_nobody_reads_does_not_hold_the_answer_back(gateway: Gateway) -> None:
    answer = gateway.post("/cgi-bin/child?echo=done", b"x" * (8 * MIB))
    assert (answer.status, answer.text) == (200, "done")


@pytest.mark.parametrize("query", ["lines", "one-endless-line"])
def test_a_flood_on_standard_error_neither_blocks_nor_grows(gateway: Gateway, query: str) -> None:
    before = status(gateway.keeper, "VmHWM")
    answer = gateway.get(f"/cgi-bin/flood?{query}")
    assert (answer.status, answer.text) == (200, "still here\n")
    assert status(gateway.keeper, "VmHWM") - before < 8 * 1024  # KiB, of 16 MiB written


def test_a_program_that_ignores_TERM_and_writes_without_end_is_killed_when_its_client_leaves(
    gateway: Gateway,
) -> None:
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/stubborn HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = sock.recv(4096)
        pid = int(received.lower().split(b"x-pid: ")[1].split(b"\r\n")[0])
    wait_for("the program's end", lambda: not alive(pid))


@pytest.mark.parametrize("name", ["KILL", "SEGV", "TERM", "ABRT"])
def test_a_signal_before_the_header_is_502(gateway: Gateway, name: str) -> None:
    assert gateway.get(f"/cgi-bin/child?silent&stderr=before-{name}&kill={name}").status == 502
    number = getattr(signal, f"SIG{name}").value
    gateway.wait_log(rf"signal {number}\b.*before-{name}")


def test_a_signal_within_a_header_line_is_502_and_shows_nothing_of_it(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?raw=Content-Type:+text/secret%0AX-Half&flush&kill=KILL")
    assert answer.status == 502 and "secret" not in answer.text


@pytest.mark.parametrize("length", ["", "&header=Content-Length:+100"])
def test_a_signal_within_the_body_is_a_truncation_that_the_client_can_tell(
    gateway: Gateway, length: str
) -> None:
    answer = gateway.get(f"/cgi-bin/child?x{length}&echo=begun&flush&kill=KILL".replace("x&", ""))
    assert (answer.status, answer.body, answer.whole) == (200, b"begun", False)


def test_a_signal_within_the_body_is_a_reset_for_HTTP_1_0(gateway: Gateway) -> None:
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/child?echo=begun&flush&kill=SEGV HTTP/1.0\r\n\r\n")
        with pytest.raises(ConnectionResetError):
            while sock.recv(4096):
                pass


def test_a_signal_after_a_body_of_the_promised_length_does_not_matter(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/late")
    assert (answer.status, answer.body, answer.whole) == (200, b"page", True)


@pytest.mark.parametrize("length", ["3", "5"])
def test_a_wrong_Content_Length_is_seen_by_the_client_or_cut_to_size(gateway: Gateway, length: str) -> None:
    answer = gateway.get(f"/cgi-bin/child?header=Content-Length:+{length}&echo=four")
    assert answer.body == b"four"[: int(length)] and answer.whole is (length == "3")


def test_a_wrong_Content_Length_does_not_matter_for_HEAD(gateway: Gateway) -> None:
    answer = gateway.request("HEAD", "/cgi-bin/child?header=Content-Length:+9&echo=four")
    assert (answer.status, answer.header("content-length"), answer.body) == (200, "9", b"")


def test_an_answer_of_headers_only_is_an_empty_page(gateway: Gateway) -> None:
    answer = gateway.get("/cgi-bin/child?header=X-Only:+1&head")
    assert (answer.status, answer.header("x-only"), answer.body, answer.whole) == (200, "1", b"", True)
