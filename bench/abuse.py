"""Section `abuse`: how long others wait while one client misbehaves, beside how long they wait without."""

import contextlib
import http.client
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import programs, servers
from bench.attacks import ADMITTED, ATTACKS
from bench.load import leave_the_servers_core
from bench.options import Options
from bench.results import MOST, Book, Goal
from bench.servers import SERVER_CORE

PROGRAM = f"/cgi-bin/{programs.SESSION_C.file}"
DIRECTIVES = (
    "MaxPersistentCGIPerClient 20\nPersistentCGIClientRate 10/second 20\nKeepAliveTimeout 60\n"
    f"MaxConnections {ADMITTED}\n"
)
BYSTANDERS = 4
PAUSE = 0.001  # seconds between two requests
TIMES = 2  # as long as another measurement: of few requests the slowest hundredth says little
GOAL = Goal(MOST, 2.0)
_NOISY = 5  # attackers of these names, one process each
_SEVERAL = ("sessions", "guesses")


def run(options: Options, book: Book) -> None:
    """Alternate between calm and each attack. Raises Missing."""
    leave_the_servers_core()
    seconds = TIMES * options.seconds
    print(f"{BYSTANDERS} clients with living sessions while another client misbehaves")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        programs.write(folder)
        with servers.pages(folder, {SERVER_CORE}, DIRECTIVES) as port:
            others = [_Bystander(port) for _ in range(BYSTANDERS)]
            for attack in ATTACKS:
                calm, troubled = [], []
                for _ in range(options.rounds):
                    calm.append(_p99(others, seconds))
                    with _attack(attack, port):
                        troubled.append(_p99(others, seconds))
                book.beside(f"p99 while one client misbehaves: {attack}", "calm", "ms", troubled, calm, GOAL)
            for other in others:
                other.close()


class _Bystander:
    """A client with a session of its own, whose pages count."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._path, self._count = PROGRAM, 0
        self._path = f"{PROGRAM}/{self._ask()[1]}"

    def wait(self) -> float:
        """Milliseconds of one request."""
        began = time.perf_counter()
        count, _ = self._ask()
        if count != self._count:
            raise SystemExit(f"bench: a session counted to {count} instead of {self._count}")
        return (time.perf_counter() - began) * 1000

    def _ask(self) -> tuple[int, str]:
        self._connection.request("GET", self._path)
        answer = self._connection.getresponse()
        found = re.search(rb"<title>(\d+)</title><p>([\w-]+)<p>", answer.read())
        if found is None:
            raise SystemExit(f"bench: a living session was answered with {answer.status}")
        self._count += 1
        return int(found[1]), found[2].decode()

    def close(self) -> None:
        """Leave."""
        self._connection.close()


def _p99(others: list[_Bystander], seconds: int) -> float:
    waits, end = [], time.monotonic() + seconds
    while time.monotonic() < end:
        for other in others:
            waits.append(other.wait())
            time.sleep(PAUSE)
    return statistics.quantiles(waits, n=100)[-1]


@contextlib.contextmanager
def _attack(name: str, port: int) -> Iterator[None]:
    """The attack, under way."""
    command = [sys.executable, "-m", "bench.attacks", name, str(port), PROGRAM]
    count = _NOISY if name in _SEVERAL else 1
    running = [
        subprocess.Popen(command, cwd=servers.ROOT, stdout=subprocess.PIPE, env=os.environ)
        for _ in range(count)
    ]
    try:
        for process in running:
            assert process.stdout is not None
            if process.stdout.readline() != b"begun\n":
                raise SystemExit(f"bench: the attack {name} did not begin")
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.communicate()
