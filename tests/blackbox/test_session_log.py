"""SessionLog: one line of JSON for each session that is over, however it ended."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path

import pytest

from tests.blackbox.accounts import account, of, unlike_others, why
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import CGI, Slow, start, wait_drained
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import Gateway, wait_for

pytestmark = pytest.mark.running

DIRECTIVES = """
SessionLog logs/sessions.log
<Directory cgi-bin/brief>
  PersistentCGITimeout 300ms
</Directory>
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
<VirtualHost *:*>
  ServerName first.example
</VirtualHost>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users = write_users(tmp_path_factory.mktemp("users") / "users", "ada")
    gateway = serve_shared(f"{DIRECTIVES}<Location /cgi-bin/private>\n{guarded(users)}\n</Location>")
    for name in ("brief/child", "shared/one", "shared/three", "private/child"):
        gateway.program(name, CHILD_TEXT)
    return gateway


@pytest.fixture
def handle() -> str:
    """A handle whose masked form no other test's has."""
    return unlike_others()


# ---- what is in a line


def test_a_line_says_whose_session_it_was_from_when_to_when_and_what_it_cost(
    gateway: Gateway, handle: str
) -> None:
    pid = gateway.get(f"{CGI}?handle={handle}&count").number("pid")
    gateway.post(f"{CGI}/{handle}?handle={handle}&drain&size=5000", b"b" * 1234)
    assert gateway.get(f"{CGI}/{handle}?echo=bye").text == "bye"
    line = account(gateway, handle)
    began, ended = (datetime.fromisoformat(line.pop(name)) for name in ("start", "end"))
    busy, idle = line.pop("busy_seconds"), line.pop("idle_seconds")
    assert began.utcoffset() is not None and began < ended and busy > 0
    assert busy + idle == pytest.approx((ended - began).total_seconds(), abs=1e-4)
    assert 5000 < line.pop("bytes_out") < 6000
    assert line.pop("cpu_seconds") > 0 and line.pop("peak_memory_kib") > 1000
    assert line.pop("id").isdigit()
    assert line == {
        "host": "first.example:*", "cgi_name": CGI, "user": None, "handle": f"{handle[:4]}…", "reason": "ended",
        "text": "HTS006 ended by the program", "requests": 3, "bytes_in": 1234, "pid": pid,
    }  # fmt: skip


def test_the_user_is_the_one_who_created_the_session(gateway: Gateway, handle: str) -> None:
    url = "/cgi-bin/private/child"
    assert gateway.get(f"{url}?handle={handle}", Authorization=basic("ada")).status == 200
    gateway.get(f"{url}/{handle}", Authorization=basic("ada"))
    assert account(gateway, handle)["user"] == "ada"


def test_W3_no_handle_is_in_clear_even_where_the_program_names_it(gateway: Gateway, handle: str) -> None:
    start(gateway, handle)
    gateway.get(f"{CGI}/{handle}?stderr=lost+{handle}&exit=3")
    assert f"lost {handle[:4]}…" in account(gateway, handle)["text"]
    assert handle not in (gateway.folder / "logs" / "sessions.log").read_text()


# ---- every end


def test_a_time_out_is_in_the_log(gateway: Gateway, handle: str) -> None:
    start(gateway, handle, program="/cgi-bin/brief/child")
    assert why(gateway, handle) == ("timed-out", "HTS002")


def test_a_crash_is_in_the_log_in_a_request_and_between_two(gateway: Gateway, handle: str) -> None:
    start(gateway, handle)
    gateway.get(f"{CGI}/{handle}?kill=9")
    assert why(gateway, handle) == ("crashed", "HTS007")
    other = unlike_others("between")
    os.kill(gateway.get(f"{CGI}?handle={other}&count").number("pid"), signal.SIGKILL)
    assert why(gateway, other) == ("crashed", "HTS007")


def test_a_broken_protocol_is_in_the_log(gateway: Gateway, handle: str) -> None:
    start(gateway, handle)
    gateway.get(f"{CGI}/{handle}?handle={handle}&echo=x&late=more")
    assert why(gateway, handle) == ("protocol", "HTS011")


def test_a_session_that_ends_after_a_reload_is_told_with_all_its_requests(
    gateway: Gateway, handle: str
) -> None:
    start(gateway, handle)
    gateway.post(f"{CGI}/{handle}?handle={handle}&drain", b"x" * 100)
    before = datetime.now().astimezone()
    gateway.reload()
    wait_drained(gateway)
    gateway.post(f"{CGI}/{handle}?drain", b"x" * 11)
    line = account(gateway, handle)
    assert (line["requests"], line["bytes_in"], line["reason"]) == (3, 111, "ended")
    assert datetime.fromisoformat(line["start"]) < before < datetime.fromisoformat(line["end"])


def test_a_session_that_an_old_front_finishes_after_a_reload_is_told_once(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path, handle: str
) -> None:
    start(gateway, handle)
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/{handle}?echo=x")
    gateway.reload()
    assert slow.finish().status == 200
    assert why(gateway, handle) == ("ended", "HTS006")
    wait_drained(gateway)
    assert len(of(gateway, handle)) == 1


