"""Long series of warm starts and of faults among them: nothing is left behind, and everybody is answered."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.counting import wait_drained
from tests.blackbox.harness import Answer, Gateway, wait_for
from tests.blackbox.proc import status
from tests.blackbox.warm import (
    ONE,
    PROGRAMS,
    WARM,
    call,
    held,
    host,
    hosts,
    is_warm,
    keep,
    once,
    ready,
    wait_ready,
)

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600)]

ONCE, SESSIONS, CLIENTS, FAULTS = 1000, 300, 4, 60
MANY = WARM + "MaxPersistentCGI 1000\nMaxCGIJobs 2000\nCGIStopGrace 300ms\n"


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    gateway = serve(MANY, PROGRAMS)
    once(gateway)
    wait_ready(gateway)
    return gateway


def rest(gateway: Gateway) -> tuple[dict[str, int], int]:
    """Descriptors and processes when nothing runs."""
    wait_ready(gateway)
    wait_for("all programs to end", lambda: set(gateway.instances()) == {host(gateway), *ready(gateway)})
    return held(gateway), len(gateway.children())


def memory(gateway: Gateway) -> dict[str, int]:
    """Resident KiB of the processes that stay."""
    pids = {"keeper": gateway.keeper, "front": gateway.fronts()[-1], "host": host(gateway)}
    return {name: status(pid, "VmRSS") for name, pid in pids.items()}


def test_1000_warm_starts_and_300_warm_sessions_leave_nothing(gateway: Gateway) -> None:
    with ThreadPoolExecutor(CLIENTS) as clients:
        series(gateway, clients)  # what is remembered of so many sessions has its room from now on
        before, at_first = rest(gateway), memory(gateway)
        warm = host(gateway)
        series(gateway, clients)
    wait_for("the same as before", lambda: rest(gateway) == before)
    assert host(gateway) == warm and "warm host" not in gateway.log
    grown = {name: size - at_first[name] for name, size in memory(gateway).items()}
    print(grown)
    assert max(grown.values()) < 2048, grown  # a page a start would be 5,200


def series(gateway: Gateway, clients: ThreadPoolExecutor) -> None:
    """Programs that run once, then sessions that live side by side until all are ended."""
    answers = list(clients.map(lambda _: once(gateway), range(ONCE)))
    assert sum(map(is_warm, answers)) == ONCE
    assert {answer.number("count") for answer in answers} == {1}
    handles = [new_handle() for _ in range(SESSIONS)]
    sessions = list(clients.map(lambda handle: keep(gateway, handle), handles))
    assert sum(map(is_warm, sessions)) == SESSIONS
    again = list(clients.map(lambda handle: call(gateway, handle), handles))
    assert [answer.number("pid") for answer in again] == [answer.number("pid") for answer in sessions]
    list(clients.map(lambda handle: once(gateway, "", f"{ONE}/{handle}"), handles))


class Load:
    """Clients that start programs and sessions until it is over."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway, self.over = gateway, threading.Event()
        self.seen: Counter[str] = Counter()

    def client(self, number: int) -> None:
        """One after the other: a session of three calls, some programs that run once."""
        while not self.over.is_set():
            handle = new_handle()
            self.note("first", partial(keep, self.gateway, handle))
            for _ in range(2):
                self.note("later", partial(call, self.gateway, handle))
            self.note("last", partial(once, self.gateway, "", f"{ONE}/{handle}"))
            for _ in range(4):
                self.note("once", partial(once, self.gateway))

    def note(self, what: str, ask: Callable[[], Answer]) -> None:
        """Carry out one request and count what came of it."""
        try:
            answer = ask()
        except OSError:
            self.seen[f"{what} lost"] += 1
            return
        kind = ("cold", "warm")[answer.number("forked")] if answer.status == 200 and answer.whole else "failed"
        self.seen[f"{what} {answer.status} {kind}"] += 1
        self.seen["answers"] += 1

    def more(self, count: int) -> None:
        """Wait until there have been so many more answers."""
        wanted = self.seen["answers"] + count
        wait_for("answers under load", lambda: self.seen["answers"] >= wanted, 60)


@contextmanager
def loaded(gateway: Gateway) -> Iterator[Load]:
    """The load, running."""
    load = Load(gateway)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.client, number) for number in range(CLIENTS)]
        try:
            load.more(CLIENTS)
            yield load
        finally:
            load.over.set()
        for client in clients:
            client.result()
    print(dict(load.seen))


def kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def test_warm_hosts_and_ready_processes_killed_under_load(gateway: Gateway) -> None:
    """Whoever kills a process in the moment in which it is handed out kills a program; nobody else suffers."""
    chance, before = random.Random(8), rest(gateway)
    with loaded(gateway) as load:
        for _ in range(FAULTS):
            load.more(CLIENTS)
            kill(chance.choice([host(gateway), *ready(gateway)[:1]]))
    failed = sum(count for what, count in load.seen.items() if "failed" in what or "lost" in what)
    assert failed <= 2 * FAULTS and "given up" not in gateway.log
    assert is_warm(once(gateway))
    wait_for("the same as before", lambda: _sessions_ended(gateway) and rest(gateway) == before, 60)


def test_warm_hosts_that_stand_still_under_load(gateway: Gateway) -> None:
    before = rest(gateway)
    with loaded(gateway) as load:
        for _ in range(5):
            warm = host(gateway)
            os.kill(warm, signal.SIGSTOP)
            load.more(40)
            os.kill(warm, signal.SIGCONT)
            load.more(20)
    assert not [what for what in load.seen if "failed" in what or "lost" in what], load.seen
    wait_for("the same as before", lambda: _sessions_ended(gateway) and rest(gateway) == before, 60)


def test_reloads_under_load_of_warm_starts(gateway: Gateway) -> None:
    with loaded(gateway) as load:
        for _ in range(FAULTS // 2):
            load.more(CLIENTS)
            gateway.reload()
    assert not [what for what in load.seen if "failed" in what or "lost" in what], load.seen
    wait_drained(gateway)
    assert is_warm(once(gateway)) and len(hosts(gateway)) == 1
    wait_for("nothing else", lambda: _sessions_ended(gateway) and len(gateway.instances()) == 3)


def test_killed_fronts_under_load_of_warm_starts(gateway: Gateway) -> None:
    with loaded(gateway) as load:
        for _ in range(FAULTS // 3):
            load.more(CLIENTS)
            gateway.kill_front()
    wait_drained(gateway)
    wait_ready(gateway)
    assert is_warm(once(gateway)) and len(hosts(gateway)) == 1
    # a session whose first response was cut lives on, unknown to anybody, until it times out
    most = 3 + FAULTS // 3 * CLIENTS
    wait_for("the programs to end", lambda: len(gateway.instances()) <= most)
    gateway.reload()
    gateway.stop()
    assert "Traceback" not in gateway.log


def _sessions_ended(gateway: Gateway) -> bool:
    return len(gateway.instances()) <= 3
