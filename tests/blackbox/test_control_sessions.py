"""`gateway status`, `sessions`, `show`, `end`, `extend`."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.commands import DIRECTIVES, Begun, asked, listed, new_handle, run
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive

pytestmark = pytest.mark.running


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users = write_users(tmp_path_factory.mktemp("users") / "users", "ada")
    made = serve_shared(f"{DIRECTIVES}<Location /cgi-bin/private>\n{guarded(users)}\n</Location>")
    for name in ("private", "shared/a", "shared/b", "shared/c", "shared/d"):
        made.program(name, CHILD_TEXT)
    return made


# ---- status, sessions, show


def test_status_tells_processes_limits_and_newest_endings(gateway: Gateway) -> None:
    session = Begun(gateway)
    asked(gateway, "end", session.path)
    status = run(gateway, "status", "--json").answer
    assert status["state"] == "serving"
    assert status["keeper"]["memory"] > 0 and status["front"]["pid"] in gateway.fronts()
    assert status["limits"]["MaxPersistentCGI"]["most"] == 40
    assert status["recent"][-1]["text"] == "HTS006 ended by the administrator"
    text = run(gateway, "status").out
    assert re.search(r"MaxPersistentCGI +\d+ of 40", text) and "HTS006 ended by the administrator" in text


def test_sessions_lists_what_an_administrator_asks_for_and_never_a_handle(gateway: Gateway) -> None:
    user = {"Authorization": basic("ada", "ada")}
    session = Begun(gateway, "private", "timeout=5", **user)
    assert session.call("count&timeout=5", "/cart/7") == 200
    one = listed(gateway)[session.handle[:4]]
    assert (one["user"], one["pid"], one["state"], one["requests"]) == ("ada", session.pid, "idle", 2)
    assert (one["cgi_name"], one["last"], one["queue"]) == ("/cgi-bin/private", "/cgi-bin/private/cart/7", 0)
    assert 0 < one["left"] <= 300 and one["memory"] > 0 and one["bytes_out"] > 0 and one["age"] >= one["idle"]
    for words in (["sessions"], ["sessions", "--json"], ["show", session.path], ["status"]):
        found = run(gateway, *words)
        assert session.handle not in found.out + found.err
    line = next(line for line in run(gateway, "sessions").out.splitlines() if session.handle[:4] in line)
    assert line.split()[:2] == [one["id"], "idle"] and "/cart/7" in line and "ada" in line


def test_tables_have_no_colours_where_no_terminal_is(gateway: Gateway) -> None:
    Begun(gateway)
    assert "\x1b" not in run(gateway, "sessions").out + run(gateway, "status").out


def test_show_says_why_a_session_is_alive_and_what_will_end_it(gateway: Gateway) -> None:
    session = Begun(gateway, query="timeout=3")
    text = run(gateway, "show", session.id).out
    assert "alive because its last response asked to be kept, and 3m were granted" in text
    assert re.search(r"  - the time-out in 1[78]\d s, unless a request comes first \(HTS002\)", text)
    assert "  - a response without Accept-HTSession" in text and str(gateway.cgi_bin / "child") in text


def test_show_of_a_busy_session_says_so(gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    session = Begun(gateway)
    answer = pool.submit(session.call, f"echo=1&flush&wait={tmp_path}/go")
    busy = wait_for("the request", lambda: f if (f := session.facts)["state"] == "busy" else None)
    assert busy["left"] is None and busy["alive"].startswith("a request runs")
    assert any(text.startswith("CGIScriptTimeout") for text in busy["ends"])
    (tmp_path / "go").touch()
    assert answer.result() == 200


def test_a_session_is_named_by_number_pid_handle_path_or_URL(gateway: Gateway) -> None:
    session = Begun(gateway)
    url = f"http://localhost:{gateway.port}{session.path}/more?x=1"
    for name in (session.id, str(session.pid), session.handle, session.path, url):
        assert asked(gateway, "session", name)["pid"] == session.pid


def test_an_unknown_session_ends_with_1(gateway: Gateway) -> None:
    for words in (
        ["show", "987654"],
        ["end", "/cgi-bin/child/nothing"],
        ["extend", "nothing", "5m"],
        ["show", "http://[/"],
    ):
        found = run(gateway, *words)
        assert (found.status, found.out) == (1, ""), words
        assert found.err and "nothing" not in found.err


def test_show_of_an_ended_session_has_the_reason_and_time_of_the_410_page(gateway: Gateway) -> None:
    ended, crashed, closed = Begun(gateway), Begun(gateway), Begun(gateway)
    numbers = {one: one.id for one in (ended, crashed, closed)}
    gateway.get(f"{ended.path}?count")
    gateway.get(f"{crashed.path}?handle={crashed.handle}&exit=3")
    asked(gateway, "end", closed.id)
    texts = {
        ended: "HTS006 ended by the program",
        crashed: "HTS007",
        closed: "HTS006 ended by the administrator",
    }
    for one, number in numbers.items():
        page = json.loads(gateway.get(one.path, Accept="application/json").text)
        told = asked(gateway, "session", one.path)
        assert (told["reason"], told["ended"]) == (page["reason"], page["ended"])
        assert told["text"].startswith(texts[one]) and told["requests"] >= 1
        assert asked(gateway, "session", one.handle)["reason"] == page["reason"]
        by_number = asked(gateway, "session", number)
        assert (by_number["reason"], by_number["text"]) == (told["reason"], told["text"])
    for one in (ended, closed):
        page = json.loads(gateway.get(one.path, Accept="application/json").text)
        text = run(gateway, "show", one.path).out
        assert f"this session is over: {page['reason']}" in text and page["ended"] in text


@pytest.mark.parametrize("program", ["child", "shared/d"])
def test_the_user_and_the_administrator_read_who_ended_a_session(gateway: Gateway, program: str) -> None:
    """R4: the reason is one, `ended`; the words are not."""
    by_program, by_hand, beside = (Begun(gateway, program) for _ in range(3))
    gateway.get(f"{by_program.path}?count")
    asked(gateway, "end", by_hand.path)
    stories = {
        by_program: "Its program closed it, as it does when its work is done.",
        by_hand: "The administrator of this server closed it.",
    }
    for one, story in stories.items():
        answer = gateway.get(one.path, Accept="application/json")
        assert (answer.status, answer.header("x-htsession-ended")) == (410, "ended")
        assert json.loads(answer.text)["reason"] == "ended"
        page, shown = gateway.get(one.path, Accept="text/html").text, run(gateway, "show", one.path).out
        assert [story in text for text in (page, shown)] == [True, True]
        others = set(stories.values()) - {story}
        assert not any(other in page + shown for other in others)
    assert beside.call() == 200


def test_a_pasted_handle_is_explained_after_a_reload_too(gateway: Gateway) -> None:
    session = Begun(gateway)
    asked(gateway, "end", session.path)
    gateway.reload()
    assert gateway.reason(session.path) == asked(gateway, "session", session.path)["reason"] == "ended"


def test_a_replaced_handle_leads_to_the_session_that_goes_on(gateway: Gateway) -> None:
    session, newer = Begun(gateway), new_handle()
    assert gateway.get(f"{session.path}?handle={newer}&count").status == 200
    told = asked(gateway, "session", session.path)
    assert (told["state"], told["reason"]) == ("replaced", "replaced")
    assert asked(gateway, "session", newer)["pid"] == session.pid
    refused = run(gateway, "end", session.path)
    assert (refused.status, newer in refused.err) == (1, False)
    assert "this handle is an older one of a session that went on: replaced" in refused.err


def test_an_older_handle_never_says_that_a_session_goes_on_which_is_over(gateway: Gateway) -> None:
    session, newer = Begun(gateway), new_handle()
    assert gateway.get(f"{session.path}?handle={newer}&count").status == 200
    asked(gateway, "end", newer)
    page, shown = gateway.get(session.path, Accept="text/plain").text, run(gateway, "show", session.path).out
    for text in (page, shown):
        assert "goes on" not in text
        assert "which also tells whether it has ended since" in text
    assert "this handle is out of date, its session went on under a newer one: replaced" in shown


# ---- end and extend


def test_end_ends_a_session_in_order_and_names_its_reason(gateway: Gateway, tmp_path: Path) -> None:
    session = Begun(gateway, query=f"diary={tmp_path}/diary")
    found = run(gateway, "end", session.id)
    assert found.status == 0 and found.out.endswith(" is ended: /cgi-bin/child " + session.handle[:4] + "…\n")
    assert gateway.reason(session.path) == "ended"
    gateway.wait_log(rf"HTS006 ended by the administrator: /cgi-bin/child {session.handle[:4]}")
    wait_for("its end", lambda: not alive(session.pid))
    assert (tmp_path / "diary").read_text() == "eof\n"


def test_end_gives_up_a_running_request(gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    session = Begun(gateway)
    answer = pool.submit(session.call, f"wait={tmp_path}/never&count")
    wait_for("the request", lambda: session.facts["state"] == "busy")
    assert run(gateway, "end", str(session.pid)).status == 0
    assert answer.result() == 503
    assert gateway.reason(session.path) == "ended"
    assert run(gateway, "show", session.path).out.count("HTS006 ended by the administrator") == 1


def test_end_of_a_session_of_a_shared_instance_leaves_the_others(gateway: Gateway) -> None:
    one, other = Begun(gateway, "shared/a"), Begun(gateway, "shared/a")
    assert one.pid == other.pid and "." in one.id
    ambiguous = run(gateway, "end", str(one.pid))
    assert (ambiguous.status, "2 sessions" in ambiguous.err) == (1, True)
    assert run(gateway, "end", one.id).status == 0
    assert (gateway.reason(one.path), other.call()) == ("ended", 200)
    assert run(gateway, "end", other.id).status == 0
    wait_for("the end of the process", lambda: not alive(other.pid))


def test_end_waits_for_a_request_in_a_shared_instance(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    one, other = Begun(gateway, "shared/b"), Begun(gateway, "shared/b")
    answer = pool.submit(one.call, f"wait={tmp_path}/go&count")
    wait_for("the request", lambda: one.facts["state"] == "busy")
    waiting = pool.submit(other.call)
    wait_for("the other's request", lambda: other.facts["state"] == "waiting")
    ended = pool.submit(run, gateway, "end", one.id)
    (tmp_path / "go").touch()
    assert (answer.result(), waiting.result(), ended.result().status) == (200, 200, 0)
    assert (gateway.reason(one.path), other.call()) == ("ended", 200)


def test_extend_moves_the_deadline_and_outlives_a_reload(gateway: Gateway) -> None:
    session = Begun(gateway, query="timeout=1")
    assert session.facts["left"] <= 60
    assert "given more time" not in session.facts["alive"]
    number = session.id
    found = run(gateway, "extend", number, "10m")
    assert (found.status, found.out) == (0, f"{number} has 10m00s left\n")
    gateway.reload()
    assert 500 < session.facts["left"] <= 600
    assert "1m were granted; it was given more time since; " in session.facts["alive"]
    assert session.call("timeout=1&count") == 200
    assert session.facts["left"] <= 60
    assert "given more time" not in session.facts["alive"]


def test_extend_of_a_session_of_a_shared_instance(gateway: Gateway) -> None:
    one, other = (Begun(gateway, "shared/c", "timeout=1") for _ in range(2))
    assert asked(gateway, "extend", one.id, time="10m")["left"] > 590
    assert other.facts["left"] <= 60


@pytest.mark.parametrize(
    ("time", "text"),
    [
        ("21m", "expected at most MaxPersistentCGITimeout, 20m, found 21m"),
        ("1s", "s left already, no less than 1s"),
        ("soon", "TIME: expected a time such as 90, 90s, 5m"),
    ],
)
def test_extend_is_refused_with_the_bound_named(gateway: Gateway, time: str, text: str) -> None:
    session = Begun(gateway)
    found = run(gateway, "extend", session.id, time)
    assert found.status == 1 and text in found.err
    assert session.call() == 200


def test_a_session_whose_request_runs_is_not_extended(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    session = Begun(gateway)
    answer = pool.submit(session.call, f"wait={tmp_path}/go&count")
    wait_for("the request", lambda: session.facts["state"] == "busy")
    found = run(gateway, "extend", session.path, "10m")
    assert (found.status, "its clock begins anew" in found.err) == (1, True)
    (tmp_path / "go").touch()
    assert answer.result() == 200
