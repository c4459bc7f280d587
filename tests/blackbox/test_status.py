"""`SetHandler server-status`: what it tells, in each of its forms."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.blackbox.clients import Client, Gate
from tests.blackbox.commands import Begun, run
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.status import URL, Events, auto, row, snapshot
from tests.blackbox.warm import PROGRAM

pytestmark = pytest.mark.running

DIRECTIVES = """
MaxPersistentCGI 30
MaxCGIJobs 40
CGIActivationGroup python .py
StartCGI 1
CustomLog logs/access.log common
<Directory cgi-bin>
  Options FollowSymLinks
</Directory>
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""
FIELDS = """
id cgi_name handle host user pid state requests age idle left timeout began memory cpu
bytes_in bytes_out last queue
"""
OF_MOD_STATUS = """
ServerVersion CurrentTime RestartTime ServerUptimeSeconds ServerUptime Load1 Load5 Load15 CPUUser CPUSystem
CPULoad Uptime ReqPerSec BusyWorkers IdleWorkers Processes Scoreboard ConnsTotal
"""
OWN = "State Sessions SessionsIdle SessionsBusy SessionsWaiting SessionsCreated Starts MaxPersistentCGIUsed"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(DIRECTIVES, {"shared/child": CHILD_TEXT, "warm.py": PROGRAM})


def test_without_a_word_in_the_file_it_is_there_for_this_machine(gateway: Gateway) -> None:
    page = gateway.get(URL)
    assert (page.status, page.header("content-type")) == (200, "text/html; charset=utf-8")
    assert page.header("cache-control") == "no-store"
    assert page.header("x-content-type-options") == "nosniff"
    assert page.header("referrer-policy") == "same-origin"
    policy = page.header("content-security-policy") or ""
    nonce = re.search(r"script-src 'nonce-([^']+)'", policy)
    assert policy.startswith("default-src 'none'; ") and "frame-ancestors 'none'" in policy and nonce
    assert "unsafe" not in policy and page.text.count(f'nonce="{nonce[1]}"') == page.text.count("nonce=")
    assert nonce[1] not in gateway.get(URL).text


def test_a_session_has_every_column_and_its_handle_is_masked(gateway: Gateway) -> None:
    session = Begun(gateway, query="timeout=5")
    assert session.call("count", "/cart/7") == 200
    one = row(gateway, session.handle)
    assert not set(FIELDS.split()) - one.keys()
    assert (one["cgi_name"], one["pid"], one["state"], one["requests"]) == (
        session.name,
        session.pid,
        "idle",
        2,
    )
    assert (one["last"], one["user"], one["queue"]) == (f"{session.name}/cart/7", None, 0)
    assert one["memory"] > 0 and one["cpu"] >= 0 and one["bytes_out"] > 0 and 0 < one["left"] <= one["timeout"]
    for form in ("", "?json", "?auto", "?find=cart", "?refresh=60"):
        assert session.handle not in gateway.get(URL + form).text
    assert "/cart/7" in gateway.get(URL).text


def test_a_program_whose_name_is_no_UTF_8_is_told_too(gateway: Gateway) -> None:
    os.symlink(gateway.cgi_bin / "child", os.fsencode(gateway.cgi_bin) + b"/caf\xe9")
    assert gateway.get("/cgi-bin/caf%E9?handle=bytes-of-a-name").status == 200
    assert row(gateway, "bytes-of-a-name")["file"].endswith("/caf\\xe9")
    events = Events(gateway)
    assert any(one["cgi_name"] == "/cgi-bin/café" for one in events.next("snapshot")["sessions"])
    events.close()
    for form in ("", "?json", "?auto"):
        assert gateway.get(URL + form).status == 200


def test_instances_oneshots_warm_hosts_limits_and_queues_are_told(
    gateway: Gateway, pool: ThreadPoolExecutor
) -> None:
    begun, gate, session = Gate(gateway.folder), Gate(gateway.folder), Begun(gateway)
    oneshot = pool.submit(gateway.get, f"/cgi-bin/child?echo=1&{begun.touch}&{gate.wait}")
    begun.wait_open()
    busy, waiting = (pool.submit(session.call, f"count&{gate.wait}") for _ in range(2))
    wait_for("the queue", lambda: snapshot(gateway)["queue"]["session"] == 1)
    told = snapshot(gateway)
    (one,) = [one for one in told["instances"] if one["pid"] == session.pid]
    assert (one["state"], one["sessions"], one["shared"], one["queue"]) == ("busy", 1, False, 1)
    assert one["file"].endswith("/cgi-bin/child") and one["memory"] > 0 and one["age"] > 0
    (plain,) = told["oneshots"]
    assert (plain["cgi_name"], plain["state"]) == ("/cgi-bin/child", "first") and plain["pid"] != session.pid
    assert plain["age"] > 0 and plain["memory"] > 0
    assert row(gateway, session.handle)["left"] is None
    assert told["limits"]["MaxPersistentCGI"] == {"used": len(told["sessions"]), "most": 30}
    assert told["limits"]["MaxCGIJobs"]["most"] == 40 and told["limits"]["MaxConnections"]["used"] >= 4
    wait_for("a warm host", lambda: snapshot(gateway)["warm"][0]["ready"] == 1)
    assert (told["warm"][0]["host"], told["warm"][0]["wanted"]) == ("python", 1)
    assert auto(gateway)["BusyWorkers"] == "2"
    gate.open()
    assert (oneshot.result().status, busy.result(), waiting.result()) == (200, 200, 200)


