"""Clients that do more than ask and wait: several at a time, and ones that leave."""

from __future__ import annotations

import contextlib
import http.client
import itertools
import socket
from pathlib import Path

from tests.blackbox.conftest import CHILD_TEXT
from tests.blackbox.harness import BOUND, Answer, Gateway, read_answer, wait_for

_numbers = itertools.count(1)
_ESTABLISHED, _CLOSE_WAIT = "01", "08"  # TCP states in /proc/net/tcp


def new_handle() -> str:
    """A handle that no other test has."""
    return f"handle-{next(_numbers):04}"


class Client:
    """One request on a connection of its own: sent, and read by the server, but not yet answered."""

    def __init__(
        self, gateway: Gateway, path: str, method: str = "GET", body: bytes = b"", **headers: str
    ) -> None:
        self._gateway, self._method = gateway, method
        self._sock: socket.socket | None = gateway.connect()
        self._name = self._sock.getsockname()
        lines = [f"{method} {path} HTTP/1.1", "Host: localhost"]
        lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
        lines += [f"Content-Length: {len(body)}"] if body else []
        self._sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        wait_for("the request to arrive", lambda: self._end(self._name[1], gateway.port)[1] == 0)
        wait_for("the server to read it", lambda: self._server_end()[2] == 0)

    def answer(self) -> Answer:
        """The response, whole or cut."""
        assert self._sock is not None
        response = http.client.HTTPResponse(self._sock, method=self._method)
        try:
            response.begin()
            return read_answer(response)
        finally:
            response.close()
            self._sock.close()

    def until(self, text: bytes) -> bytes:
        """Read until this text has come; returns all that came so far."""
        assert self._sock is not None
        received = b""
        while text not in received:
            piece = self._sock.recv(65536)
            assert piece, f"the end came before {text!r}: {received!r}"
            received += piece
        return received

    def until_closed(self) -> bytes:
        """Read until the server closes the connection or resets it."""
        assert self._sock is not None
        received = b""
        with self._sock, contextlib.suppress(ConnectionResetError):
            while piece := self._sock.recv(65536):
                received += piece
        return received

    def leave(self) -> None:
        """Close the connection, and wait until the server has noticed."""
        assert self._sock is not None
        self._sock.close()
        wait_for("the server to notice", lambda: not self._server_end()[0])

    def _server_end(self) -> tuple[bool, int, int]:
        return self._end(self._gateway.port, self._name[1])

    def _end(self, local: int, remote: int) -> tuple[bool, int, int]:
        """One end of a connection: whether it is open, bytes that are on their way, and that were not read."""
        for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
            fields = line.split()
            ports = tuple(int(address.split(":")[1], 16) for address in fields[1:3])
            if ports == (local, remote) and fields[3] in (_ESTABLISHED, _CLOSE_WAIT):
                sending, unread = fields[4].split(":")
                return True, int(sending, 16), int(unread, 16)
        return False, 0, 0


def ask_unix(place: Path, path: str, *lines: str) -> Answer:
    """GET over a Unix socket, with these header lines."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(BOUND)
        sock.connect(str(place))
        head = [f"GET {path} HTTP/1.1", *(lines or ("Host: localhost",)), "Connection: close"]
        sock.sendall(("\r\n".join(head) + "\r\n\r\n").encode())
        response = http.client.HTTPResponse(sock)
        response.begin()
        return read_answer(response)


class Gate:
    """A file that holds a child back: put `wait` into its query, then `open` it."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / f"gate{next(_numbers)}"
        self.wait = f"wait={self._path}"
        self.touch = f"touch={self._path}"

    def open(self) -> None:
        """Let the child go on."""
        self._path.touch()

    @property
    def is_open(self) -> bool:
        """Whether it was opened, or touched by a child."""
        return self._path.exists()

    def wait_open(self) -> None:
        """Wait until a child with `touch` in its query was there."""
        wait_for(f"{self._path}", self._path.exists)


def own_program(gateway: Gateway, folder: str = "") -> str:
    """A child under a name of its own, for messages that come once per program; returns its URL."""
    name = f"{folder}child-{new_handle()}"
    gateway.program(name, CHILD_TEXT)
    return f"/cgi-bin/{name}"


def start_session(gateway: Gateway, handle: str, more: str = "", program: str = "/cgi-bin/child") -> str:
    """Start a session of the child by this handle; returns its URL."""
    answer = gateway.get(f"{program}?handle={handle}&{more}count")
    assert answer.status == 200
    assert answer.text.startswith("count=1 "), answer.text
    return f"{program}/{handle}"
