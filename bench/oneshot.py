"""Section `oneshot`: programs that live for one request beside all servers that execute them."""

import contextlib
import tempfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import load, programs, servers
from bench.load import Result
from bench.options import Missing, Options
from bench.peers import apache, lighttpd, nginx, uwsgi
from bench.programs import Program
from bench.results import LEAST, MOST, Book, Goal, in_turns
from bench.servers import ALL_CORES

CONNECTIONS = [1, 8, 32]
_CGID, _FASTEST = "mod_cgid", "the fastest"
_CGID_AT = 8
_PEERS: Mapping[str, Callable[[Path, set[int]], contextlib.AbstractContextManager[int]]] = {
    _CGID: apache.cgid,
    "mod_cgi": apache.cgi,
    "lighttpd": lighttpd.cgi,
    "fcgiwrap": nginx.fcgiwrap,
    "uWSGI": uwsgi.cgi,
}
_QUERY = "?name=you"  # else a form is read from stdin, which uWSGI leaves open
_WARM_UP = 2 * servers.READY  # requests: the processes that come then know the compiled script


class Work(NamedTuple):
    """A program, where the gateway has it, its goals beside the fastest of all and beside mod_cgid."""

    program: Program
    place: str
    goal: float
    beside_cgid: float | None = None


_WORKS = [
    Work(programs.C, "cgi-bin", 1.0),
    Work(programs.SHELL, "cgi-bin", 1.0),
    Work(programs.PYTHON, "warm", 5.0, 6.0),
    Work(programs.FORM, "warm", 5.0, 6.0),
    Work(programs.IMPORTS, "warm", 15.0),
    Work(programs.PERL, "warm", 1.5),
    Work(programs.CGI_PM, "warm", 1.5),
]
_P99 = Goal(MOST, 0.7)
_P99_AT = 32


def run(options: Options, book: Book) -> None:
    """Alternate between all servers. Raises Missing."""
    wrk = load.find_wrk()
    print("one-shot programs, started for each request; all servers on all cores")
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        programs.write(folder)
        ports = {"": stack.enter_context(servers.pages(folder, ALL_CORES))}
        for peer, start in _PEERS.items():
            try:
                ports[peer] = stack.enter_context(start(folder, ALL_CORES))
            except Missing as missing:
                print(f"  {peer}: skipped: {missing}", flush=True)
        present = programs.present([work.program for work in _WORKS])
        for work in _WORKS:
            if work.program in present:
                _work(wrk, folder, ports, work, options, book)


def _work(wrk: str, folder: Path, ports: dict[str, int], work: Work, options: Options, book: Book) -> None:
    paths = dict.fromkeys(ports, f"/cgi-bin/{work.program.plain}{_QUERY}")
    paths[""] = f"/{work.place}/{work.program.file}{_QUERY}"
    load.ask(ports[""], [paths[""]] * _WARM_UP)
    for connections in options.connections or CONNECTIONS:
        ways = {
            name: partial(_load, wrk, folder, port, paths[name], connections, options.seconds)
            for name, port in ports.items()
        }
        _tell(work, connections, in_turns(ways, options.rounds), book)


def _load(wrk: str, folder: Path, port: int, path: str, connections: int, seconds: int) -> Result:
    result = load.run(wrk, folder, port, [path], connections, seconds, beside=False)
    if result.errors:
        raise SystemExit(f"bench: {result.errors} answers to {path} were errors")
    return result


def _tell(work: Work, connections: int, found: dict[str, list[Result]], book: Book) -> None:
    own = found.pop("")
    name = f"{work.program.label}, {connections} at once"
    rates = [one.rate for one in own]
    rounds = list(zip(*found.values(), strict=True))
    for peer, results in found.items():
        bound = work.beside_cgid if peer == _CGID and connections == _CGID_AT else None
        goal = None if bound is None else Goal(LEAST, bound)
        book.beside(name, peer, "requests/s", rates, [one.rate for one in results], goal)
    if not rounds:
        return
    fastest = [max(one.rate for one in others) for others in rounds]
    book.beside(name, _FASTEST, "requests/s", rates, fastest, Goal(LEAST, work.goal))
    if connections == _P99_AT and work.place == "cgi-bin":
        shortest = [min(one.p99 for one in others) for others in rounds]
        book.beside(f"{name}, p99", "the shortest", "ms", [one.p99 for one in own], shortest, _P99)