def test_recent_endings_have_their_HTS_reason_the_newest_first(gateway: Gateway) -> None:
    first, second = Begun(gateway), Begun(gateway)
    assert gateway.get(f"{first.path}?count").status == 200
    gateway.get(f"{second.path}?handle={second.handle}&exit=3")
    newest, before = wait_for(
        "both",
        lambda: (
            found
            if len(found := snapshot(gateway)["recent"][:2]) == 2 and "HTS007" in found[0]["text"]
            else None
        ),
    )
    assert (newest["reason"], before["reason"]) == ("crashed", "ended")
    assert before["text"].startswith("HTS006 ") and before["requests"] == 2
    page = gateway.get(URL).text
    assert "HTS006 ended by the program" in page and first.handle not in page


@pytest.mark.parametrize("move", [Gateway.reload, Gateway.kill_front])
def test_recent_endings_outlive_a_reload_and_a_crash_of_the_front(
    serve: Serve, move: Callable[[Gateway], None]
) -> None:
    gateway = serve()
    gone, crashed = Begun(gateway), Begun(gateway)
    gateway.get(f"{gone.path}?count")  # it asks for no handle: it ends
    gateway.get(f"{crashed.path}?handle={crashed.handle}&exit=3")
    wait_for("both endings", lambda: len(snapshot(gateway)["recent"]) == 2)
    before = snapshot(gateway)["recent"]
    for _ in range(2):
        move(gateway)
        now = snapshot(gateway)
        assert (now["recent"], now["ended"]) == (before, {})  # each once; what is counted begins anew
    shown = run(gateway, "show", gone.path).out
    assert "HTS006 ended by the program" in shown


def test_what_ends_in_a_front_that_drains_is_told_by_the_new_one(serve: Serve) -> None:
    gateway = serve()
    gate, session = Gate(gateway.folder), Begun(gateway)
    request = Client(gateway, f"{session.path}?count&{gate.wait}")
    gateway.reload()
    assert (snapshot(gateway)["recent"], snapshot(gateway)["ended"]) == ([], {})
    gate.open()
    assert request.answer().status == 200
    wait_for("the ending", lambda: snapshot(gateway)["recent"])
    told = snapshot(gateway)
    (ending,) = told["recent"]
    assert told["ended"] == {"ended": 1} and ending["requests"] == 2
    assert ending["text"].startswith("HTS006 ")


def test_the_overview_tells_of_both_processes(gateway: Gateway) -> None:
    Begun(gateway)
    told = snapshot(gateway)
    assert told["state"] == "serving" and told["keeper"]["pid"] == gateway.keeper
    assert told["front"]["pid"] in gateway.fronts() and told["front"]["memory"] > 0
    assert told["keeper"]["since"] <= told["front"]["since"] <= told["at"]
    assert told["listeners"] == [f"127.0.0.1:{gateway.port}"] and not told["another_front"]
    assert told["created"] >= 1 and told["starts"] >= told["created"]


def test_auto_is_what_readers_of_mod_status_take(gateway: Gateway) -> None:
    Begun(gateway)
    found = auto(gateway)
    assert {*OF_MOD_STATUS.split(), *OWN.split(), "Total Accesses"} <= found.keys()
    for key in (
        "Total Accesses",
        "Uptime",
        "ReqPerSec",
        "BusyWorkers",
        "IdleWorkers",
        "CPULoad",
        "Load1",
        "Sessions",
    ):
        assert float(found[key]) >= 0, key
    assert len(found["Scoreboard"]) == 40 and set(found["Scoreboard"]) <= set("_WSG.")
    assert found["Scoreboard"].count("_") == int(found["IdleWorkers"]) >= 1
    assert gateway.get(f"{URL}?auto").header("content-type") == "text/plain; charset=utf-8"
    assert gateway.get(f"{URL}?auto&refresh=7").header("refresh") == "7"


def test_bytes_are_left_out_where_they_are_not_counted(gateway: Gateway, serve: Serve) -> None:
    assert "Total kBytes" not in auto(gateway)
    counting = serve('CustomLog logs/access.log "%O"')
    counting.get("/")
    assert {"Total kBytes", "BytesPerSec", "BytesPerReq"} <= auto(counting).keys()


def test_refresh_reloads_the_page_without_a_script(gateway: Gateway) -> None:
    assert gateway.get(f"{URL}?refresh=5").header("refresh") == "5"
    assert gateway.get(f"{URL}?refresh").header("refresh") == "10"
    assert gateway.get(URL).header("refresh") is None


