"""Responses that never reached their client, and handles of older pages (spec 1, R6, R7)."""

from __future__ import annotations

import os
import signal
import socket
import struct
from itertools import pairwise

import pytest

from tests.blackbox.clients import Client, Gate, new_handle, start_session
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.raw import Raw

DIRECTIVES = """
PersistentCGITimeout 90
MaxPersistentCGI 100
<Directory "cgi-bin/previous">
    PersistentCGIPreviousHandles 2
</Directory>
"""
MARKS = "env=HTSESSION_HANDLE&env=HTSESSION_CURRENT_HANDLE&env=HTSESSION_STALE&env=HTSESSION_RETRY"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    gateway.program("previous/child", CHILD_TEXT)
    return gateway


def _marks(gateway: Gateway, url: str, issue: str) -> list[str | None]:
    """What a call by this URL, which issues a handle, is told: its handle, the current one, stale, retry."""
    answer = gateway.get(f"{url}?handle={issue}&{MARKS}")
    assert answer.status == 200, answer
    values = [line.partition("=")[2] for line in answer.text.splitlines()]
    return [None if value == "<absent>" else value for value in values]


def _lose(gateway: Gateway, url: str, issue: str, when: str = "amid") -> None:
    """A call that issues a handle, and whose client leaves before the head, or in the middle of the body."""
    gate, running = Gate(gateway.folder), Gate(gateway.folder)
    if when == "before":
        client = Client(gateway, f"{url}?handle={issue}&{running.touch}&{gate.wait}&echo=late")
        running.wait_open()
    else:
        client = Client(gateway, f"{url}?handle={issue}&echo=begun&flush&{gate.wait}&echo=late")
        client.until(b"begun")
    client.leave()
    gate.open()


