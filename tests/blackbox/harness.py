"""A real gateway on a free port, with programs and a directives file made for one test."""

from __future__ import annotations

import contextlib
import functools
import http.client
import itertools
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from tests.blackbox.proc import children, started

BOUND = 30.0  # seconds after which an awaited event counts as missing
T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[2]
# `make lanes` runs tests through the other way of a request; last, as tests know the numbers of lines
SESSION_LANE = f"SessionLane {os.environ['SESSION_LANE']}\n" if "SESSION_LANE" in os.environ else ""


def wait_for(what: str, probe: Callable[[], T | None], bound: float = BOUND) -> T:
    """The first true value of `probe`; fails when none comes within the bound."""
    end = time.monotonic() + bound
    while True:
        value = probe()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited {bound} s for {what}")
        time.sleep(0.01)  # between two looks at the world outside; nothing depends on its length


@dataclass
class Answer:
    """A response: header names in lower case, repeated ones kept apart."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes
    whole: bool = True

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        return next((value for key, value in self.fields if key == name.lower()), None)

    @property
    def text(self) -> str:
        """The body as UTF-8."""
        return self.body.decode()

    def number(self, name: str) -> int:
        """The number behind `name=` in the body."""
        found = re.search(rf"{name}=(\d+)", self.text)
        assert found, self.text
        return int(found[1])


def free_port() -> int:
    """A TCP port on the loopback that nobody has: below those that the kernel gives to clients, and from a
    range of this process's own, so that test processes side by side do not meet."""
    for port in _own_ports():
        if not _taken(port):
            return port
    raise AssertionError("no port is free")


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


@functools.cache
def _own_ports() -> Iterator[int]:
    """200 ports in turn. They are this process's as long as it holds the abstract socket of their name."""
    for first in range(10_000, 30_000, 200):
        with contextlib.suppress(OSError):
            _claim.bind(f"\0ports-of-tests-{first}")
            return itertools.cycle(range(first, first + 200))
    raise AssertionError("a hundred test processes at once")


_claim = socket.socket(socket.AF_UNIX)


