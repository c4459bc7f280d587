"""kill -9 of a front costs what it had in flight, and nothing else (spec 5, R4 `stopped`)."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.counting import CGI, Slow, count, ended, start, wait_drained
from tests.blackbox.harness import Gateway, wait_for


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """One gateway for the tests that need no directives of their own."""
    return serve_shared()


def test_R4_a_kill_costs_the_session_in_flight_and_no_other(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    start(gateway, "running")
    start(gateway, "resting")
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/running?handle=running&count")
    wait_drained(gateway)
    gateway.kill_front()
    assert slow.was_cut()
    assert count(gateway, "resting") == 2
    assert ended(gateway, "running") == (410, "stopped")
    gateway.wait_log("HTS007 .*child run…")


def test_a_kill_of_the_old_front_costs_only_what_it_had_in_flight(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    start(gateway, "flying")
    start(gateway, "sitting")
    wait_drained(gateway)
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/flying?handle=flying&count")
    old = gateway.fronts()[0]
    gateway.reload()
    os.kill(old, signal.SIGKILL)
    assert slow.was_cut()
    assert count(gateway, "sitting") == 2
    assert ended(gateway, "flying") == (410, "stopped")


def test_a_new_front_that_is_killed_leaves_a_gateway_that_serves(gateway: Gateway) -> None:
    start(gateway, "robust")
    wait_drained(gateway)
    old = gateway.fronts()[0]
    os.kill(gateway.keeper, signal.SIGHUP)
    new = wait_for("the new front", lambda: [pid for pid in gateway.fronts() if pid != old])[0]
    os.kill(new, signal.SIGKILL)
    gateway.wait_log(rf"front {new} was ended by SIGKILL")
    assert count(gateway, "robust") == 2