def test_a_session_whose_cgi_name_is_gone_after_a_reload_is_told(gateway: Gateway, handle: str) -> None:
    program = gateway.program("vanishing", CHILD_TEXT)
    start(gateway, handle, program="/cgi-bin/vanishing")
    program.unlink()
    gateway.reload()
    line = account(gateway, handle)
    assert (line["reason"], line["text"]) == (
        "ended", "HTS006 its cgi-name is gone after a reload: /cgi-bin/vanishing",
    )  # fmt: skip


def test_a_killed_front_costs_no_line_of_what_was_in_flight_and_writes_none_of_what_rests(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path, handle: str
) -> None:
    resting = unlike_others("resting")
    for one in (handle, resting):
        start(gateway, one)
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/{handle}?handle={handle}&count")
    wait_drained(gateway)
    gateway.kill_front()
    assert slow.was_cut()
    line = account(gateway, handle)
    assert (line["reason"], line["text"].split()[0], line["requests"]) == ("stopped", "HTS007", 2)
    assert line["cpu_seconds"] > 0
    assert not of(gateway, resting)
    gateway.get(f"{CGI}/{resting}")
    assert account(gateway, resting)["requests"] == 2


def test_a_program_that_dies_while_its_front_cannot_tell_is_told_when_that_is_lost(
    gateway: Gateway, handle: str
) -> None:
    pid = gateway.get(f"{CGI}?handle={handle}&count").number("pid")
    wait_drained(gateway)
    (front,) = gateway.fronts()
    os.kill(front, signal.SIGSTOP)
    os.kill(pid, signal.SIGKILL)
    wait_for("the keeper to reap it", lambda: pid not in gateway.instances())
    gateway.kill_front()
    line = account(gateway, handle)
    assert (line["reason"], line["pid"]) == ("stopped", pid)
    assert line["cpu_seconds"] is not None


def test_a_stop_of_the_gateway_writes_every_session(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path, handle: str
) -> None:
    gateway = serve("SessionLog logs/sessions.log\nGracefulShutdownTimeout 1m\nCGIStopGrace 100ms")
    start(gateway, handle)
    running, stubborn = (unlike_others(name) for name in ("running", "stubborn"))
    start(gateway, running)
    start(gateway, stubborn, "count&linger&ignore")
    slow = Slow(gateway, pool, tmp_path, f"{CGI}/{running}?handle={running}&echo=x")
    os.kill(gateway.keeper, signal.SIGTERM)
    gateway.wait_log("HTS013")
    assert slow.finish().status == 200
    assert gateway.wait_exit() == 0
    for one in (handle, running, stubborn):
        (line,) = of(gateway, one)
        assert (line["reason"], line["text"]) == ("ended", "HTS013 the gateway is stopping")
        assert line["cpu_seconds"] is not None


def test_a_stop_while_no_front_lives_writes_every_session(serve: Serve, handle: str) -> None:
    gateway = serve("SessionLog logs/sessions.log")
    start(gateway, handle)
    (front,) = gateway.fronts()
    os.kill(front, signal.SIGSTOP)
    os.kill(gateway.keeper, signal.SIGTERM)
    os.kill(front, signal.SIGKILL)
    assert gateway.wait_exit() == 0
    (line,) = of(gateway, handle)
    assert line["reason"] == "ended"
    assert line["text"] == "HTS013 the gateway is stopping"


# ---- shared instances


def test_a_session_of_a_shared_instance_has_CPU_and_memory_only_when_that_ends_with_it(
    gateway: Gateway, handle: str
) -> None:
    url, other = "/cgi-bin/shared/one", unlike_others("other")
    for one in (handle, other):
        assert gateway.get(f"{url}?handle={one}&count").status == 200
    gateway.get(f"{url}/{handle}?echo=bye")
    line = account(gateway, handle)
    assert (line["cpu_seconds"], line["peak_memory_kib"]) == (None, None)
    assert re.fullmatch(r"\d+\.\d+", line["id"]) and line["requests"] == 2
    assert not of(gateway, other)
    gateway.get(f"{url}/{other}?kill=9")
    assert account(gateway, other)["cpu_seconds"] > 0
    assert why(gateway, other) == ("crashed", "HTS007")


def test_a_killed_front_ends_all_sessions_of_a_shared_instance_that_is_busy(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path, handle: str
) -> None:
    url, other = "/cgi-bin/shared/three", unlike_others("other")
    for one in (handle, other):
        assert gateway.get(f"{url}?handle={one}&count").status == 200
    slow = Slow(gateway, pool, tmp_path, f"{url}/{handle}?handle={handle}&count")
    wait_drained(gateway)
    gateway.kill_front()
    assert slow.was_cut()
    for one in (handle, other):
        line = account(gateway, one)
        assert (line["reason"], line["requests"]) == ("stopped", 1)
        assert line["cpu_seconds"] > 0
