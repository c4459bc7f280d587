"""Section `sessions`: sessions created in a second, warm and cold; how they are made and ended for others."""

import re
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import load, programs, servers
from bench.options import Options
from bench.programs import Program
from bench.results import Book, in_turns
from bench.servers import ALL_CORES

# The counters' pages, and those of session.*: the way on and the process
_PAGES = [
    re.compile(r'process (?P<pid>\d+).*href="(?P<path>[^"?]+/[\w-]{20,})"', re.DOTALL),
    re.compile(r"<p>(?P<handle>[\w-]{20,})<p>0*(?P<pid>\d+)"),
]
_TIMEOUT = 30.0


class Session(NamedTuple):
    """Its URL path and its process."""

    path: str
    pid: int


def run(options: Options, book: Book) -> None:
    """Create sessions one after another, end them, in turns cold and warm. Raises Missing."""
    load.leave_the_servers_core()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"sessions created in a second, one after another, {options.sessions} of them")
        programs.write(folder)
        found = programs.present([programs.PYTHON_COUNTER, programs.PERL_COUNTER, programs.C_COUNTER])
        with servers.pages(folder, ALL_CORES) as port:
            for program in found:
                warm_up(port, program, "warm")
                ways = {way: partial(_rate, port, way, program, options.sessions) for way in ("warm", "cold")}
                rates = in_turns(ways, options.rounds)
                book.beside(f"{program.label}, warm", "cold", "sessions/s", rates["warm"], rates["cold"])


def _rate(port: int, way: str, program: Program, count: int) -> float:
    begin = time.perf_counter()
    made = create(port, way, program, count)
    rate = count / (time.perf_counter() - begin)
    end(port, made)
    return rate


def warm_up(port: int, program: Program, way: str) -> None:
    """More warm starts than there are hosts ready: those that come know what the first ones have told."""
    end(port, create(port, way, program, 2 * servers.READY))


def create(port: int, way: str, program: Program, count: int) -> list[Session]:
    """Start so many sessions."""
    path = f"/{way}/{program.file}"
    return [_session(page, path) for page in load.ask(port, [path] * count)]


def call(port: int, sessions: list[Session]) -> list[Session]:
    """Call each once more; the sessions as their newest pages name them."""
    pages = load.ask(port, [session.path for session in sessions])
    return [
        _session(page, session.path.rpartition("/")[0]) for page, session in zip(pages, sessions, strict=True)
    ]


def end(port: int, sessions: list[Session]) -> None:
    """Let each end itself, and wait until their processes are gone."""
    load.ask(port, [f"{session.path}?end" for session in sessions])
    bound = time.monotonic() + _TIMEOUT
    while any(Path(f"/proc/{session.pid}").exists() for session in sessions) and time.monotonic() < bound:
        time.sleep(0.01)


def _session(page: str, path: str) -> Session:
    for pattern in _PAGES:
        if found := pattern.search(page):
            fields = found.groupdict()
            return Session(fields.get("path") or f"{path}/{fields['handle']}", int(fields["pid"]))
    raise SystemExit(f"bench: this is no page of a session:\n{page}")