def test_the_server_filters_sorts_and_bounds_rows(gateway: Gateway) -> None:
    older, newer = Begun(gateway), Begun(gateway)
    for query, expected in (
        (f"find={older.handle[:4]}", [older.pid]),
        (f"find={older.pid}&state=idle", [older.pid]),
        (f"find={older.pid}&state=busy", []),
        ("sort=id&order=desc", None),
    ):
        found = json.loads(gateway.get(f"{URL}?json&{query}").text)["sessions"]
        if expected is not None:
            assert [one["pid"] for one in found] == expected, query
        else:
            assert found[0]["pid"] == newer.pid
    few = gateway.get(f"{URL}?rows=1&sort=id&order=desc").text
    assert f'data-key="{row(gateway, newer.handle)["id"]}"' in few
    assert f'data-key="{row(gateway, older.handle)["id"]}"' not in few.partition('id="recent')[0]
    assert few.count("<tr data-key=") < gateway.get(URL).text.count("<tr data-key=")


def test_a_value_that_cannot_be_meant_is_told(gateway: Gateway) -> None:
    answer = gateway.get(f"{URL}?state=asleep")
    assert answer.status == 400 and "state: expected one of idle, busy, waiting" in answer.text
    assert gateway.get(f"{URL}?colour=red").status == 200


def test_other_methods_are_refused_and_HEAD_has_no_body(gateway: Gateway) -> None:
    answer = gateway.request("DELETE", URL)
    assert (answer.status, answer.header("allow")) == (405, "GET, HEAD, POST")
    for form in ("", "?json", "?auto", "?events"):
        head = gateway.request("HEAD", URL + form)
        assert (head.status, head.body) == (200, b"")


def test_events_begin_with_everything_and_go_on_with_changes(gateway: Gateway) -> None:
    session = Begun(gateway)
    events = Events(gateway)
    assert events.response.getheader("content-type", "").startswith("text/event-stream")
    first = events.next("snapshot")
    assert first.keys() - {"may_act"} == snapshot(gateway).keys() - {"may_act"}
    (known,) = [one for one in first["sessions"] if one["pid"] == session.pid]
    assert set(events.next("charts")["minutes"]) == {
        "sessions",
        "requests",
        "gateway",
        "program",
        "starts",
        "errors",
    }
    assert session.call() == 200
    change = events.change(
        "the request", lambda data: any(one["id"] == known["id"] for one in data["sessions"])
    )
    (changed,) = [one for one in change["sessions"] if one["id"] == known["id"]]
    assert changed["requests"] == 2 and changed["at"] <= change["at"] + 0.1
    assert change["overview"]["requests"] >= 1 and "sessions" not in change["overview"]
    gateway.get(f"{session.path}?count")
    gone = events.change("the end", lambda data: known["id"] in data["gone"].get("sessions", ()))
    assert gone["recent"][0]["id"] == known["id"]
    events.close()


def test_of_processes_only_those_rows_are_sent_that_have_changed(
    gateway: Gateway, pool: ThreadPoolExecutor
) -> None:
    still, session = Begun(gateway), Begun(gateway)
    events = Events(gateway)
    first = {one["pid"]: one["id"] for one in events.next("snapshot")["instances"]}
    assert {still.pid, session.pid} <= first.keys()
    gate = Gate(gateway.folder)
    busy = pool.submit(session.call, f"count&{gate.wait}")
    change = events.change("the call", lambda data: first[session.pid] in _ids(data["instances"]))
    assert first[still.pid] not in _ids(change["instances"]) and change["gone"] == {}
    assert [one["state"] for one in change["instances"] if one["pid"] == session.pid] == ["busy"]
    gate.open()
    assert busy.result() == 200
    begun, gate = Gate(gateway.folder), Gate(gateway.folder)
    oneshot = pool.submit(gateway.get, f"/cgi-bin/child?echo=1&{begun.touch}&{gate.wait}")
    (plain,) = events.change("a program without a session", lambda data: data["oneshots"])["oneshots"]
    gate.open()
    assert oneshot.result().status == 200
    events.change("its end", lambda data: plain["id"] in data["gone"].get("oneshots", ()))
    os.kill(session.pid, signal.SIGKILL)
    events.change("a process's end", lambda data: first[session.pid] in data["gone"].get("instances", ()))
    events.close()


def _ids(rows: list[dict[str, object]]) -> list[object]:
    return [row["id"] for row in rows]


def test_the_last_URL_is_told_without_the_handle_and_always(gateway: Gateway) -> None:
    session = Begun(gateway)
    assert row(gateway, session.handle)["last"] == session.name
    for path, told in (("/a/b", "/a/b"), ("/", "/"), ("", "")):
        assert session.call("count", path) == 200
        assert row(gateway, session.handle)["last"] == session.name + told
    handle = "first-with-more"
    assert gateway.get(f"/cgi-bin/child/cart/7?handle={handle}").status == 200
    assert row(gateway, handle)["last"] == "/cgi-bin/child/cart/7"
