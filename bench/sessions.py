"""Section `sessions`: sessions created in a second, warm and cold; how they are made and ended for others."""

import re
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from bench import load, programs, servers
from bench.options import Options, spread
from bench.programs import Program

_LINK = re.compile(r'href="([^"?]+/[\w-]{20,})"')
_PROCESS = re.compile(r"process (\d+)")
_TIMEOUT = 30.0


class Session(NamedTuple):
    """Its URL path and its process."""

    path: str
    pid: int


def run(options: Options) -> None:
    """Create sessions one after another, end them, in turns cold and warm."""
    load.leave_the_servers_core()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        print(f"sessions created in a second, one after another, {options.sessions} of them")
        programs.write(folder)
        wanted = [programs.PYTHON_COUNTER, programs.PERL_COUNTER, programs.C_COUNTER]
        found = programs.present(folder, wanted)
        with servers.hosted(folder) as port:
            for program in found:
                _compare(port, program, options)


def _compare(port: int, program: Program, options: Options) -> None:
    rates: dict[str, list[float]] = {"cold": [], "warm": []}
    warm_up(port, program)
    for _ in range(options.rounds):
        for way, found in rates.items():
            begin = time.perf_counter()
            made = create(port, way, program, options.sessions)
            found.append(len(made) / (time.perf_counter() - begin))
            end(port, made)
    ratios = [warm / cold for warm, cold in zip(rates["warm"], rates["cold"], strict=True)]
    told = "  ".join(f"{way} {spread(figures):18}" for way, figures in rates.items())
    print(f"  {program.label:18}: {told}  warm/cold {spread(ratios, 1)}", flush=True)


def warm_up(port: int, program: Program) -> None:
    """More warm starts than there are hosts ready: those that come know what the first ones have told."""
    end(port, create(port, "warm", program, 2 * servers.READY))


def create(port: int, way: str, program: Program, count: int) -> list[Session]:
    """Start so many sessions."""
    return [_session(page) for page in load.ask(port, [f"/{way}/{program.file}"] * count)]


def call(port: int, sessions: list[Session]) -> list[Session]:
    """Call each once more; the sessions as their newest pages name them."""
    return [_session(page) for page in load.ask(port, [session.path for session in sessions])]


def end(port: int, sessions: list[Session]) -> None:
    """Let each end itself, and wait until their processes are gone."""
    load.ask(port, [f"{session.path}?end" for session in sessions])
    bound = time.monotonic() + _TIMEOUT
    while any(Path(f"/proc/{session.pid}").exists() for session in sessions) and time.monotonic() < bound:
        time.sleep(0.01)


def _session(page: str) -> Session:
    link, process = _LINK.search(page), _PROCESS.search(page)
    if link is None or process is None:
        raise SystemExit(f"bench: this is no page of a session:\n{page}")
    return Session(link[1], int(process[1]))
