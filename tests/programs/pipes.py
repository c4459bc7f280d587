"""The gateway's side of the pipe protocol, just enough of it to drive one program in a test."""

import os
import select
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self

from gateway.protocol import scgi

ROOT = Path(__file__).resolve().parents[2]
HOST = ROOT / "gateway" / "hosts" / "python.py"
PERL_HOST = ROOT / "gateway" / "hosts" / "perl.pl"
HELPERS = ROOT / "gateway" / "helpers"
MARK = "0123456789abcdef0123456789abcdef"
BOUND = 30.0
GET = {
    "REQUEST_METHOD": "GET",
    "QUERY_STRING": "",
    "SCRIPT_NAME": "/cgi-bin/program",
    "HTSESSION_TIMEOUT": "300",
}
OFFER = "offered-handle"


class Response(NamedTuple):
    """What came on standard output, without the end mark; `marked` tells if there was one."""

    output: bytes
    marked: bool

    @property
    def body(self) -> str:
        """The text behind the header block."""
        return self.output.decode().partition("\n\n")[2]


class Program:
    """A process with stdin, stdout, stderr and a request pipe. It is killed at the end of the `with` block."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        variables: Mapping[str, str] | None = None,
        body: bytes = b"",
        directory: Path | None = None,
        ahead: bool = False,
    ) -> None:
        """Start with a first request in the environment, or (P11) with none if `ahead`."""
        self._writers: list[threading.Thread] = []
        self._broken = False
        requests, self._requests = os.pipe()
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115
        first = {} if ahead else request(variables, body)
        lasting = {"PATH": os.environ["PATH"], "HTSESSION_FD": str(requests), "HTSESSION_LIB": str(HELPERS)}
        own = {**lasting, "HTSESSION_END": MARK, **({"HTSESSION_FIRST": "frame"} if ahead else {})}
        stdin, self._stdin = os.pipe()
        self.process = subprocess.Popen(
            argv, stdin=stdin, stdout=subprocess.PIPE, stderr=self._errors, cwd=directory,
            env={**own, **first}, pass_fds=[requests], bufsize=0,
        )  # fmt: skip
        os.close(requests)
        os.close(stdin)
        self._write_all(self._stdin, body, close=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.kill()
        self.process.wait()
        self.close()
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._errors.close()

    def call(self, variables: Mapping[str, str] | None = None, body: bytes = b"", mark: str = MARK) -> Response:
        """Send a request on the request pipe and return the response to it."""
        pairs = {os.fsencode(name): os.fsencode(value) for name, value in request(variables, body).items()}
        self.send(scgi.encode(pairs, len(body), mark.encode()) + body)
        return self.response()

    def send(self, data: bytes) -> None:
        """Put bytes on the request pipe while the program may already answer."""
        self._write_all(self._requests, data, close=False)

    def send_now(self, data: bytes) -> None:
        """Put a few bytes on the request pipe, in one piece."""
        assert os.write(self._requests, data) == len(data)

    def took_first_body(self) -> bool:
        """Wait until nothing is left to write on standard input; true if the program has read on to the end."""
        self._writers[0].join(BOUND)
        return not self._writers[0].is_alive() and not self._broken

    def response(self) -> Response:
        """Read standard output until the end mark or end of file."""
        assert self.process.stdout is not None
        descriptor, output, end = self.process.stdout.fileno(), bytearray(), b"\4%s\n" % MARK.encode()
        while not output.endswith(end):
            assert select.select([descriptor], [], [], BOUND)[0], f"no answer; so far {bytes(output[:500])!r}"
            part = os.read(descriptor, 1 << 16)
            if not part:
                return Response(bytes(output), marked=False)
            output += part
        return Response(bytes(output[: -len(end)]), marked=True)

    def close(self) -> None:
        """End of file on the request pipe (P8)."""
        for writer in self._writers:
            writer.join(BOUND)
        if self._requests >= 0:
            os.close(self._requests)
            self._requests = -1

    def end(self) -> int:
        """Close the request pipe and return the exit status."""
        self.close()
        return self.process.wait(BOUND)

    def stderr(self) -> str:
        """What the program has written to standard error."""
        self._errors.seek(0)
        return self._errors.read().decode()

    def _write_all(self, descriptor: int, data: bytes, *, close: bool) -> None:
        def run() -> None:
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(descriptor, view) :]
            except BrokenPipeError:
                self._broken = True
            if close:
                os.close(descriptor)

        self._writers.append(threading.Thread(target=run, daemon=True))
        self._writers[-1].start()


def request(variables: Mapping[str, str] | None, body: bytes) -> dict[str, str]:
    """The variables of a request with this body; GET or POST unless `variables` say so."""
    posted = {"REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body))} if body else {}
    return {**GET, "HTSESSION_NEXT_HANDLE": OFFER, **posted, **(variables or {})}


def hosted(
    folder: Path,
    source: str,
    variables: Mapping[str, str] | None = None,
    body: bytes = b"",
    ahead: bool = False,
    host: Path = HOST,
) -> Program:
    """`source` as a script under a host that is written in the script's own language, python or perl."""
    script = folder / f"script{host.suffix}"
    script.write_text(source, encoding="utf-8")
    interpreter = "perl" if host == PERL_HOST else sys.executable
    return Program([interpreter, host, script], variables, body, folder, ahead)
