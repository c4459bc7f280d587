"""A small page takes one write; what a program writes much of takes few."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.blackbox.raw import Raw

TIMES = 10  # two writes would come together by chance once or twice


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared()


def packet(gateway: Gateway, line: str, *headers: str) -> bytes:
    """What the first read of an answer gives."""
    with Raw(gateway) as client:
        client.send("\r\n".join((line, "Host: x", *headers, "", "")).encode())
        return client.sock.recv(1 << 20)


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_head_of_a_page_and_its_beginning_come_together(gateway: Gateway, version: str) -> None:
    for _ in range(TIMES):
        found = packet(gateway, f"GET /cgi-bin/child?echo=page HTTP/{version}")
        assert b"page" in found.partition(b"\r\n\r\n")[2], found


def test_a_head_without_a_page_comes_before_the_page_does(gateway: Gateway, tmp_path: Path) -> None:
    with Raw(gateway) as client:
        path = f"/cgi-bin/child?head&flush&wait={tmp_path}/go&echo=page"
        client.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        found = client.sock.recv(1 << 20)
        assert found.startswith(b"HTTP/1.1 200 ") and b"page" not in found
        (tmp_path / "go").touch()
        while b"page" not in found:
            more = client.sock.recv(1 << 20)
            assert more, found
            found += more


def test_a_head_alone_answers_HEAD_whatever_the_page(gateway: Gateway) -> None:
    with Raw(gateway) as client:
        for query in ("echo=page", "header=Location:+/cgi-bin/child%3Fecho%3Dpage&head"):
            answer = client.request(f"HEAD /cgi-bin/child?{query}")
            assert (answer.status, answer.body) == (200, b"")


def test_a_page_of_many_pipes_comes_whole(gateway: Gateway) -> None:
    size = 5_000_000
    found = gateway.get(f"/cgi-bin/child?size={size}").body
    assert len(found) == size and not found.strip(b"x")
