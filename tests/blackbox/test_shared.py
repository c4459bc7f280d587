"""Shared instances: one process, many sessions (spec 1, S1 to S5)."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import Slow
from tests.blackbox.credentials import basic, guarded, write_users
from tests.blackbox.harness import BOUND, Answer, Gateway, wait_for
from tests.blackbox.proc import alive

NAMES = [f"shared/{name}" for name in "abcdefghijklmnopqrstuvwxyz"]
DIRECTIVES = """
MaxPersistentCGI 60
PersistentCGIQueue 1
ScriptAlias /alias/ cgi-bin/
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
<Directory cgi-bin/shared/fresh>
  PersistentCGIExpired fresh
</Directory>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    users = write_users(tmp_path_factory.mktemp("users") / "users", "ada", "bob")
    gateway = serve_shared(f"{DIRECTIVES}<Location /cgi-bin/shared/private>\n{guarded(users)}\n</Location>")
    for name in [*NAMES, "shared/fresh/child", "shared/private/child"]:
        gateway.program(name, CHILD_TEXT)
    return gateway


@pytest.fixture
def url(gateway: Gateway) -> str:
    """A shared program that no other test uses."""
    return f"/cgi-bin/{NAMES.pop()}"


def pid(answer: Answer) -> int:
    return answer.number("pid")


def start(gateway: Gateway, url: str, query: str = "count", handle: str = "") -> str:
    """A session; its handle."""
    handle = handle or new_handle()
    answer = gateway.get(f"{url}?handle={handle}&{query}")
    assert answer.status == 200, answer
    return handle


def call(gateway: Gateway, url: str, handle: str, query: str = "count", new: str = "") -> Answer:
    return gateway.get(f"{url}/{handle}?handle={new or handle}&{query}")


def told(answer: Answer) -> list[str]:
    """What HTSESSION_ENDED named."""
    found = re.search(r"HTSESSION_ENDED=(.*)", answer.text)
    assert found, answer.text
    return [] if found[1] == "<absent>" else found[1].split(" ")


# ---- S1


def test_S1_requests_without_a_handle_go_to_the_one_living_instance(gateway: Gateway, url: str) -> None:
    one, two = (start(gateway, url) for _ in range(2))
    third = gateway.get(f"{url}?handle={new_handle()}&count&env=HTSESSION_HANDLE&env=HTSESSION_NEXT_HANDLE")
    assert third.number("count") == 3 and "HTSESSION_HANDLE=<absent>" in third.text
    assert "HTSESSION_NEXT_HANDLE=<absent>" not in third.text
    answers = [call(gateway, url, handle) for handle in (one, two, one)]
    assert {pid(answer) for answer in answers} == {pid(third)}
    assert [answer.number("count") for answer in answers] == [4, 5, 6]


def test_S1_an_unknown_first_segment_is_path_info_for_the_living_instance(gateway: Gateway, url: str) -> None:
    start(gateway, url)
    answer = gateway.get(f"{url}/never-issued/rest?env=PATH_INFO&env=HTSESSION_HANDLE&count")
    assert "PATH_INFO=/never-issued/rest" in answer.text and "HTSESSION_HANDLE=<absent>" in answer.text
    assert answer.number("count") == 2


def test_S1_a_page_without_a_handle_leaves_the_others_alone(gateway: Gateway, url: str) -> None:
    handle = start(gateway, url)
    assert gateway.get(f"{url}?count").number("count") == 2
    assert call(gateway, url, handle).number("count") == 3


def test_S1_R2_each_name_has_its_own_instance(gateway: Gateway, url: str) -> None:
    alias = url.replace("/cgi-bin/", "/alias/")
    one, two = gateway.get(f"{url}?handle=same&count"), gateway.get(f"{alias}?handle=same&count")
    assert pid(one) != pid(two) and one.number("count") == two.number("count") == 1


def test_S1_R4_a_retired_handle_is_answered_by_the_gateway(gateway: Gateway, url: str) -> None:
    start(gateway, url)
    over = start(gateway, url)
    assert gateway.get(f"{url}/{over}?count").number("count") == 3
    assert gateway.reason(f"{url}/{over}?count") == "ended"


