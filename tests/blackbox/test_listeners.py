"""Several ports and Unix sockets at once, with virtual hosts by name and by port on all of them."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Answer, Gateway, free_port
from tests.blackbox.raw import Raw

DIRECTIVES = """
Listen 127.0.0.1:{second}
Listen {wild}
Listen unix:{folder}/socket
PersistentCGITimeout 90
SetEnv WHO main
<VirtualHost *:{second}>
    ServerName one.example
    SetEnv WHO one-on-second
    LimitRequestFieldSize 50
</VirtualHost>
<VirtualHost *:{second}>
    ServerName two.example
    SetEnv WHO two-on-second
</VirtualHost>
<VirtualHost *:{wild}>
    ServerName one.example
    SetEnv WHO one-on-wild
</VirtualHost>
<VirtualHost 127.0.0.2:{wild}>
    SetEnv WHO by-address
</VirtualHost>
"""
WHO = "GET /cgi-bin/child?env=WHO"


class Ports:
    """A gateway with three ports and a Unix socket."""

    def __init__(self, gateway: Gateway, second: int, wild: int, path: Path) -> None:
        self.gateway, self.second, self.wild, self.path = gateway, second, wild, path

    def get(self, address: tuple[str, int] | str, line: str, host: str = "x", *headers: str) -> Answer:
        """One request to a (host, port), or to the path of a Unix socket."""
        if isinstance(address, str):
            sock = socket.socket(socket.AF_UNIX)
            sock.connect(address)
        else:
            sock = socket.create_connection(address)
        with Raw(self.gateway, sock) as client:
            client.send("\r\n".join([f"{line} HTTP/1.1", f"Host: {host}", *headers, "", ""]).encode())
            return client.answer()


@pytest.fixture(scope="module")
def ports(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Ports:
    second, wild, folder = free_port(), free_port(), tmp_path_factory.mktemp("sockets")
    before = os.umask(0o027)
    try:
        gateway = serve_shared(DIRECTIVES.format(second=second, wild=wild, folder=folder))
    finally:
        os.umask(before)
    return Ports(gateway, second, wild, folder / "socket")


def test_hosts_are_chosen_by_port_and_by_name(ports: Ports) -> None:
    first, second, wild = (
        ("127.0.0.1", ports.gateway.port),
        ("127.0.0.1", ports.second),
        ("127.0.0.1", ports.wild),
    )
    cases = [
        (first, "one.example", "main"),
        (second, "one.example", "one-on-second"),
        (second, "two.example", "two-on-second"),
        (second, "two.example:99", "two-on-second"),
        (second, "other.example", "one-on-second"),
        (wild, "one.example", "one-on-wild"),
        (wild, "two.example", "one-on-wild"),
        (("127.0.0.2", ports.wild), "one.example", "by-address"),
    ]
    for address, host, who in cases:
        assert ports.get(address, WHO, host).text == f"WHO={who}\n", (address, host)


def test_SERVER_PORT_is_the_one_that_was_connected_to(ports: Ports) -> None:
    for port in (ports.gateway.port, ports.second, ports.wild):
        answer = ports.get(("127.0.0.1", port), "GET /cgi-bin/child?env=SERVER_PORT", "x:1")
        assert answer.text == f"SERVER_PORT={port}\n"


def test_a_port_alone_is_every_address_of_both_families(ports: Ports) -> None:
    for address in ("127.0.0.1", "127.0.0.3", "::1"):
        try:
            answer = ports.get((address, ports.wild), WHO, "one.example")
        except OSError:
            if address == "::1" and not socket.has_dualstack_ipv6():
                continue
            raise
        assert answer.text == "WHO=one-on-wild\n"


def test_limits_are_those_of_the_first_host_of_the_address(ports: Ports) -> None:
    """Before the head was read nobody knows its Host; after it nothing is measured again (as in Apache)."""
    long = "X-A: " + "x" * 60
    assert ports.get(("127.0.0.1", ports.gateway.port), WHO, "x", long).status == 200
    for host in ("one.example", "two.example"):
        assert ports.get(("127.0.0.1", ports.second), WHO, host, long).status == 431


def test_a_Unix_socket_serves_and_keeps_connections_alive(ports: Ports) -> None:
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(str(ports.path))
    with Raw(ports.gateway, sock) as client:
        for _ in range(3):
            answer = client.request("GET /cgi-bin/child?env=REMOTE_ADDR&env=REQUEST_SCHEME&env=WHO")
            assert answer.text == "REMOTE_ADDR=unix:\nREQUEST_SCHEME=http\nWHO=one-on-second\n"


def test_a_session_that_began_on_a_port_goes_on_on_the_Unix_socket(ports: Ports) -> None:
    handle, host = new_handle(), "one.example"
    first = ports.get(("127.0.0.1", ports.second), f"GET /cgi-bin/child?handle={handle}&count", host)
    assert first.text.startswith("count=1 ")
    again = ports.get(str(ports.path), f"GET /cgi-bin/child/{handle}?handle={handle}&count", host)
    assert again.text.startswith("count=2 ")


def test_the_Unix_socket_has_the_permissions_that_the_umask_leaves(ports: Ports) -> None:
    assert stat.S_IMODE(ports.path.stat().st_mode) == 0o750


@pytest.mark.needs("curl")
def test_curl_reaches_the_Unix_socket(ports: Ports) -> None:
    command = ["curl", "-sS", "--unix-socket", str(ports.path), "http://two.example/cgi-bin/child?env=WHO"]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"WHO=two-on-second\n"


def test_all_addresses_are_announced(ports: Ports) -> None:
    for address in (
        f"http://127.0.0.1:{ports.second}/",
        f"http://localhost:{ports.wild}/",
        f"unix:{ports.path}",
    ):
        assert f"serving {address}\n" in ports.gateway.output


def test_a_reload_keeps_all_listeners_and_a_stop_removes_the_Unix_socket(ports: Ports) -> None:
    ports.gateway.reload()
    assert ports.get(str(ports.path), WHO).status == 200
    assert ports.get(("127.0.0.1", ports.wild), WHO).status == 200
    assert ports.gateway.stop() == 0
    assert not ports.path.exists()
