"""The history of the last seconds, in memory that outlives fronts."""

from __future__ import annotations

import os
import signal
import time

import pytest

from gateway.measure.series import Sample, together
from tests.blackbox.clients import Client, Gate, new_handle, start_session
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.measured import METRICS, seconds_of

pytestmark = pytest.mark.running

CHILD = "/cgi-bin/child"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(METRICS)


def total(gateway: Gateway) -> Sample:
    """Everything that has happened, as one sample."""
    return together(wait_for("a second", lambda: seconds_of(gateway)))


def after(gateway: Gateway, requests: int) -> Sample:
    """The same, when so many requests stand in it."""
    return wait_for(f"{requests} requests", lambda: _enough(total(gateway), requests))


def _enough(sample: Sample, requests: int) -> Sample | None:
    assert sample.requests <= requests, "something was counted twice"
    return sample if sample.requests == requests else None


def test_each_second_counts_requests_sessions_starts_errors_and_what_they_took(gateway: Gateway) -> None:
    before = total(gateway)
    url = start_session(gateway, handle := new_handle())
    gateway.get(f"{url}?handle={handle}&sleep=0.3")
    for path in (f"{CHILD}?status=503", f"{CHILD}?exit=1", f"{CHILD}?status=404", "/none"):
        gateway.get(path)
    now = after(gateway, before.requests + 6)
    assert now.created == before.created + 1
    assert now.starts == before.starts + 4
    assert now.errors == before.errors + 2
    assert sum(now.program) == sum(now.gateway) == sum(before.program) + 5
    slow = slice(10, None)  # buckets from 0.25 s on
    assert sum(now.program[slow]) > sum(before.program[slow])
    wait_for("the session alone", lambda: seconds_of(gateway)[-1][2:4] == (1, 1))


def test_who_waits_is_in_it_and_the_label_is_the_wall_clock(gateway: Gateway) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle)
    running = Client(gateway, f"{url}?handle={handle}&{gate.wait}")
    waiting = Client(gateway, f"{url}?handle={handle}")
    wait_for("somebody to wait", lambda: seconds_of(gateway)[-1].queue == 1)
    assert abs(seconds_of(gateway)[-1].at - time.time()) < 15
    gate.open()
    assert [client.answer().status for client in (running, waiting)] == [200, 200]
    wait_for("nobody to wait", lambda: seconds_of(gateway)[-1].queue == 0)


def visit(gateway: Gateway, url: str, times: int) -> None:
    for _ in range(times):
        assert gateway.get(f"{url}?handle={url.rpartition('/')[2]}&count").number("count") > 1


def test_requests_all_through_three_reloads_are_counted_once_and_what_was_written_stays(serve: Serve) -> None:
    """A front that drains writes no more: of each reload the request is missing that ran when it began."""
    gateway = serve(METRICS)
    url, count, reloads = start_session(gateway, new_handle()), 1, 3
    for done in range(1, reloads + 1):
        os.kill(gateway.keeper, signal.SIGHUP)
        while gateway.log.count(" serves") <= done:
            visit(gateway, url, 1)
            count += 1
    past = seconds_of(gateway)
    wait_for("what is under way", lambda: len(seconds_of(gateway)) > len(past) + 1)
    now = seconds_of(gateway)
    assert [one[1:] for one in now[: len(past)]] == [one[1:] for one in past]
    assert count - reloads <= total(gateway).requests <= count
    assert (total(gateway).created, now[-1].sessions) == (1, 1)


def test_after_a_crash_of_the_front_the_series_goes_on_behind_a_gap(serve: Serve) -> None:
    gateway = serve(METRICS)
    url, count = start_session(gateway, new_handle()), 1
    for _ in range(2):
        visit(gateway, url, 5)
        count += 5
        past = after(gateway, count)
        gateway.kill_front()
        assert total(gateway)[4:] == past[4:], "what was written is gone"
    visit(gateway, url, 2)
    after(gateway, count + 2)
    now = seconds_of(gateway)
    assert now[-1].sessions == 1
    assert sum(one.span for one in now) < now[-1].at - now[0].at + now[0].span
    assert all(one.span > 0.4 for one in now)


def test_a_front_whose_settings_do_not_want_it_writes_nothing_and_loses_nothing(serve: Serve) -> None:
    gateway = serve(METRICS)
    gateway.get("/none")
    past = after(gateway, 1)
    gateway.configure("<Location /server-status>\nSetHandler None\n</Location>")
    gateway.reload()
    gateway.get("/none")
    gateway.configure(METRICS)
    gateway.reload()
    gateway.get("/none")
    assert after(gateway, 2).errors == past.errors
