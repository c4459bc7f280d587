"""T1 to T4, CGIStopGrace, HTS007: session clock, script clock, and how an instance ends."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive

NEVER = "/never"


@pytest.fixture(scope="module")
def short(serve_shared: Serve) -> Gateway:
    """Sessions of 300 ms."""
    return serve_shared("PersistentCGITimeout 300ms\nCGIStopGrace 100ms")


@pytest.fixture(scope="module")
def impatient(serve_shared: Serve) -> Gateway:
    """Programs have a second, clients a minute."""
    return serve_shared("CGIScriptTimeout 1s\nTimeout 60s\nCGIStopGrace 100ms")


@pytest.fixture(scope="module")
def gentle(serve_shared: Serve) -> Gateway:
    """Clocks are short, and TERM or KILL would come after half a minute."""
    return serve_shared("PersistentCGITimeout 50ms\nCGIScriptTimeout 1s\nCGIStopGrace 30s")


@pytest.fixture(scope="module")
def stepwise(serve_shared: Serve) -> Gateway:
    """A program has a second to heed each step of its end."""
    return serve_shared("PersistentCGITimeout 50ms\nCGIStopGrace 1s")


@pytest.fixture(scope="module")
def moving(serve_shared: Serve) -> Gateway:
    """Clients have to move within 300 ms."""
    return serve_shared("Timeout 300ms\nCGIScriptTimeout 60s\nCGIStopGrace 100ms")


def test_T1_the_clock_does_not_run_while_a_request_runs(serve: Serve, tmp_path: Path) -> None:
    gateway = serve("PersistentCGITimeout 1s\nCGIStopGrace 100ms")
    gateway.get("/cgi-bin/child?handle=t1-runs")
    with ThreadPoolExecutor() as pool:
        path = f"/cgi-bin/child/t1-runs?handle=t1-runs&touch={tmp_path}/runs&wait={tmp_path}/go&count"
        running = pool.submit(gateway.get, path)
        wait_for("the call", (tmp_path / "runs").exists)
        other = gateway.get("/cgi-bin/child?handle=t1-other&count")
        wait_for("the end of a session that rests", lambda: not alive(other.number("pid")))
        (tmp_path / "go").touch()
        assert running.result().text.startswith("count=2")
    assert gateway.get("/cgi-bin/child/t1-runs?handle=t1-runs&count").text.startswith("count=3")


def test_T2_an_idle_session_times_out(short: Gateway) -> None:
    answer = short.get("/cgi-bin/child?handle=t2-idle&count")
    wait_for("the end of the instance", lambda: not alive(answer.number("pid")))
    short.wait_log("HTS002 timed out after 0.3 s.*t2-")
    assert short.reason("/cgi-bin/child/t2-idle") == "timed-out"


def test_T2_a_request_near_the_deadline_is_answered_or_finds_the_session_ended(serve: Serve) -> None:
    gateway = serve("PersistentCGITimeout 20ms\nCGIStopGrace 100ms")
    for turn in range(12):
        handle, count = f"t2-race-{turn}", 1
        gateway.get(f"/cgi-bin/child?handle={handle}")
        while (answer := gateway.get(f"/cgi-bin/child/{handle}?handle={handle}&count")).status == 200:
            count += 1
            assert answer.number("count") == count
            time.sleep(0.001 * (10 + turn + count))  # closer and closer to the deadline; any outcome is right
        assert (answer.status, answer.header("x-htsession-ended")) == (410, "timed-out")


def test_T3_end_of_file_comes_first(gentle: Gateway, tmp_path: Path) -> None:
    answer = gentle.get(f"/cgi-bin/child?handle=t3-eof&count&diary={tmp_path}/diary")
    wait_for("the exit", lambda: not alive(answer.number("pid")))
    assert (tmp_path / "diary").read_text() == "eof\n"


def test_T3_then_TERM(stepwise: Gateway, tmp_path: Path) -> None:
    answer = stepwise.get(f"/cgi-bin/child?handle=t3-term&count&linger&diary={tmp_path}/diary")
    wait_for("the exit", lambda: not alive(answer.number("pid")))
    assert (tmp_path / "diary").read_text() == "eof\nterm\n"


def test_T3_then_KILL_of_the_whole_group(stepwise: Gateway, tmp_path: Path) -> None:
    query = f"handle=t3-kill&count&linger&diary={tmp_path}/diary&ignore&background=100"
    answer = stepwise.get(f"/cgi-bin/child?{query}")
    wait_for("the leader's end", lambda: not alive(answer.number("pid")))
    wait_for("the grandchild's end", lambda: not alive(answer.number("background")))
    assert (tmp_path / "diary").read_text() == "eof\nterm\n"  # it would never have gone by itself


def test_T3_grandchildren_of_a_session_end_with_it(short: Gateway) -> None:
    answer = short.get("/cgi-bin/child?handle=t3-grand&count&background=100")
    wait_for("the grandchild's end", lambda: not alive(answer.number("background")))


def test_T3_grandchildren_of_a_session_that_crashed_end_with_it(impatient: Gateway) -> None:
    answer = impatient.get("/cgi-bin/child?handle=t3-crash&count&background=100")
    assert impatient.get("/cgi-bin/child/t3-crash?kill=KILL").status == 502
    wait_for("the grandchild's end", lambda: not alive(answer.number("background")))


def test_T3_background_children_of_a_one_shot_that_exits_live_on(impatient: Gateway) -> None:
    answer = impatient.get("/cgi-bin/child?count&background=100")
    grandchild = answer.number("background")
    try:
        wait_for("the exit", lambda: not alive(answer.number("pid")))
        wait_for("the reaping", lambda: answer.number("pid") not in impatient.instances())
        impatient.get("/cgi-bin/child?echo=another")  # the keeper has been through its loop
        assert alive(grandchild)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(grandchild, signal.SIGKILL)


def test_T3_TERM_comes_first_for_an_instance_that_does_not_persist(gentle: Gateway, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    assert gentle.get(f"/cgi-bin/child?linger&diary={diary}&wait={NEVER}").status == 504
    wait_for("the exit", lambda: not gentle.instances())
    assert diary.read_text() == "term\n"


def test_T3_HTS011_kills_at_once(serve: Serve) -> None:
    gateway = serve("CGIStopGrace 1h")
    diary = gateway.folder / "diary"
    answer = gateway.get(f"/cgi-bin/child?handle=t3-now&count&diary={diary}&ignore&linger&background=100")
    gateway.post(f"/cgi-bin/child/t3-now?handle=t3-now&noread&latewait={NEVER}", b"left")
    wait_for("the leader's end", lambda: not alive(answer.number("pid")))
    wait_for("the grandchild's end", lambda: not alive(answer.number("background")))
    assert not diary.exists()


def test_T4_a_silent_program_is_504_and_ended(impatient: Gateway) -> None:
    before = set(impatient.instances())
    assert impatient.get(f"/cgi-bin/child?silent&wait={NEVER}").status == 504
    impatient.wait_log("HTS009 neither read nor wrote for 1 s")
    wait_for("the end of the program", lambda: before >= set(impatient.instances()))


def test_T4_a_silent_session_is_504_and_crashed(impatient: Gateway) -> None:
    impatient.get("/cgi-bin/child?handle=t4-silent")
    assert impatient.get(f"/cgi-bin/child/t4-silent?silent&wait={NEVER}").status == 504
    assert impatient.reason("/cgi-bin/child/t4-silent") == "crashed"


def test_T4_silence_after_the_head_cuts_the_connection(impatient: Gateway) -> None:
    answer = impatient.get(f"/cgi-bin/child?echo=begun&flush&wait={NEVER}")
    assert (answer.status, answer.body, answer.whole) == (200, b"begun", False)


def test_T4_output_keeps_a_program_alive(impatient: Gateway) -> None:
    pieces = "&".join(["echo=.&flush&sleep=0.3"] * 6)  # 1.8 s in all
    assert impatient.get(f"/cgi-bin/child?{pieces}").text == "......"


def test_T4_the_clock_does_not_run_while_a_slow_client_takes_its_time(impatient: Gateway) -> None:
    size = 16 << 20
    with impatient.connect() as sock:
        sock.sendall(f"GET /cgi-bin/child?size={size} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        received = len(sock.recv(1000).partition(b"\r\n\r\n")[2])
        for _ in range(2):  # silent programs run into their limit meanwhile
            assert impatient.get(f"/cgi-bin/child?silent&wait={NEVER}").status == 504
        while more := sock.recv(1 << 20):
            received += len(more)
    assert received == size


def test_T4_the_clock_does_not_run_while_a_slow_client_sends(impatient: Gateway) -> None:
    size = 200_000
    with impatient.connect() as sock:
        head = f"POST /cgi-bin/child?digest HTTP/1.1\r\nHost: localhost\r\nContent-Length: {size}\r\n"
        sock.sendall(head.encode() + b"Connection: close\r\n\r\n" + b"x" * (size // 2))
        for _ in range(2):
            assert impatient.get(f"/cgi-bin/child?silent&wait={NEVER}").status == 504
        sock.sendall(b"x" * (size // 2))
        assert b" 200 OK" in sock.recv(4096)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_T4_a_client_that_does_not_move_for_Timeout_counts_as_gone(moving: Gateway, method: str) -> None:
    handle = f"t4-client-{method}"
    moving.get(f"/cgi-bin/child?handle={handle}")
    with moving.connect() as sock:
        query = f"handle={handle}&" + ("size=50000000" if method == "GET" else "digest")
        length = "" if method == "GET" else "Content-Length: 3000000\r\n"
        head = f"{method} /cgi-bin/child/{handle}?{query} HTTP/1.1\r\nHost: localhost\r\n{length}\r\n"
        sock.sendall(head.encode() + b"x" * (0 if method == "GET" else 2_000_000))
        if method == "GET":  # R7: the rest is read and dropped, the session lives on
            wait_for(
                "the session",
                lambda: "count=3" in moving.get(f"/cgi-bin/child/{handle}?handle={handle}&count").text,
            )
        else:  # B3: the body can never come whole
            moving.wait_log("HTS011 the client left")
            assert moving.reason(f"/cgi-bin/child/{handle}") == "protocol"


@pytest.mark.parametrize(
    "sent", ["Content-Length: 100\r\n\r\nhalf", "Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n"]
)
@pytest.mark.parametrize("to_session", [True, False])
def test_T4_a_client_that_stops_within_a_short_body_counts_as_gone(
    moving: Gateway, to_session: bool, sent: str
) -> None:
    handle = new_handle()
    moving.get(f"/cgi-bin/child?handle={handle}")
    before = moving.instances()
    path = f"/cgi-bin/child/{handle}" if to_session else "/cgi-bin/child"
    with moving.connect() as sock:
        sock.sendall(f"POST {path}?handle={handle}&count HTTP/1.1\r\nHost: localhost\r\n{sent}".encode())
        with contextlib.suppress(ConnectionResetError):
            assert sock.recv(4096) == b""
    # It was not called for a body that never came whole, and nothing was started: the session is unharmed (B3).
    assert moving.get(f"/cgi-bin/child/{handle}?handle={handle}&count").text.startswith("count=2")
    assert set(moving.instances()) <= set(before)


@pytest.mark.parametrize(("verb", "words"), [("exit=3", "exit status 3"), ("kill=SEGV", "signal 11")])
def test_HTS007_names_the_exit_and_the_last_words(impatient: Gateway, verb: str, words: str) -> None:
    handle = "hts007" + verb[:4]
    impatient.get(f"/cgi-bin/child?handle={handle}")
    assert impatient.get(f"/cgi-bin/child/{handle}?silent&stderr=last+words+{handle}&{verb}").status == 502
    impatient.wait_log(rf"HTS007 .*{words}.*last words {handle}")
    assert impatient.reason(f"/cgi-bin/child/{handle}") == "crashed"


def test_HTS007_an_exit_between_two_calls_is_noticed(impatient: Gateway) -> None:
    answer = impatient.get("/cgi-bin/child?handle=hts007-idle&count")
    os.kill(answer.number("pid"), signal.SIGKILL)
    impatient.wait_log(r"HTS007 exited between two calls \(signal 9")
    assert impatient.reason("/cgi-bin/child/hts007-idle") == "crashed"
