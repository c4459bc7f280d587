"""L1 to L3: how many instances persist, how many processes run, and what never starts a session."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import Client
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive


@pytest.fixture(scope="module")
def one_job(serve_shared: Serve) -> Gateway:
    return serve_shared("MaxCGIJobs 1\nMaxPersistentCGI 0\nPersistentCGIQueueTimeout 20s")


@pytest.fixture(scope="module")
def roomy(serve_shared: Serve) -> Gateway:
    return serve_shared("PersistentCGITimeout 5m")


def test_L1_a_newcomer_beyond_the_limit_is_delivered_and_not_kept(serve: Serve) -> None:
    gateway = serve("MaxPersistentCGI 1")
    gateway.get("/cgi-bin/child?handle=l1-first")
    late = gateway.get("/cgi-bin/child?handle=l1-late&count")
    assert (late.status, late.text[:7]) == (200, "count=1")
    gateway.wait_log("HTS003 .*l1-")
    wait_for("the newcomer's end", lambda: not alive(late.number("pid")))
    answer = gateway.get("/cgi-bin/child/l1-late")
    assert (answer.status, answer.header("x-htsession-ended")) == (503, "limit")
    assert int(answer.header("retry-after") or 0) > 0
    assert gateway.get("/cgi-bin/child/l1-first?handle=l1-first&count").text.startswith("count=2")


def test_L1_a_slot_is_held_until_the_process_is_gone(serve: Serve) -> None:
    gateway = serve("MaxPersistentCGI 1\nCGIStopGrace 1m")
    first = gateway.get("/cgi-bin/child?handle=l1-slow&count&linger").number("pid")
    gateway.get("/cgi-bin/child/l1-slow?echo=the+session+ends")
    gateway.wait_log("HTS006 ended by the program.*l1-")
    gateway.get("/cgi-bin/child?handle=l1-refused")
    assert gateway.get("/cgi-bin/child/l1-refused").status == 503
    assert alive(first)
    os.kill(first, signal.SIGKILL)
    wait_for("the end of both", lambda: not gateway.instances())
    gateway.get("/cgi-bin/child?handle=l1-next")
    assert gateway.get("/cgi-bin/child/l1-next?count").text.startswith("count=2")


def test_L1_none_may_persist(one_job: Gateway) -> None:
    assert one_job.get("/cgi-bin/child?handle=l1-none&echo=page").text == "page"
    assert one_job.get("/cgi-bin/child/l1-none").status == 503


def test_L2_requests_beyond_MaxCGIJobs_run_in_order(one_job: Gateway, tmp_path: Path) -> None:
    order = tmp_path / "order"
    one_job.program("append", f'#!/bin/sh\necho "$QUERY_STRING" >>{order}\nprintf "A: b\\n\\n"\n')
    with ThreadPoolExecutor() as pool:
        running = pool.submit(one_job.get, f"/cgi-bin/child?touch={tmp_path}/runs&wait={tmp_path}/go")
        wait_for("the job", (tmp_path / "runs").exists)
        waiting = [Client(one_job, f"/cgi-bin/append?{turn}") for turn in range(5)]
        assert not order.exists()
        (tmp_path / "go").touch()
        assert [request.answer().status for request in waiting] == [200] * 5
        assert running.result().status == 200
    assert order.read_text().split() == ["0", "1", "2", "3", "4"]


def test_L2_a_request_that_waits_too_long_is_503(serve: Serve, tmp_path: Path) -> None:
    gateway = serve("MaxCGIJobs 1\nMaxPersistentCGI 0\nPersistentCGIQueueTimeout 100ms")
    with ThreadPoolExecutor() as pool:
        running = pool.submit(gateway.get, f"/cgi-bin/child?touch={tmp_path}/runs&wait={tmp_path}/go")
        wait_for("the job", (tmp_path / "runs").exists)
        answer = gateway.get("/cgi-bin/child")
        assert answer.status == 503 and int(answer.header("retry-after") or 0) > 0
        gateway.wait_log(r"MaxCGIJobs \(1\) is reached")
        (tmp_path / "go").touch()
        assert running.result().status == 200
    wait_for("a free job", lambda: not gateway.instances())
    assert gateway.get("/cgi-bin/child?echo=free").text == "free"


def test_L2_a_MaxCGIJobs_that_starves_plain_programs_is_warned_about(serve: Serve) -> None:
    gateway = serve("MaxCGIJobs 3\nMaxPersistentCGI 3", by_command=True)
    assert re.search("notice: .*MaxCGIJobs", gateway.output)


def test_L3_HEAD_never_starts_a_session(roomy: Gateway) -> None:
    answer = roomy.request("HEAD", "/cgi-bin/child?handle=l3-head&header=X-Page:+whole&echo=page")
    assert (answer.status, answer.header("x-page"), answer.body) == (200, "whole", b"")
    assert answer.header("accept-htsession") is None
    wait_for("the end of the process", lambda: not roomy.instances())
    fresh = roomy.get("/cgi-bin/child/l3-head?count&env=PATH_INFO")  # not remembered: it is path info
    assert fresh.text.startswith("count=1") and fresh.text.endswith("PATH_INFO=/l3-head\n")


def test_L3_HEAD_on_a_living_handle_is_an_ordinary_call(roomy: Gateway) -> None:
    roomy.get("/cgi-bin/child?handle=l3-live")
    answer = roomy.request("HEAD", "/cgi-bin/child/l3-live?handle=l3-live&echo=page")
    assert (answer.status, answer.body) == (200, b"")
    assert roomy.get("/cgi-bin/child/l3-live?handle=l3-live&count").text.startswith("count=3")


def test_L3_a_response_to_HEAD_counts_as_lost(roomy: Gateway) -> None:
    roomy.get("/cgi-bin/child?handle=l3-old")
    roomy.request("HEAD", "/cgi-bin/child/l3-old?handle=l3-new")
    answer = roomy.get("/cgi-bin/child/l3-old?handle=l3-old&env=HTSESSION_RETRY")
    assert answer.text == "HTSESSION_RETRY=1\n"
