"""T5: stopping ends everything in order, within its bounds."""

from __future__ import annotations

import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import Client
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive


def refused(gateway: Gateway) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", gateway.port)) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_T5_idle_sessions_end_at_once_and_in_order(
    serve: Serve, number: signal.Signals, tmp_path: Path
) -> None:
    gateway = serve("CGIStopGrace 1m\nGracefulShutdownTimeout 1m")
    session = gateway.get(f"/cgi-bin/child?handle=idle&count&diary={tmp_path}/diary").number("pid")
    os.kill(gateway.keeper, number)
    assert gateway.wait_exit() == 0
    assert (tmp_path / "diary").read_text() == "eof\n"
    assert not alive(session)
    assert "HTS013 the gateway is stopping" in gateway.log


def test_T5_stubborn_sessions_are_killed_after_the_grace(serve: Serve, tmp_path: Path) -> None:
    gateway = serve("CGIStopGrace 100ms")
    query = f"handle=stubborn&count&linger&diary={tmp_path}/diary&ignore"
    session = gateway.get(f"/cgi-bin/child?{query}").number("pid")
    assert gateway.stop() == 0
    assert (tmp_path / "diary").read_text() == "eof\nterm\n"
    assert not alive(session)


def test_T5_a_running_request_is_finished(serve: Serve, tmp_path: Path) -> None:
    gateway = serve("GracefulShutdownTimeout 1m")
    gateway.get("/cgi-bin/child?handle=runs")
    paths = [f"/cgi-bin/child{session}?handle=runs{n}&touch={tmp_path}/runs{n}&wait={tmp_path}/go&echo=whole"
             for n, session in enumerate(("", "/runs"))]  # fmt: skip
    with ThreadPoolExecutor() as pool:
        running = [pool.submit(gateway.get, path) for path in paths]
        for n in range(2):
            wait_for("the call", (tmp_path / f"runs{n}").exists)
        os.kill(gateway.keeper, signal.SIGTERM)
        wait_for("no new connections", lambda: refused(gateway))
        (tmp_path / "go").touch()
        answers = [request.result() for request in running]
    assert [(answer.status, answer.text) for answer in answers] == [(200, "whole")] * 2
    assert gateway.wait_exit() == 0


def test_T5_waiting_requests_are_503(serve: Serve, tmp_path: Path) -> None:
    gateway = serve("GracefulShutdownTimeout 1m\nPersistentCGIQueue 1\nMaxCGIJobs 1\nMaxPersistentCGI 1")
    gateway.get("/cgi-bin/child?handle=busy")
    with ThreadPoolExecutor(8) as pool:
        path = f"/cgi-bin/child/busy?handle=busy&touch={tmp_path}/runs&wait={tmp_path}/go&echo=whole"
        running = pool.submit(gateway.get, path)
        wait_for("the call", (tmp_path / "runs").exists)
        queued = [pool.submit(gateway.get, "/cgi-bin/child/busy?handle=busy") for _ in range(2)]
        wait_for("a full queue", lambda: any(request.done() for request in queued))
        for_a_job = Client(gateway, "/cgi-bin/child")
        os.kill(gateway.keeper, signal.SIGTERM)
        assert for_a_job.answer().status == 503
        assert [request.result().status for request in queued] == [503] * 2
        (tmp_path / "go").touch()
        assert running.result().text == "whole"
    assert gateway.wait_exit() == 0


def test_T5_what_runs_longer_than_the_bound_is_ended(serve: Serve, tmp_path: Path) -> None:
    gateway = serve("GracefulShutdownTimeout 200ms\nCGIStopGrace 100ms")
    session = gateway.get("/cgi-bin/child?handle=long&count").number("pid")
    with ThreadPoolExecutor() as pool:
        paths = [f"/cgi-bin/child{handle}?echo=begun&flush&touch={tmp_path}/runs{n}&wait={tmp_path}/never"
                 for n, handle in enumerate(("", "/long"))]  # fmt: skip
        running = [pool.submit(gateway.get, path) for path in paths]
        for n in range(2):
            wait_for("the call", (tmp_path / f"runs{n}").exists)
        pids = gateway.instances()
        assert session in pids and len(pids) == 2
        assert gateway.stop() == 0
        assert [request.result().whole for request in running] == [False, False]
    assert not any(map(alive, pids))
    gateway.wait_log("HTS013 the gateway is stopping")


def test_T5_the_bound_holds_for_a_front_that_drains_after_a_reload(serve: Serve, tmp_path: Path) -> None:
    gateway = serve("GracefulShutdownTimeout 300ms\nCGIStopGrace 100ms")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(gateway.get, f"/cgi-bin/child?touch={tmp_path}/runs&wait={tmp_path}/never")
        wait_for("the call", (tmp_path / "runs").exists)
        gateway.reload()
        assert gateway.stop() == 0
        assert running.result().status == 503
    assert "SIGKILL" not in gateway.log


def test_T5_a_second_TERM_skips_the_waiting(serve: Serve, tmp_path: Path) -> None:
    gateway = serve("GracefulShutdownTimeout 1h\nCGIStopGrace 100ms")
    with ThreadPoolExecutor() as pool:
        path = f"/cgi-bin/child?touch={tmp_path}/runs&wait={tmp_path}/never"
        running = pool.submit(gateway.get, path)
        wait_for("the call", (tmp_path / "runs").exists)
        os.kill(gateway.keeper, signal.SIGTERM)
        wait_for("no new connections", lambda: refused(gateway))
        os.kill(gateway.keeper, signal.SIGTERM)
        assert gateway.wait_exit() == 0
        assert running.result().status in (502, 503)


def test_T5_kept_connections_are_closed(serve: Serve) -> None:
    gateway = serve("GracefulShutdownTimeout 1h")
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/child?echo=end-of-it HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = b""
        while b"end-of-it" not in received:
            received += sock.recv(4096)
        assert gateway.stop() == 0
        while more := sock.recv(4096):
            received += more
    assert received.count(b"HTTP/1.1 ") == 1


def test_T5_an_upload_that_stands_still_is_ended_at_the_bound(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    gateway = serve("GracefulShutdownTimeout 200ms\nCGIStopGrace 100ms")
    with gateway.connect() as sock:
        head = b"POST /cgi-bin/child?digest HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        sock.sendall(head + b"200000\r\n" + b"x" * 0x200000 + b"\r\n")
        gateway.get("/nothing")
        assert gateway.stop() == 0
    assert not list(scratch.iterdir())
