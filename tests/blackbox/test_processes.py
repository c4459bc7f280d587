"""Who starts what, what it costs, and what is left behind: nothing (house rules on processes)."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.clients import Client
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, Gateway, read_answer, wait_for
from tests.blackbox.proc import alive, children, comm, descriptors, pipes, status

pytestmark = pytest.mark.running

# A session that costs little: it answers once, and ends at end of file.
LIGHT = """#!/bin/sh
handle=$HTSESSION_NEXT_HANDLE
printf 'Accept-HTSession: %s\\nX: y\\n\\n%s\\004%s\\n' "$handle" "$handle" "$HTSESSION_END"
read -r line <&3
"""
ROOM = "MaxPersistentCGI 1100\nMaxCGIJobs 1200"
NO_REQUEST = "the front to have closed its connections"


def count(pid: int) -> int:
    return len(descriptors(pid))


def settled(gateway: Gateway, pid: int, expected: int, what: str) -> None:
    """Wait until a process has so many descriptors (connections end a moment after their answer)."""
    try:
        wait_for(what, lambda: count(pid) == expected)
    except AssertionError:
        raise AssertionError(f"{what}: {expected} expected, found {descriptors(pid)}") from None


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared()


def test_programs_are_the_keepers_children_and_the_front_has_none(gateway: Gateway) -> None:
    session = gateway.get("/cgi-bin/child?handle=processes&count").number("pid")
    assert session in children(gateway.keeper)
    assert [children(front) for front in gateway.fronts()] == [[]]
    assert os.getpgid(session) == session == os.getsid(session)


def test_the_keeper_has_one_thread_and_nothing_of_HTTP_or_asyncio(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=thread")
    assert status(gateway.keeper, "Threads") == 1
    (front,) = gateway.fronts()
    loaded = {pid: Path(f"/proc/{pid}/maps").read_text() for pid in (gateway.keeper, front)}
    for module in ("uvloop", "httptools", "_asyncio", "_ssl"):
        assert f"/{module}" not in loaded[gateway.keeper], module
    assert "/uvloop" in loaded[front] and "/httptools" in loaded[front]  # it would have been seen


@pytest.mark.parametrize("guardian", ["alive", "restarted"])
def test_kill_9_of_the_keeper_ends_everything(serve: Serve, guardian: str) -> None:
    gateway = serve()
    if guardian == "restarted":
        (old,) = wait_for("the guardian", lambda: guardians(gateway))
        os.kill(old, signal.SIGKILL)
        wait_for("another guardian", lambda: guardians(gateway) not in ([], [old]))
    answers = [
        gateway.get(f"/cgi-bin/child?handle=kill-{n}&count&ignore&linger&background=100") for n in range(3)
    ]
    pids = [answer.number(name) for answer in answers for name in ("pid", "background")] + gateway.fronts()
    with gateway.connect() as sock:
        sock.sendall(b"GET /cgi-bin/child?forever HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert sock.recv(1000)
        pids += gateway.instances() + guardians(gateway)
        os.kill(gateway.keeper, signal.SIGKILL)
        assert gateway.wait_exit() == -signal.SIGKILL
        wait_for("the end of everything", lambda: not any(map(alive, pids)))
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", gateway.port)) != 0


def guardians(gateway: Gateway) -> list[int]:
    """The keeper's child that watches over it."""
    return [pid for pid in children(gateway.keeper) if comm(pid) == "gateway-guard"]


def warm_up(gateway: Gateway) -> None:
    """One request, of which nothing is left: no program, no pipe, no connection."""
    processes = (gateway.keeper, *gateway.fronts())
    before = [pipes(pid) for pid in processes]
    client = Client(gateway, "/cgi-bin/child?echo=warm")
    client.until(b"warm")
    wait_for("the program's end", lambda: not gateway.instances())
    wait_for("its pipes to be closed", lambda: [pipes(pid) for pid in processes] == before)
    client.leave()


def test_an_idle_session_costs_2_descriptors_in_the_front_and_3_in_the_keeper(serve: Serve) -> None:
    gateway = serve(ROOM, {"light": LIGHT})
    (front,) = gateway.fronts()
    warm_up(gateway)
    before = count(front), count(gateway.keeper)
    begin(gateway, 20)
    settled(gateway, front, before[0] + 2 * 20, NO_REQUEST)
    settled(gateway, gateway.keeper, before[1] + 3 * 20, "three for each session")


