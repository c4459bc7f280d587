"""Section `living`: requests to living sessions beside bare uvicorn, FastCGI servers and mod_fcgid."""

import contextlib
import tempfile
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from bench import load, programs, servers
from bench.load import Result
from bench.options import Missing, Options
from bench.peers import apache, lighttpd, nginx
from bench.programs import Program
from bench.results import LEAST, MOST, Book, Goal, in_turns
from bench.servers import SERVER_CORE
from bench.sessions import create

SESSIONS = 64
CONNECTIONS = [1, 16, 64]
_CORES = {SERVER_CORE}  # of the servers, the programs among them; the load has another
_UVICORN, _NGINX, _LIGHTTPD, _FCGID = "uvicorn", "nginx FastCGI", "lighttpd FastCGI", "mod_fcgid"
_P99_AT, _GOALS_AT = 16, (16, 64)


class Language(NamedTuple):
    """A program, the suffix of its FastCGI form, and the goals by peer."""

    program: Program
    suffix: str
    goals: dict[str, float]


_SLOWER = {_UVICORN: 0.5, _NGINX: 1.0, _FCGID: 2.5}
_LANGUAGES = [
    Language(programs.SESSION_C, "", {_UVICORN: 0.8, _NGINX: 1.0, _LIGHTTPD: 1.2, _FCGID: 3.5}),
    Language(programs.SESSION_PYTHON, ".py", _SLOWER),
    Language(programs.SESSION_PERL, ".pl", _SLOWER),
]


def run(options: Options, book: Book) -> None:
    """Alternate between all servers. Raises Missing."""
    wrk = load.find_wrk()
    print(f"requests to {SESSIONS} living sessions, each a process; servers and programs share one core")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs.write(folder)
        with servers.pages(folder, _CORES) as ours, servers.constant() as plain:
            for language in _LANGUAGES:
                if programs.present([language.program]):
                    _language(wrk, folder, ours, plain, language, options, book)


def _language(
    wrk: str, folder: Path, ours: int, plain: int, language: Language, options: Options, book: Book
) -> None:
    place = "warm" if language.suffix else "cgi-bin"  # as whoever has many sessions would run them
    sessions = [one.path for one in create(ours, place, language.program, SESSIONS)]
    with contextlib.ExitStack() as stack:
        places = {"": (ours, sessions), _UVICORN: (plain, ["/"])}
        for name, peer, path in _peers(folder, language):
            try:
                places[name] = stack.enter_context(peer()), [path]
            except Missing as missing:
                print(f"  {name}: skipped: {missing}", flush=True)
        for connections in options.connections or CONNECTIONS:
            ways = {
                name: partial(_load, wrk, folder, port, paths, connections, options.seconds)
                for name, (port, paths) in places.items()
            }
            _tell(language, connections, in_turns(ways, options.rounds), book)


def _peers(
    folder: Path, language: Language
) -> list[tuple[str, Callable[[], AbstractContextManager[int]], str]]:
    try:
        program = programs.responder(folder, language.suffix)
    except Missing as missing:
        print(f"  {language.program.label} by FastCGI: skipped: {missing}", flush=True)
        return []
    kept = folder / "pages" / f"{language.suffix.strip('.') or 'c'}.fcgi"
    kept.write_bytes((folder / "pages" / program).read_bytes())
    kept.chmod(0o755)
    found = [
        (_NGINX, partial(nginx.fastcgi, folder, _CORES, program), "/page"),
        (_LIGHTTPD, partial(lighttpd.fastcgi, folder, _CORES, program), "/page"),
        (_FCGID, partial(apache.fcgid, folder, _CORES), f"/cgi-bin/{kept.name}"),
    ]
    return [peer for peer in found if peer[0] in language.goals]


def _load(wrk: str, folder: Path, port: int, paths: list[str], connections: int, seconds: int) -> Result:
    result = load.run(wrk, folder, port, paths, connections, seconds)
    if result.errors:
        raise SystemExit(f"bench: {result.errors} answers of {paths[0]} were errors")
    return result


def _tell(language: Language, connections: int, found: dict[str, list[Result]], book: Book) -> None:
    own = found.pop("")
    work = f"{language.program.label}, {connections} connections"
    for name, results in found.items():
        bound = language.goals.get(name) if connections in _GOALS_AT else None
        goal = None if bound is None else Goal(LEAST, bound)
        book.beside(work, name, "requests/s", [one.rate for one in own], [one.rate for one in results], goal)
    if _NGINX in found and connections == _P99_AT:
        theirs = [one.p99 for one in found[_NGINX]]
        book.beside(f"{work}, p99", _NGINX, "ms", [one.p99 for one in own], theirs, Goal(MOST, 1.0))
