"""Shared instances and fronts that come and go: reload, crash, two fronts at once (S1, S4, S5, R4, W1)."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import Slow, wait_drained
from tests.blackbox.harness import BOUND, Answer, Gateway, wait_for
from tests.blackbox.proc import alive

pytestmark = pytest.mark.running

URL = "/cgi-bin/shared/child"
DIRECTIVES = """
PersistentCGITimeout 10s
MaxPersistentCGITimeout 2m
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""


@pytest.fixture
def gateway(serve: Serve) -> Gateway:
    gateway = serve(DIRECTIVES)
    gateway.program("shared/child", CHILD_TEXT)
    return gateway


def start(gateway: Gateway, query: str = "count") -> str:
    handle = new_handle()
    assert gateway.get(f"{URL}?handle={handle}&{query}").status == 200
    return handle


def call(gateway: Gateway, handle: str, query: str = "count", new: str = "") -> Answer:
    answer = gateway.get(f"{URL}/{handle}?handle={new or handle}&{query}")
    assert answer.status == 200, answer
    return answer


def newcomer(gateway: Gateway) -> Answer:
    return gateway.get(f"{URL}?handle={new_handle()}&count&env=HTSESSION_ENDED")


def test_a_reload_keeps_the_instance_with_all_its_sessions(gateway: Gateway) -> None:
    handles = [start(gateway) for _ in range(5)]
    newer, replaced = new_handle(), handles[0]
    process = call(gateway, replaced, new=newer).number("pid")
    handles[0] = newer
    gateway.reload()
    answers = [call(gateway, handle) for handle in handles]
    assert {answer.number("pid") for answer in answers} == {process}
    assert [answer.number("count") for answer in answers] == [7, 8, 9, 10, 11]
    assert gateway.reason(f"{URL}/{replaced}") == "replaced"
    assert newcomer(gateway).number("pid") == process, "S1"
    gateway.get(f"{URL}/{newer}?count")
    assert gateway.reason(f"{URL}/{newer}") == "ended"
    assert call(gateway, handles[1]).number("count") == 14


