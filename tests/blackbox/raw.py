"""A client that writes bytes as they are, and reads one response after the other."""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
from types import TracebackType

from tests.blackbox.harness import BOUND, Answer, Gateway, read_answer


class _Sticky(io.BufferedReader):
    """Survives the close of each response that is read from it."""

    def close(self) -> None:
        pass


class _Source:
    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def makefile(self, mode: str) -> io.BufferedReader:
        return self._file


class Raw:
    """One connection; use it with `with`."""

    def __init__(self, gateway: Gateway, sock: socket.socket | None = None) -> None:
        self.sock = gateway.connect() if sock is None else sock
        self.sock.settimeout(BOUND)
        self._file = _Sticky(socket.SocketIO(self.sock, "r"))

    def __enter__(self) -> Raw:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.sock.close()

    def send(self, data: bytes) -> None:
        """Write; a connection that is closed meanwhile is no error here."""
        with contextlib.suppress(ConnectionError):
            self.sock.sendall(data)

    def request(self, line: str, *headers: str, body: bytes = b"") -> Answer:
        """Send a request with a Host, and read the response."""
        lines = [f"{line} HTTP/1.1", "Host: localhost", *headers]
        self.send(("\r\n".join(lines) + "\r\n\r\n").encode() + body)
        return self.answer(line.partition(" ")[0])

    def answer(self, method: str = "GET") -> Answer:
        """The next response, without `100 Continue`."""
        response = http.client.HTTPResponse(_Source(self._file), method=method)  # type: ignore[arg-type]
        response.begin()
        return read_answer(response)

    def line(self) -> bytes:
        """The next line, as it comes."""
        return self._file.readline()

    def rest(self) -> bytes:
        """What comes until the server closes, or resets."""
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while piece := self._file.read1(65536):
                received += piece
        return received


def exchange(gateway: Gateway, data: bytes) -> tuple[Answer, bytes]:
    """Send bytes on a new connection; the first response, and what follows until the server closes."""
    with Raw(gateway) as client:
        client.send(data)
        return client.answer(), client.rest()
