"""A front that stands still for longer than its time-outs: nobody who moved meanwhile is late."""

from __future__ import annotations

import fcntl
import os
import signal
import socket
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import stopped
from tests.blackbox.raw import Raw

STILL, LONGER = 2.2, 4.2  # seconds
DIRECTIVES = """
Timeout 1s
CGIScriptTimeout 3s
KeepAliveTimeout 1s
RequestReadTimeout header=1s body=1s
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(DIRECTIVES)


@contextmanager
def still(gateway: Gateway, seconds: float = STILL) -> Iterator[None]:
    """The front stands still; it goes on after what is done meanwhile, and so many seconds."""
    (front,) = gateway.fronts()
    os.kill(front, signal.SIGSTOP)
    try:
        wait_for("the front to stop", lambda: stopped(front))
        yield
        time.sleep(seconds)
    finally:
        os.kill(front, signal.SIGCONT)


@pytest.mark.parametrize("session", [True, False])
def test_T4_a_program_that_answered_meanwhile_was_in_time(gateway: Gateway, session: bool) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle)
    client = Client(gateway, f"{url if session else '/cgi-bin/child'}?handle={handle}&{gate.wait}&echo=in+time")
    with still(gateway, LONGER):
        gate.open()
    answer = client.answer()
    assert (answer.status, answer.text, answer.whole) == (200, "in time", True)
    assert gateway.get(f"{url}?handle={handle}&count").status == 200


@pytest.mark.parametrize("parts", [
    (b"GET /cgi-bin/child?echo=whole HTTP/1.1\r\n", b"Host: x\r\n\r\n"),
    (b"POST /cgi-bin/child?echo=whole HTTP/1.1\r\nHost: x\r\nContent-Length: 8\r\n\r\nhalf", b"half"),
    (b"", b"GET /cgi-bin/child?echo=whole HTTP/1.1\r\nHost: x\r\n\r\n"),
])  # fmt: skip
@pytest.mark.parametrize("kept", [False, True])
def test_a_client_that_went_on_meanwhile_was_in_time(
    gateway: Gateway, parts: tuple[bytes, bytes], *, kept: bool
) -> None:
    with Raw(gateway) as client:
        if kept:
            assert client.request("GET /cgi-bin/child?echo=first").text == "first"
        client.send(parts[0])
        with still(gateway):
            client.send(parts[1])
        answer = client.answer()
        assert (answer.status, answer.text, answer.whole) == (200, "whole", True)


def test_T4_a_client_that_took_its_page_meanwhile_was_in_time(gateway: Gateway) -> None:
    size = 8 << 20
    with Raw(gateway) as client:
        client.send(f"GET /cgi-bin/child?size={size} HTTP/1.0\r\nHost: x\r\n\r\n".encode())
        taken = len(client.sock.recv(1000))
        wait_for("a good part of the page", lambda: unread(client.sock) >= 1 << 16)
        with still(gateway):
            taken += len(client.sock.recv(1 << 16))
        while more := client.sock.recv(1 << 20):
            taken += len(more)
    assert taken > size


def unread(sock: socket.socket) -> int:
    """Bytes that have come and were not read."""
    return int.from_bytes(fcntl.ioctl(sock, termios.FIONREAD, bytes(4)), sys.byteorder)
