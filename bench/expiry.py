"""Section `expiry`: thousands of sessions that time out in the same second."""

import http.client
import os
import tempfile
import time
from pathlib import Path

from bench import load, programs, servers
from bench.idle import bounds
from bench.options import Options
from bench.results import MOST, Book, Goal
from bench.servers import ALL_CORES
from bench.sessions import Session, create

SESSIONS = 5000
_SLOWEST = 40  # sessions that begin in a second: all are there before the first times out
_SHORTEST = 15  # seconds
_TOUCH = 2  # seconds in which all are called once more, where the machine is fast enough
_REAPED, _LATE = Goal(MOST, 5.0), Goal(MOST, 50.0)
_PAUSE = 0.005  # seconds between two requests for a small file
_LOOK = 20  # requests between two looks at the processes
_BOUND = 60.0


def run(options: Options, book: Book) -> None:
    """What a small file takes meanwhile is an upper bound for the lag of the event loop. Raises Missing."""
    wrk, count = load.find_wrk(), options.idle or SESSIONS
    timeout = max(_SHORTEST, count // _SLOWEST)
    print(f"{count} sessions, C, that time out together")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs.write(folder)
        (folder / "files").mkdir()
        (folder / "files" / "small.txt").write_text("small\n")
        settings = (
            f"DocumentRoot files\nScriptAlias /cgi-bin/ {folder}/pages/\nPersistentCGITimeout {timeout}\n"
            f"{bounds(count)}"
        )
        with servers.gateway(folder, settings, ALL_CORES) as port:
            made = create(port, "cgi-bin", programs.SESSION_C, count)
            apart = _touch(wrk, folder, port, made)
            print(f"  the last calls of all lie within {apart:.1f} s")
            _watch(port, made, time.monotonic() + timeout - apart - 1, book)


def _touch(wrk: str, folder: Path, port: int, made: list[Session]) -> float:
    """Call all in turn, at least once; in how many seconds the last calls of all came."""
    paths, seconds = [one.path for one in made], _TOUCH
    while (result := load.run(wrk, folder, port, paths, 16, seconds)).rate * seconds < len(made):
        seconds *= 2
    if result.errors:
        raise SystemExit(f"bench: {result.errors} answers were errors")
    return len(made) / result.rate


def _watch(port: int, made: list[Session], begin: float, book: Book) -> None:
    """From `begin` on, before the first is over: when that is seen, what a file takes until the last is."""
    load.leave_the_servers_core()
    time.sleep(max(0.0, begin - time.monotonic()))
    processes = _alive({session.pid for session in made})
    if len(processes) < len(made):
        raise SystemExit(f"bench: {len(made) - len(processes)} of {len(made)} sessions were over too early")
    first = last = time.monotonic()
    late: list[float] = []
    client = http.client.HTTPConnection("127.0.0.1", port)
    while processes and time.monotonic() < begin + _BOUND:
        late += [_small(client) for _ in range(_LOOK)]
        processes = _alive(processes)
        last = time.monotonic()
        if len(processes) == len(made):
            first, late = last, []
    late.sort()
    if processes:
        raise SystemExit(f"bench: {len(processes)} processes of {len(made)} are still there")
    work = f"{len(made)} sessions time out"
    book.alone(f"{work}: first to last reaped", "s", [last - first], _REAPED)
    book.alone(f"{work}: p99 of a small file meanwhile", "ms", [late[int(0.99 * len(late))] * 1000], _LATE)


def _small(client: http.client.HTTPConnection) -> float:
    time.sleep(_PAUSE)
    begin = time.perf_counter()
    client.request("GET", "/small.txt")
    client.getresponse().read()
    return time.perf_counter() - begin


def _alive(processes: set[int]) -> set[int]:
    return {pid for pid in processes if os.path.exists(f"/proc/{pid}")}
