"""What a service manager is told over NOTIFY_SOCKET: sd_notify(3), by a real datagram socket in its place."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.harness import BOUND, Gateway, wait_for
from tests.blackbox.proc import children

pytestmark = pytest.mark.running

WATCHDOG = 1_500_000  # microseconds
READY = r"READY=1\nSTATUS=Front \d+ serves\."


class Manager:
    """The manager's end of the socket. `address` as NOTIFY_SOCKET names it."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(f"\0{address[1:]}" if address.startswith("@") else address)
        self._sock.settimeout(BOUND)

    def next(self) -> str:
        """The next message that is not of the watchdog."""
        while (text := self.any()) == "WATCHDOG=1":
            pass
        return text

    def any(self) -> str:
        """The next message."""
        return self._sock.recv(4096).decode()

    def expect(self, *patterns: str) -> str:
        """The next messages, one for each pattern, in this order; the last one."""
        text = ""
        for pattern in patterns:
            text = self.next()
            assert re.fullmatch(pattern, text), (pattern, text)
        return text

    def close(self) -> None:
        """Take no more messages."""
        self._sock.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    manager = Manager(str(tmp_path / "notify"))
    yield manager
    manager.close()


@pytest.fixture
def gateway(tmp_path: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """Started by `gateway serve`, as the unit does."""
    with monkeypatch.context() as patch:
        patch.setenv("NOTIFY_SOCKET", manager.address)
        gateway = Gateway(tmp_path / "gateway", "PassEnv NOTIFY_SOCKET WATCHDOG_USEC\nStartCGI 1")
        gateway.by_command = True
        gateway.program("child", CHILD_TEXT)
        gateway.start()
    yield gateway
    gateway.stop()


def test_the_manager_is_told_ready_reloading_and_stopping_in_their_order(
    gateway: Gateway, manager: Manager
) -> None:
    manager.expect(READY)
    assert gateway.get("/cgi-bin/child?echo=here").text == "here"

    before = time.monotonic_ns() // 1000
    os.kill(gateway.keeper, signal.SIGHUP)
    reloading = manager.next()
    found = re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)\nSTATUS=Reloading\.", reloading)
    assert found, reloading
    assert before <= int(found[1]) <= time.monotonic_ns() // 1000
    front = int(re.findall(r"\d+", manager.expect(READY))[-1])

    good = gateway.conf.read_text()
    gateway.conf.write_text(f"{good}\nNoSuchDirective On\n")
    os.kill(gateway.keeper, signal.SIGHUP)
    manager.expect(
        r"RELOADING=1\n.*\n.*",
        r"READY=1\nSTATUS=The old settings stay: not loaded: .*gateway\.conf:\d+: .*NoSuchDirective.*",
    )
    gateway.conf.write_text(good)

    os.kill(front, signal.SIGKILL)
    manager.expect(rf"STATUS=Front {front} is gone \(.*\), another takes over\.", READY)

    assert gateway.stop() == 0
    manager.expect("STOPPING=1")