def test_S1_R4_fresh_when_expired_goes_to_the_living_instance_and_says_so(gateway: Gateway) -> None:
    url = "/cgi-bin/shared/fresh/child"
    start(gateway, url)
    over = start(gateway, url)
    gateway.get(f"{url}/{over}?count")
    answer = gateway.get(f"{url}/{over}?handle={new_handle()}&env=HTSESSION_STATUS&count")
    assert answer.number("count") == 4 and "HTSESSION_STATUS=expired" in answer.text
    refused = gateway.get(f"{url}/{over}?handle={over}&count")  # R3: not under the name in its own URL
    assert refused.number("count") == 5
    assert gateway.get(f"{url}/{over}?env=HTSESSION_HANDLE").text == "HTSESSION_HANDLE=<absent>\n"


def test_S1_many_first_requests_at_once_start_one_instance(
    gateway: Gateway, url: str, pool: ThreadPoolExecutor
) -> None:
    pages = [pool.submit(gateway.get, f"{url}?handle={new_handle()}&count") for _ in range(8)]
    answers = [page.result(BOUND) for page in pages]
    assert {answer.status for answer in answers} == {200} and len({pid(answer) for answer in answers}) == 1
    assert sorted(answer.number("count") for answer in answers) == list(range(1, 9))


def test_S1_after_the_last_session_the_next_request_starts_another_instance(gateway: Gateway, url: str) -> None:
    handle = start(gateway, url)
    first = pid(call(gateway, url, handle))
    gateway.get(f"{url}/{handle}?count")
    wait_for("the instance to end", lambda: not alive(first))
    answer = gateway.get(f"{url}?handle={new_handle()}&count")
    assert answer.number("count") == 1 and pid(answer) != first


# ---- S2


def test_S2_each_session_has_its_own_handles(gateway: Gateway, url: str) -> None:
    one, two, newer = start(gateway, url), start(gateway, url), new_handle()
    assert call(gateway, url, one, new=newer).status == 200
    assert gateway.reason(f"{url}/{one}") == "replaced"
    assert call(gateway, url, two).number("count") == call(gateway, url, newer).number("count") - 1


def test_S2_H4_a_handle_of_another_session_is_refused(gateway: Gateway, url: str) -> None:
    one, two = start(gateway, url), start(gateway, url)
    assert gateway.get(f"{url}?handle={one}&count").number("count") == 3
    gateway.wait_log(f"HTS001 .*{url} hand")
    assert call(gateway, url, two, new=one).status == 200  # it loses its own too
    assert gateway.reason(f"{url}/{two}") == "ended"
    assert call(gateway, url, one).number("count") == 5


def test_S2_H8_a_response_without_a_handle_ends_only_its_session(gateway: Gateway, url: str) -> None:
    one, two = start(gateway, url), start(gateway, url)
    assert gateway.get(f"{url}/{one}?count").number("count") == 3
    assert gateway.reason(f"{url}/{one}") == "ended"
    answer = call(gateway, url, two, "env=HTSESSION_ENDED&count")
    assert answer.number("count") == 4 and told(answer) == []


def test_S2_H7_a_time_of_zero_ends_only_its_session(gateway: Gateway, url: str) -> None:
    one, two = start(gateway, url), start(gateway, url)
    assert call(gateway, url, one, "timeout=0&count").number("count") == 3
    assert gateway.reason(f"{url}/{one}") == "ended"
    assert call(gateway, url, two).number("count") == 4


def test_S2_R3_the_segment_of_its_own_URL_is_refused_for_every_session(gateway: Gateway, url: str) -> None:
    one = start(gateway, url)
    assert gateway.get(f"{url}/wished?handle=wished&count").number("count") == 2
    gateway.wait_log(f"HTS004 .*{url} wis")
    assert gateway.get(f"{url}/wished?count&env=HTSESSION_HANDLE").text.endswith("=<absent>\n")
    assert call(gateway, url, one).number("count") == 4