def test_S1_during_a_reload_newcomers_wait_for_the_instance_of_the_old_front(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    one, two = start(gateway), start(gateway)
    process = call(gateway, one).number("pid")
    slow = Slow(gateway, pool, tmp_path, f"{URL}/{one}?handle={one}")
    gateway.reload()
    waiting = [pool.submit(newcomer, gateway), pool.submit(call, gateway, two), pool.submit(newcomer, gateway)]
    assert len(gateway.instances()) == 1
    slow.finish()
    answers = [answer.result(BOUND) for answer in waiting]
    assert {answer.number("pid") for answer in answers} == {process}
    assert sorted(answer.number("count") for answer in answers) == [5, 6, 7]
    wait_drained(gateway)
    assert newcomer(gateway).number("count") == 8


def test_H4_during_a_reload_a_handle_stays_unique(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    one = start(gateway)
    start(gateway, "env=UNIQUE_ID")
    plain = gateway.get("/cgi-bin/child?handle=plain&count")
    slow = Slow(gateway, pool, tmp_path, "/cgi-bin/child/plain?handle=plain")  # keeps the old front
    gateway.reload()
    assert gateway.get(f"{URL}?handle={one}&count").number("count") == 3
    gateway.wait_log("HTS001 ")
    assert call(gateway, one).number("count") == 4
    slow.finish()
    assert plain.status == 200


def test_S4_a_crash_of_the_front_loses_no_idle_session_and_no_news(serve: Serve) -> None:
    gateway = serve(DIRECTIVES.replace("PersistentCGITimeout 10s", "PersistentCGITimeout 300ms"))
    gateway.program("shared/child", CHILD_TEXT)
    kept = start(gateway, "timeout=1&count")
    over = [start(gateway) for _ in range(3)]
    wait_for("three ends", lambda: gateway.log.count("HTS002 ") == 3)
    gateway.kill_front()
    assert [gateway.reason(f"{URL}/{handle}") for handle in over] == ["timed-out"] * 3
    answer = call(gateway, kept, "timeout=1&count&env=HTSESSION_ENDED")
    assert answer.number("count") == 5
    assert sorted(answer.text.split("HTSESSION_ENDED=")[1].split()) == sorted(over)
    gateway.kill_front()
    assert "HTSESSION_ENDED=<absent>" in call(gateway, kept, "env=HTSESSION_ENDED").text, "told once"


def test_deadlines_go_on_after_a_crash_of_the_front(serve: Serve) -> None:
    gateway = serve(DIRECTIVES.replace("PersistentCGITimeout 10s", "PersistentCGITimeout 2s"))
    gateway.program("shared/child", CHILD_TEXT)
    kept, over = start(gateway, "timeout=1&count"), start(gateway)
    gateway.kill_front()
    first = call(gateway, kept, "timeout=1&count&env=HTSESSION_ENDED")
    assert first.number("count") == 3
    gateway.wait_log("HTS002 ")
    assert gateway.reason(f"{URL}/{over}") == "timed-out"
    assert over in first.text + call(gateway, kept, "env=HTSESSION_ENDED").text


def test_S5_a_crash_of_the_front_in_a_call_costs_all_sessions_and_says_so(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    handles = [start(gateway) for _ in range(3)]
    process = call(gateway, handles[0]).number("pid")
    slow = Slow(gateway, pool, tmp_path, f"{URL}/{handles[0]}?handle={handles[0]}")
    gateway.kill_front()
    gateway.wait_log(f"HTS007 {URL} with 3 sessions: it ended when its front was gone")
    assert [gateway.reason(f"{URL}/{handle}") for handle in handles] == ["stopped"] * 3
    wait_for("the instance to end", lambda: not alive(process))
    assert newcomer(gateway).number("count") == 1
    slow._end.touch()


def test_S1_a_program_that_is_not_shared_any_more_keeps_its_sessions(gateway: Gateway) -> None:
    one, two = start(gateway), start(gateway)
    process = call(gateway, one).number("pid")
    gateway.configure(DIRECTIVES.replace("Shared On", "Shared Off"))
    gateway.reload()
    assert {call(gateway, handle).number("pid") for handle in (one, two)} == {process}
    assert newcomer(gateway).number("count") == 1, "a process of its own"


def test_R4_a_cgi_name_that_is_gone_ends_all_its_sessions(gateway: Gateway) -> None:
    handles = [start(gateway) for _ in range(3)]
    process = call(gateway, handles[0]).number("pid")
    (gateway.cgi_bin / "shared" / "child").unlink()
    gateway.reload()
    assert [gateway.reason(f"{URL}/{handle}") for handle in handles] == ["ended"] * 3
    wait_for("the instance to end", lambda: not alive(process))


def test_T5_a_stop_ends_the_instance_by_end_of_file(gateway: Gateway, tmp_path: Path) -> None:
    start(gateway, f"diary={tmp_path / 'diary'}")
    start(gateway)
    assert gateway.stop() == 0
    assert (tmp_path / "diary").read_text() == "eof\n"
    assert "HTS013 the gateway is stopping, with 2 sessions" in gateway.log


@pytest.mark.faults
def test_S5_a_thousand_sessions_survive_a_crash_of_the_front(gateway: Gateway) -> None:
    handles = [start(gateway, "timeout=2&count") for _ in range(1000)]
    assert gateway.get(f"{URL}?handle=late&count").number("count") == 1001
    gateway.wait_log("HTS003 PersistentCGISharedSessions is reached")
    gateway.kill_front()
    sample = handles[::100]
    answers = [call(gateway, handle, "timeout=2&count") for handle in sample]
    assert [answer.number("count") for answer in answers] == list(range(1002, 1012))
    os.kill(gateway.instances()[0], signal.SIGKILL)
    gateway.wait_log("HTS007 .*with 1000 sessions")
    assert {gateway.reason(f"{URL}/{handle}") for handle in sample} == {"crashed"}
    assert newcomer(gateway).number("count") == 1
