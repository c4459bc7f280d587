"""Shared instances: what one visitor does must not cost the others (S1 to S5, B3, R5, R7, L2, T2)."""

from __future__ import annotations

import re
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import Slow
from tests.blackbox.harness import BOUND, Answer, Gateway, wait_for

pytestmark = pytest.mark.running

NAMES = [f"shared/{name}" for name in "abcdefghijkl"]
DIRECTIVES = """
PersistentCGIQueueTimeout 20s
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
<Directory cgi-bin/shared/few>
  PersistentCGISharedSessions 1
</Directory>
<Directory cgi-bin/shared/stale>
  PersistentCGIPreviousHandles 1
</Directory>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    for name in [*NAMES, "shared/few/child", "shared/stale/child", "shared/nph-child"]:
        gateway.program(name, CHILD_TEXT)
    return gateway


@pytest.fixture
def url(gateway: Gateway) -> str:
    """A shared program that no other test uses."""
    return f"/cgi-bin/{NAMES.pop()}"


def start(gateway: Gateway, url: str) -> str:
    handle = new_handle()
    assert gateway.get(f"{url}?handle={handle}&count").status == 200
    return handle


def call(gateway: Gateway, url: str, handle: str, query: str = "count") -> Answer:
    answer = gateway.get(f"{url}/{handle}?handle={handle}&{query}")
    assert answer.status == 200, answer
    return answer


def told(answer: Answer) -> list[str]:
    found = re.search(r"HTSESSION_ENDED=(.*)", answer.text)
    assert found, answer.text
    return [] if found[1] == "<absent>" else found[1].split(" ")


@pytest.mark.parametrize("whose", ["a session's", "a newcomer's"])
def test_B3_a_client_that_leaves_in_a_large_body_costs_nobody_a_session(
    gateway: Gateway, url: str, whose: str
) -> None:
    one, two = start(gateway, url), start(gateway, url)
    target = f"{url}/{one}?handle={one}" if whose == "a session's" else f"{url}?handle={new_handle()}"
    with gateway.connect() as sock:
        head = f"POST {target}&digest HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n"
        sock.sendall(head.encode() + b"x" * 2_000_000)
        assert call(gateway, url, two).number("count") == 3, "it is not in the way either"
    assert [call(gateway, url, handle).number("count") for handle in (one, two)] == [4, 5]
    large = gateway.post(f"{url}/{one}?handle={one}&digest", b"x" * 3_000_000)
    assert large.number("length") == 3_000_000


def test_T1_a_request_that_gives_up_while_the_first_page_comes_does_not_end_the_session(
    gateway: Gateway, url: str, tmp_path: Path
) -> None:
    start(gateway, url)
    go = tmp_path / "go"
    with gateway.connect() as page:
        query = f"handle=early&echo=begun&wait={go}&count"
        page.sendall(f"GET {url}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
        wait_for("the head of the page", lambda: b"begun" in page.recv(65536))  # H5: the handle is live
        with gateway.connect() as sock:
            sock.sendall(f"GET {url}/early?handle=early HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert gateway.get("/cgi-bin/child?echo=x").text == "x"  # it waits by now
        assert gateway.get("/cgi-bin/child?echo=x").text == "x"  # and has left by now
        go.touch()
        assert b"count=2" in received(page)
    assert call(gateway, url, "early").number("count") == 3


def received(sock: socket.socket) -> bytes:
    data = b""
    while piece := sock.recv(65536):
        data += piece
    return data


def test_T2_a_session_that_ends_while_its_own_request_still_sends_is_over(gateway: Gateway, url: str) -> None:
    one, two = start(gateway, url), start(gateway, url)
    with gateway.connect() as sock:
        head = f"POST {url}/{one}?handle={one}&count HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n"
        sock.sendall(f"{head}Connection: close\r\n\r\nab".encode())
        wait_for("the request to be under way", lambda: gateway.get(f"{url}/{one}?count").status == 200)
        sock.sendall(b"cd")
        answer = sock.recv(65536)
    assert answer.startswith(b"HTTP/1.1 410 ") and b"x-htsession-ended: ended" in answer.lower()
    assert call(gateway, url, two).number("count") == 4
    assert told(call(gateway, url, start(gateway, url), "env=HTSESSION_ENDED")) == []


def test_S4_a_program_hears_of_newcomers_who_became_no_session(gateway: Gateway, url: str) -> None:
    one = start(gateway, url)
    for target, handle in ((f"{url}?handle=by-head", "by-head"), (f"{url}/wished?handle=wished", "wished")):
        assert gateway.request("HEAD" if handle == "by-head" else "GET", target).status == 200  # L3, R3
        assert told(call(gateway, url, one, "env=HTSESSION_ENDED")) == [handle]
        assert told(call(gateway, url, one, "env=HTSESSION_ENDED")) == [], "once"
    assert gateway.get(f"{url}?handle={one}&count").status == 200  # H4: this one lives
    assert told(call(gateway, url, one, "env=HTSESSION_ENDED")) == []
    few = "/cgi-bin/shared/few/child"
    kept = start(gateway, few)
    gateway.get(f"{few}?handle=too-many&count")
    assert told(call(gateway, few, kept, "env=HTSESSION_ENDED")) == ["too-many"]


def test_S4_H4_a_session_that_asks_for_anothers_handle_is_named(gateway: Gateway, url: str) -> None:
    one, two = start(gateway, url), start(gateway, url)
    assert gateway.get(f"{url}/{two}?handle={one}&count").status == 200
    assert told(call(gateway, url, one, "env=HTSESSION_ENDED")) == [two], "it could not know"


def test_P3_programs_that_exit_at_once_hold_no_place(serve: Serve) -> None:
    """L1: a program that asks to stay and exits is counted until it has been reaped."""
    gateway = serve(f"{DIRECTIVES}\nMaxPersistentCGI 1")
    gateway.program("shared/a", CHILD_TEXT)
    for number in range(30):
        answer = gateway.get(f"/cgi-bin/shared/a?handle=gone{number}&echo=x&flush&exit=0")
        assert answer.text == "x"
        wait_for("its end", lambda: not gateway.instances())
        assert gateway.reason(f"/cgi-bin/shared/a/gone{number}") in ("ended", "limit")
    assert "HTS001" not in gateway.log
    assert call(gateway, "/cgi-bin/shared/a", start(gateway, "/cgi-bin/shared/a")).number("count") == 2


def test_H10_programs_that_cannot_persist_run_side_by_side(
    gateway: Gateway, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    raw = "raw=HTTP/1.0+200+OK%0D%0AContent-Type:+text/plain%0D%0A%0D%0Ax"
    slow = Slow(gateway, pool, tmp_path, f"/cgi-bin/shared/nph-child?{raw}")
    assert gateway.get(f"/cgi-bin/shared/nph-child?{raw}").text == "x"
    assert slow.finish().text == "x"


def test_L2_a_shared_instance_that_cannot_be_started_for_want_of_jobs_is_503_for_all_who_wait(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    gateway = serve(f"{DIRECTIVES}\nMaxCGIJobs 1\nPersistentCGIQueueTimeout 1s")
    gateway.program("shared/a", CHILD_TEXT)
    slow = Slow(gateway, pool, tmp_path, "/cgi-bin/child?echo=x")
    waiting = [pool.submit(gateway.get, f"/cgi-bin/shared/a?handle={new_handle()}&count") for _ in range(4)]
    answers = [answer.result(BOUND) for answer in waiting]
    assert {(answer.status, bool(answer.header("retry-after"))) for answer in answers} == {(503, True)}
    slow.finish()
    assert gateway.get(f"/cgi-bin/shared/a?handle={new_handle()}&count").number("count") == 1


def test_a_start_that_fails_is_500_for_all_who_wait(gateway: Gateway, pool: ThreadPoolExecutor) -> None:
    gateway.program("shared/broken", "#!/nowhere/interpreter\n")
    waiting = [pool.submit(gateway.get, "/cgi-bin/shared/broken") for _ in range(8)]
    assert {answer.result(BOUND).status for answer in waiting} == {500}
    gateway.program("shared/broken", CHILD_TEXT)
    assert gateway.get("/cgi-bin/shared/broken?handle=x&count").number("count") == 1


def test_R6_previous_handles_reach_their_own_session(gateway: Gateway) -> None:
    url = "/cgi-bin/shared/stale/child"
    one, two = start(gateway, url), start(gateway, url)
    newer = new_handle()
    assert gateway.get(f"{url}/{one}?handle={newer}&count").number("count") == 3
    verbs = "env=HTSESSION_STALE&env=HTSESSION_CURRENT_HANDLE"
    stale = gateway.get(f"{url}/{one}?handle={one}&{verbs}").text
    assert stale == f"HTSESSION_STALE=1\nHTSESSION_CURRENT_HANDLE={newer}\n"
    assert "HTSESSION_STALE=<absent>" in call(gateway, url, two, verbs).text
    newest = new_handle()
    assert gateway.get(f"{url}/{newer}?handle={newest}&count").status == 200
    assert gateway.reason(f"{url}/{one}") == "replaced"


def test_T5_a_stop_while_a_newcomer_starts_it_and_others_wait(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    gateway = serve(DIRECTIVES)
    gateway.program("shared/a", CHILD_TEXT)
    slow = Slow(gateway, pool, tmp_path, "/cgi-bin/shared/a?handle=first&echo=x")
    waiting = [gateway.connect() for _ in range(3)]
    for sock in waiting:
        sock.sendall(b"GET /cgi-bin/shared/a?count HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    gateway.get("/cgi-bin/child?echo=x")  # the others have been read before
    assert gateway._process is not None
    gateway._process.terminate()
    answers = [sock.recv(65536) for sock in waiting]
    assert all(answer.startswith(b"HTTP/1.1 503 ") for answer in answers if answer)
    assert slow.finish().text == "x"
    assert gateway.stop() == 0
    for sock in waiting:
        sock.close()


def test_W3_the_access_log_masks_the_handles_of_all_sessions(serve: Serve) -> None:
    gateway = serve(f"{DIRECTIVES}\nCustomLog logs/access.log common")
    gateway.program("shared/a", CHILD_TEXT)
    handles = [start(gateway, "/cgi-bin/shared/a") for _ in range(2)]
    for handle in handles:
        gateway.get(f"/cgi-bin/shared/a/{handle}?count")  # the last page: retired from here on
        gateway.get(f"/cgi-bin/shared/a/{handle}")
    gateway.stop()
    lines = (gateway.folder / "logs" / "access.log").read_text().splitlines()
    paths = [line.split('"')[1].split()[1].partition("?")[0] for line in lines]
    assert paths.count(f"/cgi-bin/shared/a/{handles[0][:4]}...") == 4, paths
    assert not any(handle in path for path in paths for handle in handles)


HOSTED = {
    "hosted.py": """