def _lose_unnoticed(gateway: Gateway, url: str, issue: str, *, reset: bool) -> None:
    """A call that issues a handle; the front hears that the response has come, and then, in the same look at
    all its descriptors, that the client has left before."""
    running, gate, written = Gate(gateway.folder), Gate(gateway.folder), Gate(gateway.folder)
    with Raw(gateway) as client:
        query = f"handle={issue}&{running.touch}&{gate.wait}&echo=late&mark&nomark&{written.touch}"
        client.send(f"GET {url}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        running.wait_open()
        front = gateway.fronts()[-1]
        os.kill(front, signal.SIGSTOP)
        try:
            gate.open()
            written.wait_open()
            if reset:
                client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.sock.close()
        finally:
            os.kill(front, signal.SIGCONT)


def _gone(gateway: Gateway, url: str, reason: str) -> None:
    answer = gateway.get(url)
    assert (answer.status, answer.header("x-htsession-ended")) == (410, reason)


# ---- R6


def test_R6_by_default_no_previous_handle_is_accepted(gateway: Gateway) -> None:
    old, new = new_handle(), new_handle()
    url = start_session(gateway, old)
    assert _marks(gateway, url, new) == [old, None, None, None]
    _gone(gateway, url, "replaced")


def test_R6_as_many_previous_handles_as_allowed_reach_the_session_and_are_stale(gateway: Gateway) -> None:
    program = "/cgi-bin/previous/child"
    first, second, third, fourth = handles = [new_handle() for _ in range(4)]
    start_session(gateway, first, program=program)
    for handle, following in pairwise(handles):
        assert _marks(gateway, f"{program}/{handle}", following) == [handle, None, None, None]
    _gone(gateway, f"{program}/{first}", "replaced")
    assert _marks(gateway, f"{program}/{second}", fourth) == [second, fourth, "1", None]
    assert _marks(gateway, f"{program}/{third}", fourth) == [third, fourth, "1", None]
    assert _marks(gateway, f"{program}/{fourth}", fourth) == [fourth, None, None, None]


def test_R6_echoing_a_previous_handle_keeps_the_current_one(gateway: Gateway) -> None:
    program, old, new = "/cgi-bin/previous/child", new_handle(), new_handle()
    start_session(gateway, old, program=program)
    _marks(gateway, f"{program}/{old}", new)
    for _ in range(2):
        assert _marks(gateway, f"{program}/{old}", old) == [old, new, "1", None]
    assert _marks(gateway, f"{program}/{new}", new) == [new, None, None, None]


def test_R6_a_stale_call_may_issue_a_new_handle(gateway: Gateway) -> None:
    program = "/cgi-bin/previous/child"
    first, second, third = (new_handle() for _ in range(3))
    start_session(gateway, first, program=program)
    _marks(gateway, f"{program}/{first}", second)
    assert _marks(gateway, f"{program}/{first}", third) == [first, second, "1", None]
    assert _marks(gateway, f"{program}/{second}", third) == [second, third, "1", None]


def test_H4_an_accepted_previous_handle_is_taken(gateway: Gateway) -> None:
    program, old, new = "/cgi-bin/previous/child", new_handle(), new_handle()
    start_session(gateway, old, program=program)
    _marks(gateway, f"{program}/{old}", new)
    assert gateway.get(f"{program}?handle={old}&count").text.startswith("count=1 ")
    gateway.wait_log(f"HTS001 the handle is not unique: {program} ")
    assert _marks(gateway, f"{program}/{old}", old) == [old, new, "1", None]


def test_R6_the_end_of_a_session_retires_all_its_handles(gateway: Gateway) -> None:
    program, old, new = "/cgi-bin/previous/child", new_handle(), new_handle()
    start_session(gateway, old, program=program)
    _marks(gateway, f"{program}/{old}", new)
    gateway.get(f"{program}/{old}?echo=bye")
    for handle in (old, new):
        _gone(gateway, f"{program}/{handle}", "ended")


# ---- R7


@pytest.mark.parametrize("when", ["before", "amid"])
def test_R7_after_a_lost_response_the_old_handle_is_good_for_another_try(gateway: Gateway, when: str) -> None:
    old, lost = new_handle(), new_handle()
    url = start_session(gateway, old)
    _lose(gateway, url, lost, when)
    assert _marks(gateway, url, old) == [old, None, None, "1"]
    assert gateway.get(f"{url}?handle={old}&count").text.startswith("count=4 ")


@pytest.mark.parametrize("reset", [False, True])
def test_R7_a_client_that_has_left_without_notice_has_lost_the_response(gateway: Gateway, reset: bool) -> None:
    old, lost = new_handle(), new_handle()
    url = start_session(gateway, old)
    _lose_unnoticed(gateway, url, lost, reset=reset)
    assert _marks(gateway, url, old) == [old, None, None, "1"]


@pytest.mark.parametrize("reset", [False, True])
def test_R7_a_first_response_lost_without_notice_ends_the_session(gateway: Gateway, reset: bool) -> None:
    start_session(gateway, new_handle())
    lost = new_handle()
    _lose_unnoticed(gateway, "/cgi-bin/child", lost, reset=reset)
    _gone(gateway, f"/cgi-bin/child/{lost}", "ended")


def test_R7_another_handle_makes_the_unused_one_replaced(gateway: Gateway) -> None:
    old, lost, new = (new_handle() for _ in range(3))
    url = start_session(gateway, old)
    _lose(gateway, url, lost)
    assert _marks(gateway, url, new) == [old, None, None, "1"]
    for handle in (old, lost):
        _gone(gateway, f"/cgi-bin/child/{handle}", "replaced")
    assert _marks(gateway, f"/cgi-bin/child/{new}", new) == [new, None, None, None]


def test_R7_the_first_use_of_the_new_handle_retires_the_old(gateway: Gateway) -> None:
    old, new = new_handle(), new_handle()
    url = start_session(gateway, old)
    _lose(gateway, url, new)
    assert _marks(gateway, f"/cgi-bin/child/{new}", new) == [new, None, None, None]
    _gone(gateway, url, "replaced")


def test_R7_two_lost_responses_in_a_row_lock_nobody_out(gateway: Gateway) -> None:
    old, lost, last = (new_handle() for _ in range(3))
    url = start_session(gateway, old)
    for handle in (lost, last):
        _lose(gateway, url, handle)
    _gone(gateway, f"/cgi-bin/child/{lost}", "replaced")
    assert _marks(gateway, url, old) == [old, None, None, "1"]


def test_R7_and_R6_a_retry_is_not_stale(gateway: Gateway) -> None:
    program = "/cgi-bin/previous/child"
    oldest, old, lost = (new_handle() for _ in range(3))
    start_session(gateway, oldest, program=program)
    _marks(gateway, f"{program}/{oldest}", old)
    _lose(gateway, f"{program}/{old}", lost)
    assert _marks(gateway, f"{program}/{oldest}", oldest) == [oldest, lost, "1", None]
    assert _marks(gateway, f"{program}/{old}", old) == [old, None, None, "1"]


def test_R7_a_response_to_HEAD_counts_as_lost(gateway: Gateway) -> None:
    old, new = new_handle(), new_handle()
    url = start_session(gateway, old)
    assert gateway.request("HEAD", f"{url}?handle={new}").status == 200
    assert _marks(gateway, url, old) == [old, None, None, "1"]


def test_R7_the_rest_of_a_lost_response_is_read_and_dropped(gateway: Gateway) -> None:
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle)
    client = Client(gateway, f"{url}?handle={handle}&echo=begun&flush&{gate.wait}&size=3000000")
    client.until(b"begun")
    client.leave()
    gate.open()
    assert gateway.get(f"{url}?handle={handle}&count").text.startswith("count=3 ")