def test_a_reload_that_is_asked_for_before_the_first_front_serves_comes_after_it(
    tmp_path: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch, pool: ThreadPoolExecutor
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    gateway = Gateway(tmp_path / "gateway")
    text = gateway.conf.read_text()
    gateway.conf.unlink()
    os.mkfifo(gateway.conf)  # whoever reads it waits for us
    started = pool.submit(gateway.start)
    file = pool.submit(gateway.conf.open, "w").result(BOUND)  # the first front has begun to read
    os.kill(gateway.keeper, signal.SIGHUP)
    wait_for("the signal to be taken", lambda: signal.SIGHUP not in pending(gateway.keeper))
    file.write(text)
    file.close()
    started.result(BOUND)
    file = pool.submit(gateway.conf.open, "w").result(BOUND)  # another one reads
    file.write(text)
    file.close()
    manager.expect(r"STATUS=Front \d+ serves\.", READY)
    assert gateway.stop() == 0


def test_nobody_but_the_keeper_knows_the_managers_socket(gateway: Gateway, manager: Manager) -> None:
    manager.expect(READY)
    environ = gateway.get("/cgi-bin/child?handle=kept&environ").text
    assert "PATH=" in environ
    assert "NOTIFY_SOCKET" not in environ
    assert "WATCHDOG" not in environ
    gateway.reload()
    looked_at = []
    for pid in children(gateway.keeper):
        try:
            started = Path(f"/proc/{pid}/cmdline").read_bytes()
            if b"gateway-guard" in Path(f"/proc/{pid}/comm").read_bytes():
                continue  # forked, never exec'd: /proc shows what the keeper itself was started with
            environment = Path(f"/proc/{pid}/environ").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # the old front, which has ended meanwhile
            continue
        assert b"NOTIFY_SOCKET" not in environment, started
        looked_at.append(pid)
    assert gateway.fronts()[-1] in looked_at and len(looked_at) > 1  # the program too


def test_a_gateway_that_cannot_start_says_so_and_is_never_ready(
    tmp_path: Path, manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    gateway = Gateway(tmp_path / "gateway", "NoSuchDirective On")
    with pytest.raises(AssertionError, match="the gateway ended"):
        gateway.start()
    assert gateway.wait_exit() == 1
    manager.expect(r"STATUS=No front can be started: not loaded: .*NoSuchDirective.*", "STOPPING=1")


@pytest.fixture
def watched(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Gateway, Manager]]:
    """A gateway with a watchdog, and its manager on an abstract socket."""
    manager = Manager(f"@persistent-cgi-{os.getpid()}-{time.monotonic_ns()}")
    with monkeypatch.context() as patch:
        patch.setenv("NOTIFY_SOCKET", manager.address)
        patch.setenv("WATCHDOG_USEC", str(WATCHDOG))
        patch.delenv("WATCHDOG_PID", raising=False)
        gateway = serve()
    yield gateway, manager
    manager.close()


def test_the_watchdog_is_fed_only_while_a_front_serves(watched: tuple[Gateway, Manager]) -> None:
    gateway, manager = watched
    assert re.fullmatch(READY, manager.any())  # nothing before
    for _ in range(3):
        assert manager.any() == "WATCHDOG=1"
    assert gateway.get("/cgi-bin/child?handle=kept&count").number("count") == 1
    good = gateway.conf.read_text()
    gateway.conf.write_text(f"{good}\nNoSuchDirective On\n")
    os.kill(gateway.fronts()[-1], signal.SIGKILL)
    manager.expect(r"STATUS=Front \d+ is gone .*")
    wait_for("two starts that fail", lambda: gateway.log.count("not loaded: ") > 1)
    gateway.conf.write_text(good)
    assert re.fullmatch(READY, manager.any())  # again nothing before
    assert manager.any() == "WATCHDOG=1"
    assert gateway.get("/cgi-bin/child/kept?count").number("count") == 2
    assert gateway.stop() == 0
    manager.expect("STOPPING=1")


def test_a_front_that_hangs_is_killed_and_its_sessions_live_on(watched: tuple[Gateway, Manager]) -> None:
    gateway, manager = watched
    manager.expect(READY)
    assert gateway.get("/cgi-bin/child?handle=held&count").number("count") == 1
    front = gateway.fronts()[-1]
    os.kill(front, signal.SIGSTOP)
    manager.expect(rf"STATUS=Front {front} is gone .*", READY)
    gateway.wait_log(rf"\[core:error\].*front {front} does not answer; it is killed")
    assert gateway.get("/cgi-bin/child/held?count").number("count") == 2


def test_the_watchdog_of_another_process_is_not_fed(
    serve: Serve, monkeypatch: pytest.MonkeyPatch, manager: Manager
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", manager.address)
    monkeypatch.setenv("WATCHDOG_USEC", "1000")
    monkeypatch.setenv("WATCHDOG_PID", "1")
    gateway = serve()
    assert re.fullmatch(READY, manager.any())
    gateway.reload()
    assert manager.any().startswith("RELOADING=1")
    assert re.fullmatch(READY, manager.any())


def test_a_manager_that_is_gone_harms_nobody(gateway: Gateway, manager: Manager) -> None:
    manager.close()
    Path(manager.address).unlink()
    gateway.reload()
    assert gateway.get("/cgi-bin/child?echo=here").text == "here"
    assert gateway.stop() == 0


def pending(pid: int) -> set[int]:
    """The signals that a process has not yet seen."""
    found = re.search(r"^ShdPnd:\s(\w+)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found
    return {number for number in range(1, 65) if int(found[1], 16) >> (number - 1) & 1}
