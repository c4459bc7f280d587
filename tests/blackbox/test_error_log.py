"""ErrorLog and LogLevel: the messages of each host in its own log, one line each, nothing raw."""

from __future__ import annotations

import os
import re
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import descriptors

HOSTS = """
<VirtualHost *:*>
  ServerName main.example
</VirtualHost>
<VirtualHost *:*>
  ServerName own.example
  ErrorLog logs/own.log
</VirtualHost>
<VirtualHost *:*>
  ServerName quiet.example
  ErrorLog logs/quiet.log
  LogLevel error
</VirtualHost>
<VirtualHost *:*>
  ServerName loud.example
  ErrorLog logs/loud.log
  LogLevel crit cgi:trace4
</VirtualHost>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(HOSTS)


def text(gateway: Gateway, log: str) -> str:
    file = gateway.folder / "logs" / log
    return file.read_text() if file.exists() else ""


def wait_text(gateway: Gateway, log: str, pattern: str) -> re.Match[str]:
    return wait_for(f"{pattern!r} in {log}", lambda: re.search(pattern, text(gateway, log)))


def test_the_gateways_refusals_go_to_the_hosts_log(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/refused-1", Host="own.example")
    gateway.get("/cgi-bin/refused-2", Host="main.example")
    wait_text(gateway, "own.log", r"\[cgi:info\] \[pid \d+\] \[client 127\.0\.0\.1:\d+\] .*refused-1")
    wait_text(gateway, "error.log", "refused-2")
    assert "refused-1" not in text(gateway, "error.log") and "refused-2" not in text(gateway, "own.log")


def test_the_session_engines_messages_go_to_the_hosts_log(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?timeout=x&handle=engine-handle&header=HTTimeout:+x&count", Host="own.example")
    gateway.get("/cgi-bin/child/engine-handle?echo=bye", Host="own.example")
    wait_text(gateway, "own.log", r"HTS006 ended by the program: /cgi-bin/child engi…")
    wait_text(gateway, "own.log", r"HTS0(08|10) ")
    assert not re.search(r"HTS0(06|08|10).*", text(gateway, "error.log"))


def test_the_programs_standard_error_goes_to_the_hosts_log(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?stderr=own+words", Host="own.example")
    gateway.get("/cgi-bin/child?stderr=main+words", Host="main.example")
    wait_text(gateway, "own.log", r"\[cgi:error\] \[pid \d+\] own words\n")
    wait_text(gateway, "error.log", r"\[cgi:error\] \[pid \d+\] main words\n")
    assert "own words" not in text(gateway, "error.log") and "main words" not in text(gateway, "own.log")


def test_LogLevel_of_a_virtual_host_holds_for_its_own_messages(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/level-1", Host="quiet.example")
    gateway.get("/cgi-bin/child?stderr=level-2", Host="quiet.example")
    wait_text(gateway, "quiet.log", "level-2")
    assert "level-1" not in text(gateway, "quiet.log")


def test_LogLevel_of_a_module_wins_over_that_of_all(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/level-3", Host="loud.example")
    wait_text(gateway, "loud.log", r"\[cgi:info\] .*level-3")


def test_a_level_for_one_module_leaves_the_others(serve: Serve) -> None:
    gateway = serve("LogLevel crit core:notice ssl:warn")  # the harness waits for a notice of `core`
    gateway.get("/cgi-bin/level-4")
    gateway.get("/cgi-bin/child?stderr=level-5")
    gateway.reload()
    assert "level-" not in gateway.log


# ---- nothing raw (log injection)


def test_what_a_program_says_is_one_line_and_nothing_raw(gateway: Gateway) -> None:
    words = r"inject-1 \033[31m\001\177\303\050 \342\200\256\302\233 \r\n[fake]\n"
    gateway.program("rude", f"#!/bin/sh\nprintf '{words}' >&2\nprintf 'Content-Type: text/plain\\n\\n'\n")
    gateway.get("/cgi-bin/rude", Host="own.example")
    found = wait_text(gateway, "own.log", r"inject-1 .*\n.*\[fake\]\n")[0]
    assert found.startswith("inject-1 \\x1b[31m\\x01\\x7f\ufffd( \\u202e\\x9b \n")
    assert re.search(r"\n\[.*\] \[cgi:error\] \[pid \d+\] \[fake\]\n", found)


def test_what_a_client_says_is_one_line_and_nothing_raw(gateway: Gateway) -> None:
    gateway.raw(b"GET /cgi-bin/inject-2%0a%1b[31m%0d%9b%ff%22 HTTP/1.0\r\nHost: own.example\r\n\r\n")
    found = wait_text(gateway, "own.log", r"\n(.*inject-2.*)\n")[1]
    assert found.isprintable() and "inject-2\\x0a\\x1b[31m\\x0d" in found
    raw = (gateway.folder / "logs" / "own.log").read_bytes()
    assert not re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw)


# ---- rotation, reload


def rotate(gateway: Gateway, *logs: str) -> None:
    for log in logs:
        (gateway.folder / "logs" / log).rename(gateway.folder / "logs" / f"{log}.1")
    os.kill(gateway.keeper, signal.SIGUSR1)
    wait_for("new files", lambda: all((gateway.folder / "logs" / log).exists() for log in logs))


def open_logs(pid: int) -> list[str]:
    return sorted(target.rpartition("/")[2] for target in descriptors(pid).values() if "/logs/" in target)


def test_USR1_reopens_the_logs_of_keeper_and_front(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?stderr=rotate-1", Host="own.example")
    wait_text(gateway, "own.log", "rotate-1")
    rotate(gateway, "own.log", "error.log")
    processes = (gateway.keeper, *gateway.fronts())
    wait_for(
        "reopened logs", lambda: all(not name.endswith(".1") for pid in processes for name in open_logs(pid))
    )
    gateway.get("/cgi-bin/child?stderr=rotate-2", Host="own.example")  # by the keeper
    gateway.get("/cgi-bin/rotate-3", Host="own.example")  # by the front
    gateway.get("/cgi-bin/rotate-4", Host="main.example")
    wait_text(gateway, "own.log", "rotate-2")
    wait_text(gateway, "own.log", "rotate-3")
    wait_text(gateway, "error.log", "rotate-4")
    assert "rotate-1" in text(gateway, "own.log.1") and "rotate-2" not in text(gateway, "own.log.1")


def test_a_draining_front_reopens_its_logs(serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path) -> None:
    gateway, go, begun = serve(), tmp_path / "go", tmp_path / "begun"
    waiting = pool.submit(gateway.get, f"/cgi-bin/child?touch={begun}&wait={go}&raw=no+head%0A%0A")
    wait_for("the program", begun.exists)
    gateway.reload()
    old = gateway.fronts()[0]
    rotate(gateway, "error.log")
    wait_for("the old front's new log", lambda: open_logs(old) == ["error.log"])
    go.touch()
    assert waiting.result().status == 502
    wait_text(gateway, "error.log", rf"\[pid {old}\].*/cgi-bin/child")


def test_logs_that_are_no_longer_used_are_closed_after_a_reload(serve: Serve) -> None:
    gateway = serve(HOSTS)
    assert open_logs(gateway.keeper) == ["error.log", "loud.log", "own.log", "quiet.log"]
    gateway.configure(HOSTS.replace("logs/own.log", "logs/quiet.log").replace("loud.log", "new.log"))
    gateway.reload()
    assert open_logs(gateway.keeper) == ["error.log", "new.log", "quiet.log"]
    gateway.get("/cgi-bin/child?stderr=after+the+reload", Host="own.example")
    wait_text(gateway, "quiet.log", "after the reload")


def test_a_log_that_cannot_be_opened_refuses_the_reload(serve: Serve) -> None:
    gateway = serve()
    (gateway.folder / "logs" / "folder.log").mkdir()
    gateway.configure("ErrorLog logs/folder.log")
    os.kill(gateway.keeper, signal.SIGHUP)
    gateway.wait_log(r"not loaded: .*folder\.log.*\n.*the old settings stay")
    assert gateway.get("/cgi-bin/child?echo=on").text == "on"


def test_a_session_of_a_host_that_is_gone_is_told_in_the_main_log(serve: Serve) -> None:
    gateway = serve(HOSTS)
    gateway.get("/cgi-bin/child?handle=moved-handle&count", Host="own.example")
    gateway.configure(HOSTS.replace("own.example", "other.example"))
    gateway.reload()
    gateway.wait_log(r"HTS006 its cgi-name is gone after a reload: /cgi-bin/child")