class Gateway:
    """`directives` are added to a plain file; `programs` are written executable into cgi-bin."""

    by_command = False  # start it by `gateway serve`, not as the keeper that this becomes

    def __init__(self, folder: Path, directives: str = "", programs: dict[str, str] | None = None) -> None:
        self.folder, self.port = folder, free_port()
        self.cgi_bin, self.htdocs = folder / "cgi-bin", folder / "htdocs"
        for place in (self.cgi_bin, self.htdocs, folder / "conf", folder / "logs"):
            place.mkdir(parents=True, exist_ok=True)
        self.log_file = folder / "logs" / "error.log"
        self.conf = folder / "conf" / "gateway.conf"
        for name, text in (programs or {}).items():
            self.program(name, text)
        self.configure(directives)
        self.prefix: list[str] = []  # a command that starts the gateway as another user, within limits, …
        self._process: subprocess.Popen[bytes] | None = None

    # ---- before and while it runs

    def program(self, name: str, text: str) -> Path:
        """Write an executable file into cgi-bin."""
        path = self.cgi_bin / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(path.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
        return path

    def configure(self, directives: str) -> None:
        """Write the directives file anew; what tests say of line numbers counts from the top."""
        lane = "" if "SessionLane" in directives else SESSION_LANE
        self.conf.write_text(
            f"Listen 127.0.0.1:{self.port}\nDocumentRoot htdocs\nScriptAlias /cgi-bin/ cgi-bin/\n"
            f"ErrorLog logs/error.log\nLogLevel debug\nCGIStopGrace 500ms\n"
            f"{directives}\n{lane}"
        )

    def start(self) -> Gateway:
        """Start and wait until it serves."""
        environment = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
        # to compile everything anew would double the time of a start
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        with open(self.folder / "output", "ab") as output:
            self._process = subprocess.Popen(
                [*self.prefix, sys.executable, "-m", *self._arguments()],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, cwd=self.folder,
            )  # fmt: skip
        wait_for("the gateway to serve", self._serves)
        return self

    def _arguments(self) -> list[str]:
        """The command reads the directives file for its notices, a third of the time of a start, and becomes
        the keeper: only what the command itself says needs it."""
        if self.by_command:
            return ["gateway", "serve", str(self.conf)]
        return ["gateway.keeper", str(self.folder / "state"), str(self.conf)]

    def _serves(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"the gateway ended: {self.output}{self.log}")
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0 and " serves" in self.output + self.log

    @property
    def keeper(self) -> int:
        """The keeper's pid."""
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        """What the command printed."""
        return (self.folder / "output").read_text()

    @property
    def log(self) -> str:
        """The error log so far, what the keeper wrote before it was configured included."""
        return self.output + (self.log_file.read_text(errors="replace") if self.log_file.exists() else "")

    def wait_log(self, pattern: str) -> re.Match[str]:
        """Wait until the error log matches."""
        return wait_for(f"{pattern!r} in the log", lambda: re.search(pattern, self.log))

    def children(self) -> dict[int, str]:
        """The keeper's children: pid -> command line."""
        found = {}
        for pid in children(self.keeper):
            try:
                words = Path(f"/proc/{pid}/cmdline").read_bytes()
                found[pid] = words.replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
        return found

    def fronts(self) -> list[int]:
        """The pids of the front processes, oldest first."""
        return sorted(
            (pid for pid, command in self.children().items() if "gateway.front" in command), key=started
        )

    def instances(self) -> list[int]:
        """The pids of the running programs."""
        return sorted(pid for pid, command in self.children().items() if " -m gateway." not in command)

    def reload(self) -> None:
        """HUP, and wait until another front serves."""
        count = self.log.count(" serves")
        os.kill(self.keeper, signal.SIGHUP)
        wait_for("the new front", lambda: self.log.count(" serves") > count)

    def kill_front(self) -> None:
        """kill -9 of the newest front, and wait until another one serves."""
        count = self.log.count(" serves")
        os.kill(self.fronts()[-1], signal.SIGKILL)
        wait_for("the new front", lambda: self.log.count(" serves") > count)

    def stop(self) -> int:
        """TERM, and wait for the exit status."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.terminate()
        return self._process.wait(BOUND)

    def wait_exit(self) -> int:
        """Wait until the gateway has ended by itself."""
        assert self._process is not None
        return self._process.wait(BOUND)

    # ---- requests

    def get(self, path: str, **headers: str) -> Answer:
        """GET with these headers (underscores become dashes)."""
        return self.request("GET", path, headers=headers)

    def reason(self, path: str) -> str | None:
        """Why the handle of a URL is retired (R4)."""
        answer = self.get(path)
        assert answer.status in (410, 503), answer
        return answer.header("x-htsession-ended")

    def post(self, path: str, body: bytes, **headers: str) -> Answer:
        """POST with Content-Length."""
        return self.request("POST", path, body, headers=headers)

    def request(
        self, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """One request on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BOUND)
        try:
            named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
            connection.request(method, path, body, named)
            return read_answer(connection.getresponse())
        finally:
            connection.close()

    def send_chunked(self, path: str, pieces: Iterable[bytes]) -> Answer:
        """POST with a chunked body."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=BOUND)
        try:
            try:
                connection.request("POST", path, iter(pieces), encode_chunked=True)
            except (BrokenPipeError, ConnectionResetError):
                pass  # answered and closed before the whole body was taken
            return read_answer(connection.getresponse())
        finally:
            connection.close()

    def raw(self, data: bytes) -> bytes:
        """Send bytes, half-close nothing, read until the server closes (send Connection: close)."""
        with self.connect() as sock:
            sock.sendall(data)
            received = b""
            while piece := sock.recv(65536):
                received += piece
            return received

    def connect(self) -> socket.socket:
        """An open connection with a time-out."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=BOUND)


def read_answer(response: http.client.HTTPResponse) -> Answer:
    """The whole response; `whole` is False when the connection was cut."""
    fields = [(name.lower(), value) for name, value in response.getheaders()]
    try:
        return Answer(response.status, fields, response.read())
    except http.client.IncompleteRead as error:
        return Answer(response.status, fields, error.partial, whole=False)
    except ConnectionError:
        return Answer(response.status, fields, b"", whole=False)
