"""A place in the shared table is given on only when no front writes there any more."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.counting import CGI, Slow, count, ended, start, wait_drained
from tests.blackbox.harness import BOUND, Gateway, wait_for

pytestmark = pytest.mark.running


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    return serve()


def test_a_front_that_is_late_writes_nothing_of_its_dead_session_over_a_living_one(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    """The old front sleeps while its program answers and exits; meanwhile a new session begins elsewhere."""
    (begun, end), query = (tmp_path / "begun", tmp_path / "end"), "handle=leaving&count"
    start(gateway, "leaving")
    program = gateway.instances()
    answer = pool.submit(gateway.get, f"{CGI}/leaving?{query}&touch={begun}&wait={end}&mark&exit=3")
    wait_for("the request to run", begun.exists)
    old = gateway.fronts()[0]
    gateway.reload()
    os.kill(old, signal.SIGSTOP)
    end.touch()
    wait_for("the program to be reaped", lambda: not set(program) & set(gateway.instances()))
    start(gateway, "arriving")
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/arriving?handle=arriving&count")
    os.kill(old, signal.SIGCONT)
    assert answer.result(BOUND).text.startswith("count=2 ")
    wait_drained(gateway)
    gateway.kill_front()
    assert slow.was_cut()
    assert ended(gateway, "arriving") == (410, "stopped")


def test_the_places_of_the_dead_are_used_again(gateway: Gateway) -> None:
    for number in range(12):
        start(gateway, f"brief-{number}")
        assert gateway.get(f"{CGI}/brief-{number}?echo=bye").text == "bye"
        gateway.get(f"{CGI}?echo=plain")
    start(gateway, "last")
    assert count(gateway, "last") == 2
