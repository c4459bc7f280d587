"""Section `memory`: what an idle session takes, its process and the gateway's own share told apart."""

import os
import tempfile
from pathlib import Path

import psutil

from bench import programs, servers
from bench.options import Missing, Options
from bench.programs import Program
from bench.results import MOST, Book, Goal
from bench.servers import ALL_CORES
from bench.sessions import call, create, end, warm_up

_KIB = 1024
_WORKS = [
    (programs.SESSION_C, "cgi-bin", 0.12),
    (programs.SESSION_PYTHON, "warm", 1.1),
    (programs.PYTHON_COUNTER, "warm", 1.3),
    (programs.SESSION_PERL, "warm", 0.55),
    (programs.PERL_COUNTER, "warm", None),
    (programs.C_COUNTER, "warm", None),
]
_SHARE = Goal(MOST, 20.0)


def run(options: Options, book: Book) -> None:
    """Hold sessions that have answered twice, and read what processes take (Pss). Raises Missing."""
    if not os.path.exists("/proc/self/smaps_rollup"):
        raise Missing("/proc/PID/smaps_rollup is missing (Linux 4.14 has it)")
    print(f"memory of an idle session, mean of {options.sessions}: proportional (Pss)")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs.write(folder)
        with servers.pages(folder, ALL_CORES) as port:
            present = programs.present([program for program, _, _ in _WORKS])
            for program, place, bound in _WORKS:
                if program in present:
                    _tell(port, program, place, options.sessions, bound, book)


def _tell(port: int, program: Program, place: str, count: int, bound: float | None, book: Book) -> None:
    warm_up(port, program, place)
    end(port, call(port, create(port, place, program, count)))  # the gateway's own memory has grown before
    before = _own()
    made = call(port, create(port, place, program, count))
    share = (_own() - before) / count
    figures = [_pss(session.pid) for session in made]
    end(port, made)
    goal = None if bound is None else Goal(MOST, bound)
    book.alone(f"{program.label}, idle session", "MiB", [sum(figures) / count / _KIB], goal)
    book.alone(f"{program.label}, front and keeper for each", "KiB", [share], _SHARE)


def _own() -> float:
    """Of the gateway's own two processes, in KiB."""
    keeper = next(one for one in psutil.Process().children() if "gateway" in " ".join(one.cmdline()))
    fronts = [one for one in keeper.children() if "gateway.front" in " ".join(one.cmdline())]
    return sum(_pss(process.pid) for process in (keeper, *fronts))


def _pss(pid: int) -> int:
    """Proportional memory in KiB (proc(5), smaps)."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1])
    raise SystemExit(f"bench: /proc/{pid}/smaps_rollup has no Pss")
