"""What becomes of ready processes and of the hosts that make them: killed, stopped, broken, lying."""

from __future__ import annotations

import os
import re
import resource
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive, descriptors
from tests.blackbox.warm import (
    PROGRAMS,
    WARM,
    call,
    held,
    holds_no_more,
    host,
    hosts,
    is_warm,
    keep,
    once,
    ready,
    settled,
    wait_ready,
    warm_lines,
)

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """Two Python hosts are ready."""
    return serve_shared(WARM, PROGRAMS)


def test_a_ready_process_that_is_killed_is_replaced(gateway: Gateway) -> None:
    victim, other = settled(gateway)
    os.kill(victim, signal.SIGKILL)
    wait_for("another one", lambda: other in (pids := ready(gateway)) and len(pids) == 2 and victim not in pids)
    gateway.wait_log("warm host .*python.py: a process that was ready ended with signal 9")
    assert is_warm(once(gateway))


def test_a_warm_host_that_is_killed_is_replaced(gateway: Gateway) -> None:
    settled(gateway)
    old = host(gateway)
    before = held(gateway)
    os.kill(old, signal.SIGKILL)
    assert once(gateway).status == 200
    wait_for("another host", lambda: old not in [one.pid for one in hosts(gateway)] and hosts(gateway))
    wait_ready(gateway)
    gateway.wait_log("warm host .*python.py: it ended with signal 9")
    assert is_warm(once(gateway)) and wait_ready(gateway)
    wait_for("no more descriptors", lambda: holds_no_more(gateway, before))


def test_all_of_them_killed_at_once_are_replaced(gateway: Gateway) -> None:
    for _ in range(2):
        for pid in (*settled(gateway), host(gateway)):
            os.kill(pid, signal.SIGKILL)
    wait_ready(gateway)
    assert is_warm(once(gateway)) and "given up" not in gateway.log


def test_requests_are_answered_while_the_warm_host_is_killed(gateway: Gateway) -> None:
    with ThreadPoolExecutor(8) as clients:
        answers = [clients.submit(once, gateway) for _ in range(60)]
        for _ in range(3):
            wait_for("some answers", lambda: any(answer.done() for answer in answers))
            for one in hosts(gateway):
                os.kill(one.pid, signal.SIGKILL)
        assert {answer.result().status for answer in answers} == {200}
    wait_ready(gateway)
    assert "given up" not in gateway.log


