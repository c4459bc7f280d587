"""One looping program in each language, on its library alone."""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import pytest

from gateway.protocol import scgi
from tests.programs.pipes import BOUND, HELPERS, MARK, Program, request

PROGRAMS = Path(__file__).parent / "programs"
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Werror", "-O2"]
SANITIZED = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-O0"]


class Language(NamedTuple):
    """How programs in a language are run, from a source file beside their library."""

    name: str
    tool: str
    ending: str
    library: str
    options: tuple[str, ...] = ()
    compiled: bool = False

    def command(self, source: Path) -> list[str | Path]:
        """What runs the program; a compiled one is built beside its source first."""
        if not self.compiled:
            return [sys.executable if self.name == "python" else self.tool, source]
        program = source.with_suffix(".cgi")
        subprocess.run([self.tool, *self.options, "-o", program, source], check=True)
        return [program]


LANGUAGES = {
    language.name: language
    for language in (
        Language("python", "python3", ".py", "htsession.py"),
        Language("perl", "perl", ".pl", "HTSession.pm"),
        Language("bash", "bash", ".bash", "htsession.bash"),
        Language("c", "gcc", ".c", "htsession.h", ("-std=c99", *STRICT), True),
        Language("c++", "g++", ".c", "htsession.h", ("-xc++", "-std=c++17", *STRICT, *SANITIZED), True),
    )
}
ALL = [pytest.param(name, marks=pytest.mark.needs(language.tool)) for name, language in LANGUAGES.items()]


class Looper:
    """The program `looper` of one language."""

    def __init__(self, language: Language, folder: Path) -> None:
        """Put the program, its library and nothing else into a folder."""
        source = folder / f"looper{language.ending}"
        for file in (PROGRAMS / source.name, HELPERS / language.library):
            shutil.copy(file, folder)
        self.language = language
        self.folder = folder
        self.command = language.command(source)

    def start(self, verb: str = "count", argument: str = "", body: bytes = b"", **variables: str) -> Program:
        """A process whose first request says `verb`."""
        return Program(self.command, asking(verb, argument, **variables), body)

    def alone(self, verb: str, body: bytes) -> subprocess.CompletedProcess[bytes]:
        """Run it as a plain CGI server does, without a variable of this gateway."""
        variables = {"PATH": os.environ["PATH"], "REQUEST_METHOD": "POST", "CONTENT_LENGTH": str(len(body))}
        return subprocess.run(
            self.command,
            env=asking(verb, **variables),
            input=body,
            capture_output=True,
            timeout=BOUND,
            check=True,
        )

    def ahead(self) -> Program:
        """A process that waits for its first request on the request pipe (P11)."""
        return Program(self.command, ahead=True)


def asking(verb: str, argument: str = "", **variables: str) -> dict[str, str]:
    """The variables of a request that says `verb`."""
    return {"QUERY_STRING": verb, "HTTP_X_ARGUMENT": argument, **variables}


def frame(variables: dict[str, str], body: bytes = b"", mark: str = MARK) -> bytes:
    """A whole request as it comes on the request pipe."""
    pairs = {os.fsencode(name): os.fsencode(value) for name, value in request(variables, body).items()}
    return scgi.encode(pairs, len(body), mark.encode()) + body


def example(library: str) -> str:
    """The program in a library's opening comment: what is indented by four blanks in it."""
    lines: list[str] = []
    for line in (HELPERS / library).read_text(encoding="utf-8").splitlines():
        text = re.sub(r"^(#| \*) ?", "", line)
        if text.startswith("    ") or (lines and not text):
            lines.append(text[4:])
        elif lines:
            break
    return "\n".join(lines)


def counts(program: Program) -> None:
    """The program does what an example does: counts its visits, says nothing else and ends well."""
    head = b"Accept-HTSession: offered-handle\nContent-Type: text/plain\n\n"
    for number in range(1, 4):
        response = program.call(body=bytes(100_000)) if number > 1 else program.response()
        assert response == (head + b"visit %d\n" % number, True)
    assert program.end() == 0
    assert program.response() == (b"", False)
    assert program.stderr() == ""


def wait_until_asleep(pid: int) -> None:
    """Wait until a process has nothing to do but wait for its next byte."""
    until = time.monotonic() + BOUND
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "S":
        assert time.monotonic() < until
        time.sleep(0.001)


@pytest.fixture(params=ALL, scope="session")
def looper(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Looper:
    """The looping program, in each language."""
    return Looper(LANGUAGES[request.param], tmp_path_factory.mktemp("looper"))
