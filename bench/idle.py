"""Section `idle`: requests to 16 active sessions while thousands more are alive, beside the same with none."""

import contextlib
import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from bench import load, programs, servers
from bench.options import Options
from bench.results import LEAST, Book, Goal, in_turns
from bench.servers import SERVER_CORE
from bench.sessions import Session, create

COUNTS = [1000, 5000]
_ACTIVE = 16
_GOAL = Goal(LEAST, 0.97)


def run(options: Options, book: Book) -> None:
    """Two gateways in turns: one with idle sessions, one without. Raises Missing."""
    wrk = load.find_wrk()
    print(f"requests to {_ACTIVE} active sessions, C, {_ACTIVE} connections, with idle ones beside them")
    counts = [options.idle] if options.idle else COUNTS
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs.write(folder)
        for count in counts:
            with _gateway(folder, count) as full, _gateway(folder, 0) as empty:
                paths = {port: [one.path for one in _sessions(port, _ACTIVE)] for port in (full, empty)}
                idle = _sessions(full, count)
                ways = {
                    name: partial(_rate, wrk, folder, port, paths[port], options.seconds)
                    for name, port in (("full", full), ("empty", empty))
                }
                found = in_turns(ways, options.rounds)
                if over := sum(not os.path.exists(f"/proc/{one.pid}") for one in idle):
                    raise SystemExit(f"bench: {over} of {count} idle sessions were over before the end")
                work = f"C, {_ACTIVE} connections, {count} idle sessions"
                book.beside(work, "none", "requests/s", found["full"], found["empty"], _GOAL)


@contextlib.contextmanager
def _gateway(folder: Path, count: int) -> Iterator[int]:
    with tempfile.TemporaryDirectory() as name:
        settings = (
            f"ScriptAlias /cgi-bin/ {folder}/pages/\n{bounds(count + _ACTIVE)}"
            "PersistentCGITimeout 1d\nMaxPersistentCGITimeout 1d\n"
        )
        with servers.gateway(Path(name), settings, {SERVER_CORE}) as port:
            yield port


def bounds(count: int) -> str:
    """Directives for so many sessions."""
    return f"MaxPersistentCGI {count}\nMaxCGIJobs {count + 100}\n"


def _sessions(port: int, count: int) -> list[Session]:
    return create(port, "cgi-bin", programs.SESSION_C, count)


def _rate(wrk: str, folder: Path, port: int, paths: list[str], seconds: int) -> float:
    result = load.run(wrk, folder, port, paths, _ACTIVE, seconds)
    if result.errors:
        raise SystemExit(f"bench: {result.errors} answers were errors")
    return result.rate
