"""Reload and crash of the front are one case: sessions live on, connections are not refused (spec 5)."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import Client, Gate
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import CGI, Slow, count, ended, start, wait_drained
from tests.blackbox.harness import BOUND, Gateway, free_port, read_answer, wait_for

pytestmark = pytest.mark.running


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """One gateway for the tests that need no directives of their own."""
    return serve_shared()


# ---- what a reload keeps


def test_reload_keeps_sessions_and_their_counts(gateway: Gateway) -> None:
    for number in range(5):
        start(gateway, f"keep{number}")
    gateway.reload()
    assert [count(gateway, f"keep{number}") for number in range(5)] == [2] * 5
    gateway.reload()
    assert [count(gateway, f"keep{number}") for number in range(5)] == [3] * 5


def test_idle_sessions_go_to_the_new_front_at_once(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    start(gateway, "idle")
    wait_drained(gateway)
    slow = Slow(gateway, pool, tmp_path, CGI)
    old = gateway.fronts()[0]
    gateway.reload()
    os.kill(old, signal.SIGSTOP)
    try:
        assert count(gateway, "idle") == 2
    finally:
        os.kill(old, signal.SIGCONT)
    assert slow.finish().status == 200


def test_R5_a_busy_session_is_reached_as_soon_as_its_request_has_ended(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    start(gateway, "busy")
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/busy?handle=busy&count")
    gateway.reload()
    parked = [pool.submit(count, gateway, "busy") for _ in range(3)]
    assert not any(future.done() for future in parked)
    assert slow.finish().text.startswith("count=2 ")
    assert sorted(future.result(BOUND) for future in parked) == [3, 4, 5]
    assert count(gateway, "busy") == 6


def test_R5_a_parked_request_waits_no_longer_than_the_queue_timeout(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    gateway = serve("PersistentCGIQueueTimeout 300ms")
    start(gateway, "busy")
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/busy?handle=busy&count")
    gateway.reload()
    answer = gateway.get(f"{CGI}/busy?handle=busy&count")
    assert answer.status == 503 and answer.header("retry-after") is not None
    assert slow.finish().status == 200
    assert count(gateway, "busy") == 3


def test_T1_the_session_clock_goes_on_over_a_reload(serve: Serve) -> None:
    gateway = serve("PersistentCGITimeout 1s")
    start(gateway, "shortlived")
    gateway.reload()
    gateway.wait_log(r"HTS002 .*child shor")
    assert ended(gateway, "shortlived") == (410, "timed-out")


def test_R4_retired_handles_are_known_after_a_reload_and_a_crash(gateway: Gateway) -> None:
    start(gateway, "over")
    assert gateway.get(f"{CGI}/over?echo=bye").text == "bye"
    start(gateway, "old")
    gateway.get(f"{CGI}/old?handle=newer")
    for again in (gateway.reload, gateway.kill_front, gateway.reload):
        again()
        assert ended(gateway, "over") == (410, "ended")
        assert ended(gateway, "old") == (410, "replaced")
    assert count(gateway, "newer") == 3


def test_R7_a_lost_response_is_still_known_as_lost_after_a_reload(gateway: Gateway, tmp_path: Path) -> None:
    start(gateway, "seen")
    go, done = tmp_path / "go", tmp_path / "done"
    with gateway.connect() as client:
        query = f"handle=unseen&touch={done}&wait={go}&count"
        client.sendall(f"GET {CGI}/seen?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        wait_for("the program to run", done.exists)
    go.touch()
    gateway.reload()
    answer = gateway.get(f"{CGI}/seen?handle=seen&env=HTSESSION_RETRY&count")
    assert answer.text.startswith("HTSESSION_RETRY=1\ncount=3 ")


def test_R7_a_response_that_was_not_lost_after_all_is_known_as_such_after_a_reload(
    serve: Serve, tmp_path: Path
) -> None:
    gateway = serve("PersistentCGIPreviousHandles 1")
    start(gateway, "older")
    done = tmp_path / "done"
    with gateway.connect() as client:
        query = f"handle=newer&count&touch={done}"
        client.sendall(f"GET {CGI}/older?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        client.shutdown(socket.SHUT_RDWR)
    wait_for("the program", done.exists)
    again = gateway.get(f"{CGI}/newer?handle=older&count")
    assert again.text.startswith("count=3 ")
    gateway.reload()
    answer = gateway.get(f"{CGI}/older?handle=newer&env=HTSESSION_RETRY&env=HTSESSION_STALE&count")
    assert answer.text.startswith("HTSESSION_RETRY=<absent>\nHTSESSION_STALE=1\ncount=4 ")


@pytest.mark.parametrize("lane", ["On", "Off"])
def test_R7_a_client_that_leaves_while_the_keeper_is_asked_for_a_new_handle_has_lost_the_response(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path, lane: str
) -> None:
    gateway = serve(f"SessionLane {lane}")
    start(gateway, "held")
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/held?handle=held&count")
    gateway.reload()  # and the old front stays
    start(gateway, "seen")
    running, gate, written = Gate(tmp_path), Gate(tmp_path), Gate(tmp_path)
    query = f"handle=unseen&{running.touch}&{gate.wait}&count&mark&nomark&{written.touch}"
    client = Client(gateway, f"{CGI}/seen?{query}")
    running.wait_open()
    os.kill(gateway.keeper, signal.SIGSTOP)
    try:
        gate.open()
        written.wait_open()
        client.leave()
    finally:
        os.kill(gateway.keeper, signal.SIGCONT)
    answer = gateway.get(f"{CGI}/seen?handle=seen&env=HTSESSION_RETRY&count")
    assert answer.text.startswith("HTSESSION_RETRY=1\ncount=3 ")
    assert slow.finish().text.startswith("count=2 ")


def test_R4_sessions_of_a_vanished_cgi_name_end(serve: Serve) -> None:
    gateway = serve(programs={"vanishing": CHILD_TEXT})
    start(gateway, "lost", program="/cgi-bin/vanishing")
    start(gateway, "kept")
    pids = gateway.instances()
    (gateway.cgi_bin / "vanishing").unlink()
    gateway.reload()
    gateway.wait_log(r"HTS006 its cgi-name is gone after a reload: /cgi-bin/vanishing")
    assert count(gateway, "kept") == 2
    wait_for("the instance to end", lambda: len(gateway.instances()) == len(pids) - 1)
    assert ended(gateway, "lost", "/cgi-bin/vanishing") == (410, "ended")
    assert "The administrator of this server closed it." in gateway.get("/cgi-bin/vanishing/lost").text
    assert gateway.get("/cgi-bin/vanishing").status == 404
    assert gateway.get("/cgi-bin/vanishing/other").status == 404


# ---- the directives file


def test_a_broken_file_leaves_the_old_front_serving(serve: Serve) -> None:
    gateway = serve()
    start(gateway, "abc")
    front, good = gateway.fronts(), gateway.conf.read_text()
    gateway.conf.write_text(good + "PersistentCGITimeuot 5\n")
    line = good.count("\n") + 1
    os.kill(gateway.keeper, signal.SIGHUP)
    gateway.wait_log(rf"gateway\.conf:{line}: .*PersistentCGITimeuot")
    gateway.wait_log("the old settings stay")
    wait_for("the new front to end", lambda: gateway.fronts() == front)
    assert count(gateway, "abc") == 2
    gateway.conf.write_text(good)
    gateway.reload()
    assert count(gateway, "abc") == 3


def test_Listen_new_addresses_open_and_removed_ones_close(serve: Serve) -> None:
    gateway, second = serve(), free_port()
    first = gateway.port
    start(gateway, "abc")
    gateway.configure(f"Listen 127.0.0.1:{second}")
    gateway.reload()
    assert count(gateway, "abc") == 2
    gateway.port = second
    assert count(gateway, "abc") == 3
    gateway.configure("")
    gateway.reload()
    wait_drained(gateway)
    assert count(gateway, "abc") == 4
    gateway.port = first
    with pytest.raises(ConnectionRefusedError):
        gateway.get("/")


# ---- the old front


def test_an_old_connection_still_reaches_its_session_and_is_closed(gateway: Gateway) -> None:
    start(gateway, "alive")
    client = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=BOUND)
    client.request("GET", f"{CGI}/alive?handle=alive&count")
    assert read_answer(client.getresponse()).text.startswith("count=2 ")
    gateway.reload()
    client.request("GET", f"{CGI}/alive?handle=alive&count")
    answer = read_answer(client.getresponse())
    assert answer.text.startswith("count=3 ")
    assert answer.header("connection") == "close"
    assert count(gateway, "alive") == 4
    client.close()


def test_no_connection_is_refused_in_reloads_under_load(gateway: Gateway, pool: ThreadPoolExecutor) -> None:
    over = threading.Event()

    def client(number: int) -> int:
        start(gateway, f"load{number}")
        calls = 1
        while not over.is_set():
            calls += 1
            assert count(gateway, f"load{number}") == calls
        return calls

    clients = [pool.submit(client, number) for number in range(4)]
    for _ in range(3):
        gateway.reload()
        wait_drained(gateway)
    over.set()
    assert all(future.result(BOUND) > 3 for future in clients)


def test_H4_a_handle_of_the_old_front_is_taken_for_the_new_one(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    start(gateway, "mine")
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/mine?handle=mine&count")
    gateway.reload()
    assert gateway.get(f"{CGI}?handle=mine&count").text.startswith("count=1 ")
    gateway.wait_log("HTS001 .*child mi")
    assert slow.finish().text.startswith("count=2 ")
    assert count(gateway, "mine") == 3


def test_H4_a_handle_of_the_new_front_is_taken_for_the_old_one(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    gateway = serve()
    slow = Slow(gateway, pool, tmp_path, f"{CGI}?handle=mine")  # its head is not yet written
    gateway.reload()
    start(gateway, "mine")
    assert slow.finish().status == 200
    gateway.wait_log("HTS001 .*child mi")
    assert count(gateway, "mine") == 2


def test_L1_the_limit_holds_over_both_fronts(serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    gateway = serve("MaxPersistentCGI 2")
    start(gateway, "one")
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/one?handle=one&count")
    gateway.reload()
    start(gateway, "two")
    start(gateway, "three")
    gateway.wait_log("HTS003 .*child th")
    assert ended(gateway, "three") == (503, "limit")
    assert slow.finish().status == 200
    assert (count(gateway, "one"), count(gateway, "two")) == (3, 2)
