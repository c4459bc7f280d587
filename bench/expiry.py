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
_TOUCH = 2  # seconds in which all are called once more
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
            load.run(wrk, folder, port, [one.path for one in made], 16, _TOUCH)
            _watch(port, made, time.monotonic() + timeout - _TOUCH, book)


def _watch(port: int, made: list[Session], begin: float, book: Book) -> None:
    load.leave_the_servers_core()
    processes = {session.pid for session in made}
    while time.monotonic() < begin:
        time.sleep(_PAUSE)
    whole, last, late = len(processes), begin, []
    first = last
    client = http.client.HTTPConnection("127.0.0.1", port)
    while processes and time.monotonic() < begin + _BOUND:
        late.append(_small(client))
        if len(late) % _LOOK == 0:
            processes = {pid for pid in processes if os.path.exists(f"/proc/{pid}")}
            first = last if len(processes) == whole else first
            last = time.monotonic()
        time.sleep(_PAUSE)
    late.sort()
    if processes:
        raise SystemExit(f"bench: {len(processes)} processes of {len(made)} are still there")
    work = f"{len(made)} sessions time out"
    book.alone(f"{work}: from the first to the last that is reaped", "s", [last - first], _REAPED)
    book.alone(f"{work}: p99 of a small file meanwhile", "ms", [late[int(0.99 * len(late))] * 1000], _LATE)


def _small(client: http.client.HTTPConnection) -> float:
    begin = time.perf_counter()
    client.request("GET", "/small.txt")
    client.getresponse().read()
    return time.perf_counter() - begin
