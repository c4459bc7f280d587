"""What is ready, and what was started from it, at a reload, a crash of a front, and the end of the gateway."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.counting import wait_drained
from tests.blackbox.harness import BOUND, Gateway, wait_for
from tests.blackbox.proc import alive
from tests.blackbox.warm import (
    ONE,
    PROGRAMS,
    WARM,
    call,
    environ,
    host,
    hosts,
    is_warm,
    keep,
    once,
    ready,
    wait_ready,
)

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """Two Python hosts are ready."""
    return serve_shared(WARM, PROGRAMS)


# ---- reload and crash of a front


def test_a_reload_makes_new_processes_ready_by_the_new_settings(serve: Serve) -> None:
    gateway = serve(WARM + "SetEnv MINE old", PROGRAMS)
    old = [*wait_ready(gateway), host(gateway)]
    session = keep(gateway, "stays").number("pid")
    gateway.configure("CGIActivationGroup python .py\nStartCGI 3\nSetEnv MINE new")
    gateway.reload()
    new = wait_ready(gateway, 3)
    old.remove(session)
    wait_for("the old ones to go", lambda: not any(map(alive, old)))
    assert not set(old) & set(new)
    assert [environ(pid)["MINE"] for pid in (host(gateway), *new)] == ["new"] * 4
    assert once(gateway, "print(os.environ['MINE'])").text.endswith("new\n")
    later = call(gateway, "stays", "print(os.environ['MINE'])")
    assert (later.number("pid"), later.number("count")) == (session, 2) and later.text.endswith("new\n")
    gateway.configure("CGIActivationGroup python .py")
    gateway.reload()
    wait_for("nothing to be ready", lambda: gateway.instances() == [session])
    assert not is_warm(once(gateway)) and call(gateway, "stays").number("count") == 3


def test_sessions_that_were_started_warm_survive_a_reload_and_a_killed_front(gateway: Gateway) -> None:
    handles = [new_handle() for _ in range(5)]
    pids = [keep(gateway, handle).number("pid") for handle in handles]
    gateway.reload()
    gateway.kill_front()
    answers = [call(gateway, handle) for handle in handles]
    assert [answer.number("pid") for answer in answers] == pids
    assert [answer.number("count") for answer in answers] == [2] * 5
    wait_ready(gateway)
    for handle in handles:
        once(gateway, "", f"{ONE}/{handle}")


@pytest.mark.parametrize("change", [Gateway.reload, Gateway.kill_front])
def test_a_front_goes_while_a_warm_start_is_under_way(
    gateway: Gateway, change: Callable[[Gateway], None]
) -> None:
    wait_drained(gateway)
    wait_ready(gateway)
    old = host(gateway)
    os.kill(old, signal.SIGSTOP)
    with ThreadPoolExecutor(6) as clients:
        answers = [clients.submit(_tried, gateway) for _ in range(6)]
        wait_for("the ready ones to be taken", lambda: not ready(gateway))
        change(gateway)
        os.kill(old, signal.SIGCONT)
        statuses = {answer.result(BOUND) for answer in answers}
    assert statuses == {200} or change is Gateway.kill_front
    wait_drained(gateway)
    wait_ready(gateway)
    wait_for("nothing else", lambda: set(gateway.instances()) == {host(gateway), *ready(gateway)})
    assert is_warm(once(gateway)) and not alive(old)


def _tried(gateway: Gateway) -> int:
    try:
        return once(gateway).status
    except OSError:
        return 0


# ---- the end of the gateway

SILENT = """
import os, socket, time
if "HTSESSION_WARM" in os.environ:
    class Silent(socket.socket):
        def send(self, data):
            time.sleep(1000)
    socket.socket = Silent
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_of_it_outlives_the_gateway(serve: Serve, tmp_path: Path, number: signal.Signals) -> None:
    """Not ready processes, not warm hosts, not processes that a host has made and not told of."""
    (tmp_path / "sitecustomize.py").write_text(SILENT)
    silent = f"ScriptAlias /silent/ cgi-bin/\n<Location /silent>\nSetEnv PYTHONPATH {tmp_path}\n</Location>\n"
    gateway = serve(WARM + silent, PROGRAMS)
    wait_ready(gateway, 4)  # two of them were made, but not told of
    session = keep(gateway, "session").number("pid")
    wait_ready(gateway, 4)
    assert not is_warm(once(gateway, "", "/silent/one.py"))
    wait_for("its host and what that made", lambda: len(gateway.instances()) == 7 and len(hosts(gateway)) == 2)
    pids = gateway.instances()
    assert session in pids
    os.kill(gateway.keeper, number)
    assert gateway.wait_exit() == (0 if number == signal.SIGTERM else -number)
    wait_for("the end of all", lambda: not any(map(alive, pids)))


