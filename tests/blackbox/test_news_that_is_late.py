"""The keeper is late: with the news of an exit, with its word on a new handle. Nobody else is blamed for it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.blackbox.clients import Client
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import ended
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive

LATE = 1.2  # seconds; a program that closes its output and lives on has finished after half a second
DIRECTIVES = """
Timeout 500ms
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    return serve(DIRECTIVES, {"shared/child": CHILD_TEXT})


@contextmanager
def late(gateway: Gateway, pid: int = 0) -> Iterator[None]:
    """The keeper stands still for a while after the end of the process that dies meanwhile."""
    os.kill(gateway.keeper, signal.SIGSTOP)
    try:
        yield
        wait_for("the end of the process", lambda: not (pid and alive(pid)))
        time.sleep(LATE)
    finally:
        os.kill(gateway.keeper, signal.SIGCONT)


@pytest.mark.parametrize("session", ["", "/persists"])
def test_a_page_that_a_kill_has_cut_is_not_whole(gateway: Gateway, session: str, tmp_path: Path) -> None:
    old = gateway.get("/cgi-bin/child?handle=persists&count").number("pid")
    begun = tmp_path / "begun"
    query = f"handle=persists&echo=begun&flush&touch={begun}&sleep=1000"
    client = Client(gateway, f"/cgi-bin/child{session}?{query}")
    wait_for("a part of the page", begun.exists)
    (pid,) = {old} if session else set(gateway.instances()) - {old}
    with late(gateway, pid):
        os.kill(pid, signal.SIGKILL)
    answer = client.answer()
    assert (answer.status, answer.text, answer.whole) == (200, "begun", False)


@pytest.mark.parametrize("program", ["/cgi-bin/child", "/cgi-bin/shared/child"])
def test_R4_a_session_whose_process_is_killed_in_a_call_has_crashed(gateway: Gateway, program: str) -> None:
    pid = gateway.get(f"{program}?handle=crashes&count").number("pid")
    client = Client(gateway, f"{program}/crashes?handle=crashes&sleep=1000")
    with late(gateway, pid):
        os.kill(pid, signal.SIGKILL)
    assert client.answer().status == 502
    gateway.wait_log(r"HTS007 exited before it sent a header while it should persist \(signal 9")
    assert ended(gateway, "crashes", program) == (410, "crashed")


def test_R4_a_session_whose_process_is_killed_between_two_calls_has_crashed(gateway: Gateway) -> None:
    pid = gateway.get("/cgi-bin/child?handle=exits&count").number("pid")
    with late(gateway, pid):
        os.kill(pid, signal.SIGKILL)
    gateway.wait_log(r"HTS007 exited between two calls \(signal 9")
    assert "closed its output" not in gateway.log
    assert ended(gateway, "exits") == (410, "crashed")


def test_S1_a_client_whose_new_handle_the_keeper_hears_of_late_gets_its_page(gateway: Gateway) -> None:
    url = "/cgi-bin/shared/child"
    gateway.get(f"{url}?handle=first&count")
    with late(gateway):
        client = Client(gateway, f"{url}?handle=second&count")
    assert client.answer().text.startswith("count=2 ")
    assert gateway.get(f"{url}/second?handle=second&count").text.startswith("count=3 ")


def test_R7_a_client_that_leaves_meanwhile_has_lost_the_response_alone(
    gateway: Gateway, tmp_path: Path
) -> None:
    url, written = "/cgi-bin/shared/child", tmp_path / "written"
    gateway.get(f"{url}?handle=first&count")
    with late(gateway), gateway.connect() as leaves:
        query = f"handle=second&count&touch={written}"
        leaves.sendall(f"GET {url}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        wait_for("the program", written.exists)
    assert gateway.get(f"{url}/first?handle=first&count").text.startswith("count=3 ")