def test_S2_L3_head_starts_no_session(gateway: Gateway, url: str) -> None:
    one = start(gateway, url)
    assert gateway.request("HEAD", f"{url}?handle=by-head&count").status == 200
    assert call(gateway, url, one).number("count") == 3
    assert "HTSESSION_HANDLE=<absent>" in gateway.get(f"{url}/by-head?env=HTSESSION_HANDLE").text


def test_S2_R7_a_lost_page_costs_nobody_else_and_a_lost_first_one_only_itself(
    gateway: Gateway, url: str, tmp_path: Path
) -> None:
    one = start(gateway, url)
    for target, handle in ((f"{url}/{one}", one), (url, "lost")):
        go, begun = tmp_path / f"go{handle}", tmp_path / f"begun{handle}"
        with gateway.connect() as sock:
            query = f"handle={handle}&touch={begun}&wait={go}&size=100000"
            sock.sendall(f"GET {target}?{query} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            wait_for("the program to run", begun.exists)
        go.touch()
    answer = call(gateway, url, one, "count&env=HTSESSION_ENDED")
    assert answer.number("count") == 4 and told(answer) == ["lost"], (
        "the program may forget what nobody can call"
    )
    assert gateway.reason(f"{url}/lost") == "ended"


def test_a_body_comes_by_the_frame(gateway: Gateway, url: str) -> None:
    one = start(gateway, url)
    assert gateway.post(f"{url}?handle={new_handle()}&body", b"a body").text == "a body"
    large = b"x" * 3_000_000
    assert gateway.post(f"{url}?handle={new_handle()}&digest", large).number("length") == len(large)
    assert gateway.post(f"{url}/{one}?handle={one}&digest", large).number("length") == len(large)


def test_a_large_first_body_streams_into_a_new_instance(gateway: Gateway, url: str) -> None:
    answer = gateway.post(f"{url}?handle={new_handle()}&digest&count", b"x" * 3_000_000)
    assert (answer.number("length"), answer.number("count")) == (3_000_000, 1)


# ---- S3


def test_S3_without_any_session_the_instance_ends(gateway: Gateway, url: str) -> None:
    first = gateway.get(f"{url}?count&stay")
    wait_for("the instance to end", lambda: not alive(pid(first)))
    assert gateway.get(f"{url}?count&stay").number("count") == 1


def test_S3_the_end_of_the_last_session_ends_the_instance_by_end_of_file(
    gateway: Gateway, url: str, tmp_path: Path
) -> None:
    one = start(gateway, url, f"diary={tmp_path / 'diary'}")
    two = start(gateway, url)
    process = pid(call(gateway, url, one))
    for handle in (one, two):
        assert alive(process)
        gateway.get(f"{url}/{handle}?count")
    wait_for("the instance to end", lambda: not alive(process))
    assert (tmp_path / "diary").read_text() == "eof\n"


# ---- S4 and the clock


def test_S4_T1_each_session_has_its_own_clock_and_the_program_hears_who_is_over(serve: Serve) -> None:
    gateway = serve(DIRECTIVES + "PersistentCGITimeout 300ms\nMaxPersistentCGITimeout 1m")
    gateway.program("shared/a", CHILD_TEXT)
    url = "/cgi-bin/shared/a"
    long = start(gateway, url, "timeout=1&count")
    short = [start(gateway, url, "timeout=1&count") for _ in range(3)]
    newer = new_handle()
    assert call(gateway, url, short[0], new=newer).status == 200
    assert [call(gateway, url, handle).status for handle in short[1:]] == [200, 200]
    wait_for("three ends", lambda: gateway.log.count("HTS002 ") == 3)
    for handle in (newer, *short[1:]):
        assert gateway.reason(f"{url}/{handle}") == "timed-out"
    answer = call(gateway, url, long, "timeout=1&count&env=HTSESSION_ENDED")
    assert answer.number("count") == 8 and sorted(told(answer)) == sorted([newer, *short[1:]])
    assert told(call(gateway, url, long, "timeout=1&env=HTSESSION_ENDED")) == [], "once"
    assert told(gateway.get(f"{url}?handle={new_handle()}&env=HTSESSION_ENDED")) == [], "once"


def test_S4_they_are_named_in_a_frame_without_a_session_too(serve: Serve) -> None:
    gateway = serve(DIRECTIVES + "PersistentCGITimeout 200ms\nMaxPersistentCGITimeout 1m")
    gateway.program("shared/a", CHILD_TEXT)
    url = "/cgi-bin/shared/a"
    start(gateway, url, "timeout=1")
    over = start(gateway, url)
    gateway.wait_log("HTS002 ")
    assert told(gateway.get(f"{url}?env=HTSESSION_ENDED")) == [over]


def test_S3_T2_the_last_clock_ends_the_instance(serve: Serve) -> None:
    gateway = serve(DIRECTIVES + "PersistentCGITimeout 200ms")
    gateway.program("shared/a", CHILD_TEXT)
    url = "/cgi-bin/shared/a"
    process = pid(gateway.get(f"{url}?handle=one&timeout=1&count"))
    start(gateway, url, "timeout=1", "two")
    assert [call(gateway, url, handle).status for handle in ("one", "two")] == [200, 200]
    wait_for("the instance to end", lambda: not alive(process))
    assert gateway.log.count("HTS002") == 2


def test_T1_T2_a_request_that_waits_for_another_sessions_answer_stops_its_clock(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    gateway = serve(DIRECTIVES + "PersistentCGITimeout 2s\nMaxPersistentCGITimeout 1m")
    gateway.program("shared/a", CHILD_TEXT)
    url = "/cgi-bin/shared/a"
    one = start(gateway, url, "timeout=1")
    two, three = start(gateway, url), start(gateway, url)
    slow = Slow(gateway, pool, tmp_path, f"{url}/{one}?handle={one}&timeout=1")
    waiting = pool.submit(call, gateway, url, two)
    gateway.wait_log(
        f"HTS002 .*{url} {three[:4]}"
    )  # nobody wanted it; the clock runs while the instance is busy
    assert gateway.reason(f"{url}/{three}") == "timed-out"
    slow.finish()
    answer = waiting.result(BOUND)
    assert answer.status == 200 and answer.number("count") == 5
    assert call(gateway, url, two).status == 200


# ---- S5


def test_S5_one_request_at_a_time_and_a_queue_for_each_session(
    gateway: Gateway, url: str, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    one, two = start(gateway, url), start(gateway, url)
    slow = Slow(gateway, pool, tmp_path, f"{url}/{one}?handle={one}")
    waiting = [pool.submit(call, gateway, url, handle) for handle in (one, two)]
    waiting += [pool.submit(gateway.get, f"{url}?handle={new_handle()}&count") for _ in range(3)]
    wait_for("all to wait", lambda: queued(gateway) == len(waiting))
    assert [call(gateway, url, handle).status for handle in (one, two)] == [503, 503]
    assert not any(answer.done() for answer in waiting)
    slow.finish()
    assert {answer.result(BOUND).status for answer in waiting} == {200}


def test_S5_64_requests_without_a_handle_may_wait(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    gateway = serve(DIRECTIVES)
    gateway.program("shared/a", CHILD_TEXT)
    url = "/cgi-bin/shared/a"
    one = start(gateway, url)
    slow = Slow(gateway, pool, tmp_path, f"{url}/{one}?handle={one}")
    waiting = [gateway.connect() for _ in range(64)]
    try:
        for sock in waiting:
            sock.sendall(f"GET {url}?count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        wait_for("all to wait", lambda: queued(gateway) == 64)
        full = gateway.get(f"{url}?count")
        assert full.status == 503 and full.header("retry-after") is not None
        slow.finish()
        answers = [received(sock) for sock in waiting]
    finally:
        for sock in waiting:
            sock.close()
    assert {answer.split(b" ")[1] for answer in answers} == {b"200"}


def queued(gateway: Gateway) -> int:
    """How many requests wait for a process."""
    return int(json.loads(gateway.get("/server-status?json").body)["queue"]["session"])


def received(sock: object) -> bytes:
    data = b""
    while piece := sock.recv(65536):  # type: ignore[attr-defined]
        data += piece
    return data


def test_S5_L1_instances_are_counted_and_not_sessions(serve: Serve) -> None:
    gateway = serve(DIRECTIVES.replace("MaxPersistentCGI 60", "MaxPersistentCGI 2"))
    for name in ("a", "b"):
        gateway.program(f"shared/{name}", CHILD_TEXT)
    handles = [start(gateway, "/cgi-bin/shared/a") for _ in range(5)]
    start(gateway, "/cgi-bin/child")
    assert gateway.get("/cgi-bin/shared/b?handle=late&count").number("count") == 1
    gateway.wait_log("HTS003 MaxPersistentCGI is reached: /cgi-bin/shared/b")
    assert gateway.reason("/cgi-bin/shared/b/late") == "limit"
    counts = [call(gateway, "/cgi-bin/shared/a", handle).number("count") for handle in handles]
    assert counts == [6, 7, 8, 9, 10]


def test_S5_L1_the_sessions_of_one_instance_are_bounded(serve: Serve) -> None:
    gateway = serve(DIRECTIVES + "PersistentCGISharedSessions 3")
    gateway.program("shared/a", CHILD_TEXT)
    url = "/cgi-bin/shared/a"
    handles = [start(gateway, url) for _ in range(3)]
    assert gateway.get(f"{url}?handle=late&count").number("count") == 4, "the page is delivered"
    gateway.wait_log(f"HTS003 PersistentCGISharedSessions is reached: {url} la")
    assert gateway.reason(f"{url}/late") == "limit"
    assert call(gateway, url, handles[0], new="newer").number("count") == 5, "a session goes on"
    gateway.get(f"{url}/newer?count")
    assert call(gateway, url, start(gateway, url)).number("count") == 8, "there is room again"


@pytest.mark.parametrize(
    ("fault", "log", "reason"),
    [
        ("kill=KILL", "HTS007 .*signal 9", "crashed"),
        ("count&nomark&exit=0", "HTS007 exited", "ended"),
        ("noread&late=x", "HTS011", "protocol"),
    ],
)
def test_S5_a_fault_of_one_call_costs_all_sessions_and_says_so(
    gateway: Gateway, url: str, fault: str, log: str, reason: str
) -> None:
    handles = [start(gateway, url) for _ in range(3)]
    process = pid(call(gateway, url, handles[0]))
    call(gateway, url, handles[1], fault)
    gateway.wait_log(f"{log}.*, with 3 sessions: {url}")
    assert [gateway.reason(f"{url}/{handle}") for handle in handles] == [reason] * 3
    wait_for("the instance to end", lambda: not alive(process))
    assert gateway.get(f"{url}?handle={new_handle()}&count").number("count") == 1


def test_S5_T4_a_program_that_is_silent_costs_all_sessions(serve: Serve) -> None:
    gateway = serve(DIRECTIVES + "CGIScriptTimeout 1s")
    gateway.program("shared/a", CHILD_TEXT)
    url = "/cgi-bin/shared/a"
    handles = [start(gateway, url) for _ in range(2)]
    assert call(gateway, url, handles[0], "sleep=30").status == 504
    gateway.wait_log("HTS009 .*with 2 sessions")
    assert [gateway.reason(f"{url}/{handle}") for handle in handles] == ["crashed"] * 2


# ---- W1


def test_W1_each_session_has_its_own_user(gateway: Gateway) -> None:
    url = "/cgi-bin/shared/private/child"

    def ask(user: str, path: str) -> Answer:
        return gateway.request("GET", path, None, {"Authorization": basic(user)})

    assert ask("ada", f"{url}?handle=hers&count&env=REMOTE_USER").text.endswith("REMOTE_USER=ada\n")
    assert ask("bob", f"{url}?handle=his&count&env=REMOTE_USER").text.endswith("REMOTE_USER=bob\n")
    assert ask("bob", f"{url}/hers?handle=hers&count").status == 403
    assert ask("ada", f"{url}/his?handle=his&count").status == 403
    gateway.wait_log(f"HTS005 .*{url}")
    assert ask("ada", f"{url}/hers?handle=hers&count").number("count") == 3
    assert ask("bob", f"{url}/his?handle=his&count").number("count") == 4