def begin(gateway: Gateway, sessions: int) -> list[str]:
    """Start sessions, several at a time; their handles."""

    def some(number: int) -> list[str]:
        connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=30)
        with contextlib.closing(connection):
            handles = []
            for _ in range(number):
                connection.request("GET", "/cgi-bin/light")
                handles.append(read_answer(connection.getresponse()).text)
            return handles

    with ThreadPoolExecutor(4) as pool:
        shares = pool.map(some, [sessions // 4] * 4)
        return [handle for share in shares for handle in share]


SESSIONS = [300, pytest.param(1000, marks=pytest.mark.faults)]


@pytest.mark.parametrize("sessions", SESSIONS)
def test_no_descriptor_or_process_is_left_after_many_sessions(serve: Serve, sessions: int) -> None:
    gateway = serve(f"{ROOM}\nPersistentCGITimeout 3s", {"light": LIGHT})
    (front,) = gateway.fronts()
    warm_up(gateway)
    before = descriptors(front), descriptors(gateway.keeper)
    assert len(set(begin(gateway, sessions))) == sessions
    wait_for("all of them to time out", lambda: not gateway.instances(), 60)
    settled(gateway, front, len(before[0]), NO_REQUEST)
    settled(gateway, gateway.keeper, len(before[1]), "none for a session that is gone")
    assert set(children(gateway.keeper)) == {front, *guardians(gateway)}


@pytest.mark.parametrize("sessions", SESSIONS)
def test_T5_nothing_is_left_after_a_stop_with_many_sessions(
    serve: Serve, sessions: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("TMPDIR", str(scratch))
    gateway = serve(f"{ROOM}\nListen unix:{tmp_path}/sock", {"light": LIGHT})
    control = gateway.folder / "state" / "control"
    wait_for("the control socket", control.exists)
    files = set(gateway.folder.rglob("*"))
    begin(gateway, sessions)
    everything = children(gateway.keeper)
    assert len(everything) == sessions + 2
    gateway.send_chunked("/cgi-bin/child?digest", [b"x" * 100_000] * 20)  # a spool file
    assert gateway.stop() == 0
    assert not any(map(alive, everything))
    assert not (tmp_path / "sock").exists() and not list(scratch.iterdir())
    assert set(gateway.folder.rglob("*")) == files - {control}


def over_unix(path: Path, request: bytes) -> bytes:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(BOUND)
        sock.connect(str(path))
        sock.sendall(request)
        received = b""
        while more := sock.recv(65536):
            received += more
        return received


def test_Listen_on_a_unix_socket(serve: Serve, tmp_path: Path) -> None:
    place = tmp_path / "sock"
    gateway = serve(f"Listen unix:{place}")
    query = "handle=unix&env=REMOTE_ADDR&env=REMOTE_PORT&env=SERVER_NAME"
    received = over_unix(place, f"GET /cgi-bin/child?{query} HTTP/1.0\r\nHost: name.example\r\n\r\n".encode())
    assert received.endswith(b"\r\n\r\nREMOTE_ADDR=unix:\nREMOTE_PORT=<absent>\nSERVER_NAME=name.example\n")
    assert gateway.get("/cgi-bin/child/unix?handle=unix&count").text.startswith("count=2")
    assert gateway.stop() == 0
    assert not place.exists()


def test_a_socket_file_without_a_server_is_replaced(serve: Serve, tmp_path: Path) -> None:
    place = tmp_path / "sock"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(place))
    serve(f"Listen unix:{place}")
    assert b" 200 OK" in over_unix(place, b"GET /cgi-bin/child HTTP/1.0\r\n\r\n")


@pytest.mark.parametrize("kind", ["port", "unix"])
def test_an_address_that_is_taken_is_a_clear_error_and_status_1(tmp_path: Path, kind: str) -> None:
    family = socket.AF_INET if kind == "port" else socket.AF_UNIX
    with socket.socket(family) as taken:
        taken.bind(("127.0.0.1", 0) if kind == "port" else str(tmp_path / "sock"))
        taken.listen()
        name = taken.getsockname()
        where = f"127.0.0.1:{name[1]}" if kind == "port" else f"unix:{name}"
        gateway = Gateway(tmp_path / "gateway", f"Listen {where}")
        with pytest.raises(AssertionError, match="the gateway ended"):
            gateway.start()
        assert gateway.wait_exit() == 1
        assert f"cannot listen on {where.removeprefix('unix:')}: Address already in use" in gateway.log
        assert kind == "port" or (tmp_path / "sock").exists()