def test_R7_a_lost_response_that_issued_nothing_new_is_no_retry(gateway: Gateway) -> None:
    handle = new_handle()
    url = start_session(gateway, handle)
    _lose(gateway, url, handle)
    assert _marks(gateway, url, handle) == [handle, None, None, None]


def test_R7_who_waited_by_the_old_handle_is_let_in_when_the_response_is_lost(gateway: Gateway) -> None:
    old, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, old)
    lost = Client(gateway, f"{url}?handle={new_handle()}&echo=begun&flush&{gate.wait}")
    lost.until(b"begun")
    waiting = Client(gateway, f"{url}?handle={old}&count&env=HTSESSION_RETRY")
    lost.leave()
    gate.open()
    answer = waiting.answer()
    assert answer.text.split()[::2] == ["count=3", "HTSESSION_RETRY=1"]


@pytest.mark.parametrize("when", ["before", "amid"])
def test_R7_a_session_whose_first_response_was_lost_ends(gateway: Gateway, when: str) -> None:
    handle, running = new_handle(), set(gateway.instances())
    _lose(gateway, "/cgi-bin/child", handle, when)
    wait_for("the program to end", lambda: set(gateway.instances()) <= running)
    _gone(gateway, f"/cgi-bin/child/{handle}", "ended")
    page = gateway.get(f"/cgi-bin/child/{handle}").text
    assert "The connection ended before its first page had arrived whole" in page
    assert "Its program closed it" not in page
    gateway.wait_log("HTS006 ended: .*R7.*: /cgi-bin/child hand…")


def test_R7_a_lost_response_without_an_end_mark_is_cut_off_after_CGIScriptTimeout(serve: Serve) -> None:
    gateway = serve("CGIScriptTimeout 4\n")  # long enough for the client to leave before
    handle, gate = new_handle(), Gate(gateway.folder)
    url = start_session(gateway, handle)
    client = Client(gateway, f"{url}?handle={handle}&echo=begun&flush&{gate.wait}&forever")
    client.until(b"begun")
    client.leave()
    gate.open()
    gateway.wait_log("HTS009 the client left, and no end mark came within 4 s")
    _gone(gateway, url, "crashed")
