"""Long series of faults under load: nothing is lost but what was in flight (spec 5, T2)."""

from __future__ import annotations

import http.client
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for

pytestmark = [pytest.mark.faults, pytest.mark.timeout(600), pytest.mark.needs("perl")]

SESSIONS, CLIENTS, FAULTS = 200, 4, 100
PACE = 0.01  # seconds between two requests of a client: a load that leaves the processors some room
MANY = "MaxPersistentCGI 1000\nMaxCGIJobs 2000\nPersistentCGIQueueTimeout 60s\nPersistentCGILookupLimit 0"

COUNTER = r"""#!/usr/bin/perl
# Counts its calls; with ?rotate under a new handle each time.
use strict;
$| = 1;
open(my $requests, '<&=', $ENV{HTSESSION_FD}) or die;
my ($end, $count, $handle, %call) = ($ENV{HTSESSION_END}, 0, '', %ENV);
while (1) {
    $handle = $call{HTSESSION_NEXT_HANDLE} if !$count++ || $call{QUERY_STRING} eq 'rotate';
    print "Accept-HTSession: $handle\nContent-Type: text/plain\n\n$count $handle\n\4$end\n";
    my ($size, $frame, $byte) = ('', '');
    while (sysread($requests, $byte, 1) && $byte ne ':') { $size .= $byte }
    exit if $size eq '';
    while (length $frame <= $size) {
        sysread($requests, $frame, $size + 1 - length $frame, length $frame) or exit;
    }
    %call = split /\0/, substr($frame, 0, -2), -1;
    exit if $call{HTSESSION_END} ne $end;
}
"""


@dataclass
class Known:
    """What a client knows of its session; `cut`: the last request was not answered whole."""

    query: str
    handle: str = ""
    count: int = 0
    cut: bool = False
    answered: float = 0.0

    @property
    def url(self) -> str:
        return (
            f"/cgi-bin/counter/{self.handle}?{self.query}" if self.count else f"/cgi-bin/counter?{self.query}"
        )

    def lost(self) -> None:
        self.handle, self.count, self.cut = "", 0, False


class Load:
    """Clients that call their sessions in turn until the series is over, and check every answer."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.sessions = [Known("rotate" if number % 2 else "keep") for number in range(SESSIONS)]
        self.figures: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.over = threading.Event()

    def client(self, number: int) -> None:
        """One client, with every CLIENTS-th session."""
        mine = self.sessions[number::CLIENTS]
        while not self.over.is_set():
            for session in mine:
                self.visit(session)
                if self.over.wait(PACE):
                    return

    def visit(self, session: Known) -> None:
        """One request, judged."""
        try:
            answer = self.gateway.get(session.url)
        except ConnectionRefusedError:
            self.figures["refused"] += 1
            return
        except (OSError, http.client.HTTPException):
            answer = None
        if answer is None or not answer.whole:
            session.cut = True
            self.figures["cut"] += 1
            self.figures["first response cut"] += not session.count
            return
        self.figures["answers"] += 1
        if answer.status == 200:
            self._counted(session, *answer.text.split())
        else:
            self._refused(session, answer.status, answer.header("x-htsession-ended"))

    def _counted(self, session: Known, count: str, handle: str) -> None:
        # A request that was cut may have been answered, only that nobody saw it (R7).
        if session.count and int(count) - session.count not in ((1, 2) if session.cut else (1,)):
            self.wrong.append(f"{session} answered {count}")
        session.handle, session.count, session.cut = handle, int(count), False
        session.answered = time.monotonic()

    def _refused(self, session: Known, status: int, reason: str | None) -> None:
        if (status, reason) != (410, "stopped") or not session.cut:
            self.wrong.append(f"{session}: {status} {reason}")
        self.figures["lost in flight"] += 1
        session.lost()

    def wait_visits(self, count: int) -> None:
        """Until the clients have had so many more answers."""
        wanted = self.figures["answers"] + count
        wait_for("answers under load", lambda: self.figures["answers"] >= wanted or self.wrong, 60)


@contextmanager
def loaded(gateway: Gateway) -> Iterator[Load]:
    """The load, running; at the end every session is called once more."""
    load = Load(gateway)
    with ThreadPoolExecutor(CLIENTS) as pool:
        clients = [pool.submit(load.client, number) for number in range(CLIENTS)]
        try:
            wait_for("all sessions", lambda: all(known.count for known in load.sessions) or load.wrong, 60)
            yield load
        finally:
            load.over.set()
        for client in clients:
            client.result()
    for session in load.sessions:
        load.visit(session)
    print(dict(load.figures))
    assert load.wrong == []


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    return serve(MANY, {"counter": COUNTER})


def test_100_reloads_under_load_lose_nothing_and_refuse_nobody(gateway: Gateway) -> None:
    with loaded(gateway) as load:
        before = gateway.instances()
        for _ in range(FAULTS):
            load.wait_visits(CLIENTS)
            gateway.reload()
    assert gateway.instances() == before and len(before) == SESSIONS
    assert load.figures["cut"] == load.figures["refused"] == 0
    assert load.figures["lost in flight"] == 0


def test_100_kills_under_load_lose_only_what_was_in_flight(gateway: Gateway) -> None:
    with loaded(gateway) as load:
        for _ in range(FAULTS):
            load.wait_visits(CLIENTS)
            gateway.kill_front()
    assert load.figures["refused"] == 0
    assert load.figures["lost in flight"] <= load.figures["cut"] <= FAULTS * CLIENTS
    living = sum(session.count > 0 for session in load.sessions)
    # A session whose first response was cut lives on, unknown to anybody, until it times out.
    most = living + load.figures["first response cut"]
    wait_for("one process a session", lambda: living <= len(gateway.instances()) <= most)


def test_T2_a_request_that_comes_when_the_session_expires(serve: Serve) -> None:
    gateway = serve(MANY + "\nPersistentCGITimeout 400ms", {"counter": COUNTER})
    chance, outcomes = random.Random(1), Counter[str]()

    def one(_: int) -> None:
        session, load = Known("keep"), Load(gateway)
        load.visit(session)
        while session.count:
            until = session.answered + 0.4 + chance.uniform(-0.02, 0.01)
            threading.Event().wait(max(0.0, until - time.monotonic()))
            answer = gateway.get(session.url)
            outcomes[f"{answer.status} {answer.header('x-htsession-ended')}"] += 1
            if answer.status != 200:
                return
            load._counted(session, *answer.text.split())
            assert load.wrong == []

    with ThreadPoolExecutor(64) as pool:
        list(pool.map(one, range(400)))
    print(dict(outcomes))
    assert set(outcomes) == {"200 None", "410 timed-out"}
    assert outcomes["410 timed-out"] == 400
    wait_for("all instances to end", lambda: not gateway.instances())