def test_T5_a_second_TERM_ends_what_is_ready_too(serve: Serve, tmp_path: Path) -> None:
    gateway = serve(WARM + "GracefulShutdownTimeout 1h\nCGIStopGrace 100ms", PROGRAMS)
    wait_ready(gateway)
    with ThreadPoolExecutor() as pool:
        running = pool.submit(once, gateway, f"import time; open('{tmp_path}/runs', 'w'); time.sleep(1000)")
        wait_for("the call", (tmp_path / "runs").exists)
        pids = gateway.instances()
        os.kill(gateway.keeper, signal.SIGTERM)
        wait_for("what was ready to go", lambda: len(gateway.instances()) == 1)
        os.kill(gateway.keeper, signal.SIGTERM)
        assert gateway.wait_exit() == 0
        assert running.result().status in (502, 503)
    assert not any(map(alive, pids))


def test_T5_a_request_that_is_the_first_of_its_way_while_the_gateway_stops(serve: Serve) -> None:
    late = "<Location /cgi-bin/two.py>\nSetEnv OWN way\n</Location>"
    gateway = serve(WARM + late + "\nGracefulShutdownTimeout 1h", PROGRAMS)
    wait_ready(gateway)
    with gateway.connect() as sock:
        head = b"POST /cgi-bin/two.py HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\n"
        sock.sendall(head)
        once(gateway)
        os.kill(gateway.keeper, signal.SIGTERM)
        wait_for("what was ready to go", lambda: not hosts(gateway))
        sock.sendall(b"body")
        assert re.match(rb"HTTP/1.1 (200|503)", sock.recv(65536))
    assert gateway.wait_exit() == 0


LATE = """
import os, time
if "HTSESSION_WARM" in os.environ:
    setsid = os.setsid
    def late():
        while not os.path.exists({go!r}):
            time.sleep(0.01)
        setsid()
    os.setsid = late
"""


@pytest.mark.parametrize("what", ["front", "keeper"])
def test_T3_a_process_that_has_no_group_of_its_own_yet_is_ended_too(
    serve: Serve, tmp_path: Path, pool: ThreadPoolExecutor, what: str
) -> None:
    """It was made, told of, handed out, and its request is in its pipe: it only did not come to setsid(2)."""
    (tmp_path / "sitecustomize.py").write_text(LATE.format(go=str(tmp_path / "go")))
    gateway = serve(f"CGIActivationGroup python .py\nStartCGI 1\nSetEnv PYTHONPATH {tmp_path}", PROGRAMS)
    (early,) = wait_ready(gateway, 1)
    answer = pool.submit(_tried, gateway)
    wait_for("it to be handed out", lambda: len(ready(gateway)) == 2)
    if what == "front":
        gateway.kill_front()
    else:
        os.kill(gateway.keeper, signal.SIGKILL)
    wait_for("its end", lambda: not alive(early))
    assert answer.result(BOUND) != 200
    if what == "front":
        (tmp_path / "go").touch()
        assert is_warm(once(gateway))
