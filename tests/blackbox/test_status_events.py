"""The status page's stream of events: how long it lasts, who gets one, and what it leaves behind."""

from __future__ import annotations

import http.client
import os
import re
import signal
import socket
import time

import pytest

from tests.blackbox.commands import Begun
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.measured import METRICS, Reading, read
from tests.blackbox.proc import descriptors, peers
from tests.blackbox.status import URL, Events, snapshot

pytestmark = pytest.mark.running

MOST = 32
DIRECTIVES = """
MaxPersistentCGI 600
MaxCGIJobs 700
CustomLog logs/access.log "%r %>s"
Timeout 1s
<Directory cgi-bin/shared>
  PersistentCGIShared On
  PersistentCGISharedSessions 600
</Directory>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(DIRECTIVES, {"shared/child": CHILD_TEXT})


def logged(gateway: Gateway) -> list[str]:
    return (gateway.folder / "logs" / "access.log").read_text().splitlines()


def connections(gateway: Gateway) -> int:
    used: int = snapshot(gateway)["limits"]["MaxConnections"]["used"]
    return used


def test_it_outlasts_the_time_outs_of_programs_and_clients(gateway: Gateway) -> None:
    events = Events(gateway)
    first = events.next("snapshot")["at"]
    events.change("three seconds", lambda data: data["at"] > first + 3)
    assert not events.ended
    events.close()


def test_one_that_leaves_is_logged_and_leaves_nothing_behind(gateway: Gateway) -> None:
    snapshot(gateway)
    (front,) = gateway.fronts()
    wait_for("the others to be gone", lambda: connections(gateway) == 1)
    before, lines = len(descriptors(front)), logged(gateway).count(f"GET {URL}?events HTTP/1.1 200")
    events = [Events(gateway) for _ in range(5)]
    for one in events:
        one.next("change")
    for one in events:
        one.close()
    wait_for("the lines", lambda: logged(gateway).count(f"GET {URL}?events HTTP/1.1 200") == lines + 5)
    wait_for("the connections to be closed", lambda: len(descriptors(front)) <= before)


def test_so_many_look_at_a_time_and_no_more_until_one_leaves(gateway: Gateway) -> None:
    events = [Events(gateway) for _ in range(MOST)]
    for one in events:
        one.next("snapshot")
    refused = gateway.get(f"{URL}?events")
    assert (refused.status, refused.header("retry-after")) == (503, "5")
    gateway.wait_log("server-status: 32 streams of events")
    assert gateway.get(URL).status == 200
    events.pop().close()

    def another() -> Events | None:
        one = Events(gateway)
        return one if one.response.status == 200 else None

    events.append(wait_for("a free place", another))
    events[-1].next("snapshot")
    for one in events:
        one.close()


def test_one_that_takes_nothing_is_dropped_and_the_others_go_on(gateway: Gateway) -> None:
    for number in range(300):
        handle = f"many-{number:03}-{'x' * 100}"
        gateway.get(f"/cgi-bin/shared/child?handle={handle}&count")
    good = Events(gateway)
    good.next("snapshot")
    with socket.socket() as lazy:
        lazy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        lazy.connect(("127.0.0.1", gateway.port))
        lazy.sendall(f"GET {URL}?events HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        name = lazy.getsockname()
        wait_for("the stream", lambda: name[1] in peers(gateway.port))
        wait_for("the end of it", lambda: name[1] not in peers(gateway.port), bound=60)
    good.next("change")
    good.close()


def test_more_sessions_than_rows_are_counted_and_listed_when_asked_for(serve: Serve) -> None:
    many = 1010
    gateway = serve(DIRECTIVES.replace(" 600", " 1200"), {"shared/child": CHILD_TEXT})
    connection = http.client.HTTPConnection("127.0.0.1", gateway.port)
    for number in range(many):
        connection.request("GET", f"/cgi-bin/shared/child?handle=many-{number}&count")
        answer = connection.getresponse()
        assert (answer.status, bool(answer.read())) == (200, True)
    connection.close()
    assert len(snapshot(gateway)["sessions"]) == many
    for query, rows in (("", 1000), ("?rows=10", 10), ("?rows=2000", many), ("?find=child&rows=1005", 1005)):
        page = gateway.get(URL + query).text
        table = page.partition('id="sessions"')[2].partition("</tbody>")[0]
        assert table.count("<tr data-key=") == rows
        assert f"{rows:,} of {many:,} shown" in page


def test_numbers_and_quantiles_are_those_of_a_known_load(serve: Serve) -> None:
    gateway = serve()
    session = Begun(gateway)
    events = Events(gateway)
    first = events.next("snapshot")
    for _ in range(10):
        assert session.call() == 200
    for _ in range(3):
        assert gateway.get("/cgi-bin/child?kill=9").status == 502
    told = events.change("all of them", lambda data: data["overview"]["starts"] == first["starts"] + 3)[
        "overview"
    ]
    assert told["requests"] == first["requests"] + 10
    wait_for("the errors", lambda: max(_drawn(gateway, "errors"), default=0) > 0)
    for _ in range(3):
        assert session.call("count&sleep=0.6") == 200  # no other call is in the column of the last of them
    highest = wait_for("the slow ones", lambda: max(_drawn(gateway, "program"), default=0) >= 0.5)
    assert highest and max(_drawn(gateway, "requests")) >= 1
    events.close()


def _drawn(gateway: Gateway, name: str) -> list[float]:
    """What the first line of a chart shows: numbers a second, or the p50 in seconds."""
    chart = gateway.get(URL).text.partition(f'data-chart="{name}"')[2].partition("</figure>")[0]
    values = re.search(r'data-values="([^"]*)"', chart)
    return [] if values is None else [float(value) for value in values[1].split(",") if value]


def test_a_reload_ends_it_and_the_next_front_takes_it_up(serve: Serve) -> None:
    gateway = serve()
    session, events = Begun(gateway), Events(gateway)
    old = events.next("snapshot")["front"]["pid"]
    gateway.reload()
    events.wait_end()
    again = Events(gateway)
    first = again.next("snapshot")
    assert first["front"]["pid"] != old
    if not first["sessions"]:
        again.change("the session", lambda data: data["sessions"])
    wait_for("the old front to leave", lambda: old not in gateway.fronts())
    assert session.call() == 200
    again.close()


def test_a_front_that_is_killed_ends_it_and_the_next_one_has_the_same_sessions(serve: Serve) -> None:
    gateway = serve()
    session, events = Begun(gateway), Events(gateway)
    (before,) = events.next("snapshot")["sessions"]
    gateway.kill_front()
    events.wait_end()
    (after,) = Events(gateway).next("snapshot")["sessions"]
    assert (after["id"], after["pid"]) == (before["id"], before["pid"]) == (before["id"], session.pid)
    assert abs(after["began"] - before["began"]) < 0.1


def test_a_stop_ends_it_at_once(serve: Serve) -> None:
    gateway = serve("GracefulShutdownTimeout 1m")
    events = Events(gateway)
    events.next("snapshot")
    os.kill(gateway.keeper, signal.SIGTERM)
    events.wait_end()
    assert gateway.wait_exit() == 0


def test_a_viewer_that_takes_nothing_does_not_hold_a_reload_up(serve: Serve) -> None:
    gateway = serve("Timeout 5m")
    (old,) = gateway.fronts()
    with gateway.connect() as lazy:
        lazy.sendall(f"GET {URL}?events HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        assert lazy.recv(100)
        gateway.reload()
        wait_for("the old front to leave", lambda: old not in gateway.fronts())


def test_without_viewers_nothing_is_looked_at(serve: Serve) -> None:
    place = "<Location /st>\nSetHandler server-status\n</Location>"
    gateway = serve(f"{METRICS}CGIActivationGroup python .py\nStartCGI 1\n{place}")
    events = Events(gateway, "/st")
    for _ in range(3):
        events.next("change")
    asked = read(gateway).of("keeper_seconds_count", "message=count_warm")
    assert asked >= 3
    events.close()
    used = "limit_used", "directive=MaxConnections"
    wait_for("the connection to be closed", lambda: read(gateway).of(*used) == 1)
    before = read(gateway)
    wait_for("three seconds", lambda: ticks(read(gateway)) >= ticks(before) + 3)
    left = read(gateway).of("keeper_seconds_count", "message=count_warm")
    assert left == before.of("keeper_seconds_count", "message=count_warm") <= asked + 3


def ticks(reading: Reading) -> float:
    """Seconds that the front has counted."""
    return reading.of("loop_lag_seconds_count")


def test_a_silent_keeper_does_not_keep_the_page_from_answering(serve: Serve) -> None:
    gateway = serve("CGIActivationGroup python .py\nStartCGI 1")
    os.kill(gateway.keeper, signal.SIGSTOP)
    try:
        began = time.monotonic()
        for _ in range(2):
            assert snapshot(gateway)["warm"][0]["wanted"] == 1
        assert time.monotonic() - began < 10
    finally:
        os.kill(gateway.keeper, signal.SIGCONT)