import os
calls = 0
if __name__ == "__main__":
    calls += 1
    print("Accept-HTSession:", os.environ.get("HTSESSION_HANDLE") or os.environ["HTSESSION_NEXT_HANDLE"])
    print("Content-Type: text/plain\\n\\n" + "calls=%d pid=%d" % (calls, os.getpid()))
    print("HTSESSION_ENDED=" + os.environ.get("HTSESSION_ENDED", "<absent>"))
""",
    "hosted.pl": """
our $calls;
$calls++;
my $handle = $ENV{HTSESSION_HANDLE} || $ENV{HTSESSION_NEXT_HANDLE};
print "Accept-HTSession: $handle\\nContent-Type: text/plain\\n\\ncalls=$calls pid=$$\\n";
print "HTSESSION_ENDED=", $ENV{HTSESSION_ENDED} // "<absent>", "\\n";
""",
}


@pytest.mark.needs("perl")
@pytest.mark.parametrize("ahead", [0, 1])
def test_S1_a_hosted_program_is_shared_whether_its_host_was_ready_or_not(
    serve: Serve, pool: ThreadPoolExecutor, ahead: int
) -> None:
    groups = "CGIActivationGroup python .py\nCGIActivationGroup perl .pl"
    gateway = serve(f"{DIRECTIVES}\n{groups}\nStartCGI {ahead}")
    for name, text in HOSTED.items():
        url = f"/cgi-bin/shared/{name}"
        gateway.program(f"shared/{name}", text)
        pages = [pool.submit(gateway.get, url) for _ in range(6)]
        answers = [page.result(BOUND) for page in pages]
        assert sorted(answer.number("calls") for answer in answers) == [1, 2, 3, 4, 5, 6]
        assert len({answer.number("pid") for answer in answers}) == 1
        assert gateway.request("HEAD", url).status == 200
        assert len(told(gateway.get(url))) == 1
        assert told(gateway.get(url)) == [], "it is not stale in the next call (B1)"
