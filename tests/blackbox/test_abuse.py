"""One client misbehaves, others are served rightly all the while; how fast tells `bench/abuse.py`."""

from __future__ import annotations

import http.client
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bench.attacks import ADMITTED
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, ROOT, Answer, Gateway, read_answer, wait_for
from tests.blackbox.test_fault_series import COUNTER

pytestmark = [pytest.mark.faults, pytest.mark.timeout(300), pytest.mark.needs("perl")]

PROGRAM, PLAIN = "/cgi-bin/counter", "/cgi-bin/child?echo=plain"
OTHERS, REQUESTS = 4, 100
ATTACKS = ["sessions", "guesses", "drips", "idle", "crowd", "headers"]  # of bench/attacks.py
SEVERAL = {"sessions": 6, "guesses": 6}  # attackers at once
MOST = 10
DIRECTIVES = f"""
MaxPersistentCGI 40
MaxPersistentCGIPerClient {MOST}
PersistentCGIClientRate 5/second 20
PersistentCGITimeout 600
MaxConnections {ADMITTED}
RequestReadTimeout header=3 body=3
"""


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    return serve(DIRECTIVES, {"counter": COUNTER})


class Other:
    """A client from an address of its own, with a session whose pages count."""

    def __init__(self, gateway: Gateway, number: int) -> None:
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", gateway.port, timeout=BOUND, source_address=(f"127.0.1.{number}", 0)
        )
        self.count, self.handle = 0, ""

    def get(self, path: str) -> Answer:
        try:
            self.connection.request("GET", path)
            answer = read_answer(self.connection.getresponse())
        except (
            http.client.RemoteDisconnected,
            BrokenPipeError,
        ):  # kept open for too long: a browser asks again
            self.connection.close()
            self.connection.request("GET", path)
            answer = read_answer(self.connection.getresponse())
        assert answer.status == 200, answer
        return answer

    def go_on(self) -> None:
        count, handle = self.get(f"{PROGRAM}/{self.handle}" if self.handle else PROGRAM).text.split()
        self.count += 1
        assert (int(count), handle) == (self.count, self.handle or handle)
        self.handle = handle


@contextmanager
def attacked(gateway: Gateway, name: str) -> Iterator[None]:
    """Somebody attacks, from before this yields until it is over."""
    command = [sys.executable, "-m", "bench.attacks", name, str(gateway.port), PROGRAM]
    attackers = [
        subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(SEVERAL.get(name, 1))
    ]
    try:
        for attacker in attackers:
            assert attacker.stdout is not None
            assert attacker.stdout.readline() == "begun\n"
        yield
    finally:
        for attacker in attackers:
            attacker.terminate()
        told = [attacker.communicate(timeout=60)[0] for attacker in attackers]
    assert all(int(count) > 1 for count in told), "an attack did not last"


@pytest.mark.parametrize("name", ATTACKS)
def test_others_are_served_rightly_while_one_client_misbehaves(gateway: Gateway, name: str) -> None:
    others = [Other(gateway, number) for number in range(1, OTHERS + 1)]
    for other in others:
        other.go_on()
    with attacked(gateway, name):
        for turn in range(REQUESTS):
            for other in others:
                other.go_on()
            if turn % 10 == 0:
                assert Other(gateway, 100 + turn).get(PLAIN).text == "plain", "a newcomer"
        late = Other(gateway, 99)
        late.go_on()
        late.go_on()
    assert all(other.count == REQUESTS + 1 for other in others)
    kept = len(gateway.instances())
    assert OTHERS + 1 <= kept <= OTHERS + 1 + MOST, "more than the attacker may have is left"
    assert not re.search("Traceback|IllegalTransition", gateway.log)


def test_who_holds_all_connections_gives_way_to_others(serve: Serve) -> None:
    """5,000 connections that say nothing, above MaxConnections: those of the greedy address are closed."""
    gateway = serve(f"{DIRECTIVES}\nMaxConnections 4096\nRequestReadTimeout header=300", {"counter": COUNTER})
    with attacked(gateway, "idle"):
        gateway.wait_log("MaxConnections 4096 reached")
        for number in range(1, 200):
            assert Other(gateway, number).get(PLAIN).text == "plain"
    wait_for("room", lambda: gateway.get(PLAIN).text == "plain")


def test_one_client_does_not_take_the_place_of_others_sessions(gateway: Gateway) -> None:
    with attacked(gateway, "sessions"):
        gateway.wait_log(
            "HTS003 MaxPersistentCGIPerClient is reached|HTS003 PersistentCGIClientRate is reached"
        )
        for number in range(1, 20):
            other = Other(gateway, number)
            other.go_on()
            other.go_on()
    assert "HTS003 MaxPersistentCGI is reached" not in gateway.log
