"""Section `first`: the first page of a new session beside a one-shot program in lighttpd, one after another."""

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import load, programs, servers
from bench.options import Options
from bench.peers import lighttpd
from bench.programs import Program
from bench.results import MOST, Book, Goal, in_turns
from bench.servers import ALL_CORES
from bench.sessions import create, end

_AT_ONCE = 40  # first pages a round


class Work(NamedTuple):
    """A program that begins a session, where the gateway has it, and the goal for its time."""

    program: Program
    place: str
    goal: float


_WORKS = [
    Work(programs.SESSION_C, "cgi-bin", 1.1),
    Work(programs.SESSION_PYTHON, "warm", 0.2),
]


def run(options: Options, book: Book) -> None:
    """Both in turns; sessions are ended, and their processes gone, before the next turn. Raises Missing."""
    load.leave_the_servers_core()
    print("the first page of a new session, mean of", _AT_ONCE)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs.write(folder)
        with servers.pages(folder, ALL_CORES) as ours, lighttpd.cgi(folder, ALL_CORES) as theirs:
            for work in _WORKS:
                ways = {
                    "": partial(_begin, ours, work),
                    "lighttpd": partial(_pages, theirs, f"/cgi-bin/{work.program.plain}"),
                }
                for way in ways.values():
                    way()
                found = in_turns(ways, options.rounds)
                label = f"{work.program.label}, first page"
                book.beside(
                    label, "lighttpd, one-shot", "ms", found[""], found["lighttpd"], Goal(MOST, work.goal)
                )


def _begin(port: int, work: Work) -> float:
    """Milliseconds for the first page of a session."""
    began = time.perf_counter()
    made = create(port, work.place, work.program, _AT_ONCE)
    took = time.perf_counter() - began
    end(port, made)
    return took / _AT_ONCE * 1000


def _pages(port: int, path: str) -> float:
    """Milliseconds for a page."""
    began = time.perf_counter()
    load.ask(port, [path] * _AT_ONCE)
    return (time.perf_counter() - began) / _AT_ONCE * 1000