def test_nobody_waits_long_for_a_host_that_stands_still(gateway: Gateway) -> None:
    before, warm = wait_ready(gateway), host(gateway)
    counts = held(gateway)
    os.kill(warm, signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(8) as clients:
            answers = list(clients.map(lambda _: once(gateway), range(8)))
        assert [is_warm(answer) for answer in answers].count(True) == len(before)
        # now that it is known, nobody waits: the next ones are cold at once
        assert not any(is_warm(once(gateway)) for _ in range(3))
    finally:
        os.kill(warm, signal.SIGCONT)
    wait_ready(gateway)  # no more than two, although more had been asked for
    assert is_warm(once(gateway)) and host(gateway) == warm
    wait_ready(gateway)
    wait_for("no more descriptors", lambda: holds_no_more(gateway, counts))
    assert set(gateway.instances()) == {warm, *ready(gateway)}


# ---- hosts that cannot work

SOMETIMES = """#!/bin/sh
[ -n "$HTSESSION_WARM" ] && [ ! -e {folder}/mended ] && {{ echo "no luck" >&2; exit 7; }}
exec {python} "$@"
"""


def test_a_host_that_cannot_start_is_given_up_and_tried_again_at_a_reload(serve: Serve, tmp_path: Path) -> None:
    wrapper = tmp_path / "wrapper"
    wrapper.write_text(SOMETIMES.format(folder=tmp_path, python=sys.executable))
    wrapper.chmod(0o755)
    gateway = serve(f"CGIActivationGroup python .py interpreter={wrapper}\nStartCGI 2", PROGRAMS)
    gateway.wait_log("warm host .*: given up; its programs are started cold until the next reload")
    assert [line.partition(": ")[2] for line in warm_lines(gateway)][:3] == ["it ended with status 7"] * 3
    assert gateway.log.count("no luck") == len(warm_lines(gateway)) - 1 == 3
    answer = keep(gateway, "cold")
    assert not is_warm(answer) and call(gateway, "cold").number("count") == 2
    assert hosts(gateway) == [] and len(warm_lines(gateway)) == 4
    (tmp_path / "mended").touch()
    gateway.reload()
    wait_ready(gateway)
    assert is_warm(once(gateway)) and call(gateway, "cold").number("count") == 3


@pytest.mark.parametrize("kind", ["python .py", "perl .pl"])
def test_an_interpreter_that_is_none_is_told_of_and_programs_say_so_themselves(serve: Serve, kind: str) -> None:
    gateway = serve(f"CGIActivationGroup {kind} interpreter=/bin/true\nStartCGI 2", PROGRAMS)
    gateway.wait_log("given up")
    assert once(gateway, "", f"/cgi-bin/one{kind.split()[1]}").status == 502
    assert len(warm_lines(gateway)) == 4


# What the patched class of the control socket does instead of telling the process's number
ANSWERS = {
    "another": ("os.environ['OTHER'].encode()", "a process ended at once"),
    "front": ("front()", "a process ended at once"),
    "huge": ("b'99999999999999999999999'", "it ended with status 0"),
    "too many": ("b' '.join([b'-1'] * 99)", "it ended with status 0"),
    "rubbish": ("b'--5'", "it ended with status 0"),
    "error": ("b'-1'", r"\[Errno 1\] Operation not permitted"),
}
LYING = """
import os, socket
def front():
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with open(f"/proc/{{pid}}/stat") as stat, open(f"/proc/{{pid}}/cmdline") as command:
            if stat.read().split()[3] == str(os.getppid()) and "gateway.front" in command.read():
                return pid.encode()
if "HTSESSION_WARM" in os.environ:
    class Lying(socket.socket):
        def send(self, data):
            return super().send({answer})
    socket.socket = Lying
"""


@pytest.mark.parametrize("what", ANSWERS)
def test_a_host_that_lies_about_its_processes_can_harm_nobody(serve: Serve, tmp_path: Path, what: str) -> None:
    answer, told = ANSWERS[what]
    (tmp_path / "sitecustomize.py").write_text(LYING.format(answer=answer))
    sleep = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    try:
        gateway = serve(f"{WARM}SetEnv PYTHONPATH {tmp_path}\nSetEnv OTHER {sleep.pid}", PROGRAMS)
        gateway.wait_log(f"warm host .*{told}")
        front = gateway.fronts()
        assert not is_warm(once(gateway))
        gateway.wait_log("given up")
        wait_for("no process that nobody knows", lambda: not gateway.instances())
        assert gateway.fronts() == front
        assert gateway.stop() == 0
        assert alive(sleep.pid)
    finally:
        sleep.kill()
        sleep.wait()


# ---- no room


def test_a_full_table_is_said_and_is_no_reason_to_give_up(serve: Serve, tmp_path: Path) -> None:
    gateway = Gateway(tmp_path / "narrow", WARM + "MaxPersistentCGI 100", PROGRAMS)
    gateway.prefix = ["prlimit", "--nofile=100"]  # a third of what is above 64 makes the table
    gateway.start()
    try:
        wait_ready(gateway)
        handles = []
        while (answer := keep(gateway, new_handle())).status == 200:
            handles.append(answer.number("pid"))
            assert len(handles) < 20
        assert answer.status == 503 and int(answer.header("retry-after") or 0) > 0
        gateway.wait_log("warm host .*python.py: the shared table is full: programs are started cold for now")
        gateway.wait_log("one.py: cannot be started: Resource temporarily unavailable")
        for pid in handles:
            os.kill(pid, signal.SIGKILL)
        wait_for("room", lambda: len(gateway.instances()) <= 3)
        assert once(gateway).status == 200
        wait_ready(gateway)
        assert is_warm(once(gateway)) and "given up" not in gateway.log
        assert len(re.findall("for now", gateway.log)) == 1
    finally:
        assert gateway.stop() == 0


def test_a_keeper_without_descriptors_says_so_and_recovers(serve: Serve) -> None:
    gateway = serve(WARM, PROGRAMS)
    wait_ready(gateway)
    limits = resource.prlimit(gateway.keeper, resource.RLIMIT_NOFILE)
    lowest_free = min(set(range(1000)) - descriptors(gateway.keeper).keys())
    resource.prlimit(gateway.keeper, resource.RLIMIT_NOFILE, (lowest_free, limits[1]))
    assert is_warm(keep(gateway, "one")) and is_warm(keep(gateway, "two"))
    assert keep(gateway, "three").status == 503
    gateway.wait_log("warm host .*python.py: Too many open files: programs are started cold for now")
    gateway.wait_log("one.py: cannot be started: Too many open files")
    resource.prlimit(gateway.keeper, resource.RLIMIT_NOFILE, limits)
    assert keep(gateway, "three").status == 200
    wait_ready(gateway)
    assert is_warm(once(gateway)) and call(gateway, "one").number("count") == 2
