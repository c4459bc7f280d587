"""Access logs as files: who writes which, when they are opened anew, what a full disk does."""

from __future__ import annotations

import os
import signal
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.access_lines import line, lines, with_logs
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import descriptors
from tests.blackbox.raw import Raw


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    return with_logs(serve_shared, tmp_path_factory.mktemp("users"))


# ---- which log


def test_a_virtual_host_with_its_own_logs_does_not_write_the_main_servers(gateway: Gateway) -> None:
    gateway.get("/page.txt?which-1", Host="own.example")
    gateway.get("/page.txt?which-2", Host="first.example")
    assert line(gateway, "own.log", "which-1") and line(gateway, "common.log", "which-2")
    assert lines(gateway, "own2.log", "own.example /page.txt")
    for log in ("common.log", "json.log", "all.log"):
        assert "which-1" not in (gateway.folder / "logs" / log).read_text()
    assert "which-2" not in (gateway.folder / "logs" / "own.log").read_text()


def test_env_wants_a_variable_of_SetEnv_to_be_there_or_not(gateway: Gateway) -> None:
    gateway.get("/quiet.txt?env-1")
    gateway.get("/page.txt?env-2")
    assert line(gateway, "quiet.log", "env-1") and line(gateway, "loud.log", "env-2")
    assert "env-2" not in (gateway.folder / "logs" / "quiet.log").read_text()
    assert "env-1" not in (gateway.folder / "logs" / "loud.log").read_text()


def test_env_knows_the_variables_of_SetEnvIf(gateway: Gateway) -> None:
    gateway.get("/a.png?setenvif-1")
    gateway.get("/a.txt?setenvif-2")
    assert line(gateway, "pictures.log", "setenvif-") == "?setenvif-1 png"
    assert line(gateway, "ordinary.log", "setenvif-") == "?setenvif-2 -"


def test_a_log_is_not_for_others_to_read(gateway: Gateway) -> None:
    mode = (gateway.folder / "logs" / "common.log").stat().st_mode
    assert stat.S_IMODE(mode) & ~0o640 == 0


# ---- files


@pytest.fixture(scope="module")
def odd(serve_shared: Serve) -> Gateway:
    """A main server whose logs are no plain files, and two hosts with one file for both logs."""
    one = "CustomLog logs/one.log %v\nErrorLog logs/one.log"
    return serve_shared(
        'CustomLog stdout "to-stdout %U"\nCustomLog /dev/stderr "to-stderr %U"\n'
        "CustomLog /dev/full common\nCustomLog logs/ok.log common\n"
        "<VirtualHost *:*>\nServerName main.example\n</VirtualHost>\n"
        f"<VirtualHost *:*>\nServerName a.example\n{one}\n</VirtualHost>\n"
        f"<VirtualHost *:*>\nServerName b.example\n{one}\n</VirtualHost>\n"
    )


def test_stdout_and_stderr_are_logs_too(odd: Gateway) -> None:
    odd.get("/out-1")
    wait_for("both lines", lambda: "to-stdout /out-1\n" in odd.output and "to-stderr /out-1\n" in odd.output)


def test_a_full_disk_breaks_no_request_and_is_told_once(odd: Gateway) -> None:
    for number in range(3):
        assert odd.get(f"/cgi-bin/child?echo=full-{number}").text == f"full-{number}"
        line(odd, "ok.log", f"full-{number}")
    odd.wait_log(r"\[core:error\] .*cannot write to /dev/full: No space left on device")
    assert odd.log.count("cannot write to /dev/full") == 1


def test_a_file_that_is_named_twice_is_opened_once(odd: Gateway) -> None:
    for pid in (odd.keeper, *odd.fronts()):
        assert _open_files(pid).count("one.log") == 1


def test_USR1_reopens_the_logs_and_no_line_is_lost_while_requests_run(
    serve: Serve, pool: ThreadPoolExecutor
) -> None:
    gateway = serve("CustomLog logs/access.log common")
    log, old = gateway.folder / "logs" / "access.log", gateway.folder / "logs" / "access.log.1"
    marks = [f"rotate-{number:03d}" for number in range(120)]
    running = [pool.submit(gateway.get, f"/page?{mark}") for mark in marks]
    running[20].result()
    log.rename(old)
    os.kill(gateway.keeper, signal.SIGUSR1)
    wait_for("the new file", log.exists)
    for request in running:
        request.result()
    gateway.get("/page?rotate-last")
    line(gateway, "access.log", "rotate-last")
    both = old.read_text() + log.read_text()
    assert [both.count(mark) for mark in marks] == [1] * len(marks)
    assert "rotate-last" not in old.read_text()


def test_a_front_that_drains_reopens_its_logs_too(
    serve: Serve, pool: ThreadPoolExecutor, tmp_path: Path
) -> None:
    gateway = serve("CustomLog logs/access.log common")
    log, go = gateway.folder / "logs" / "access.log", tmp_path / "go"
    begun = tmp_path / "begun"
    waiting = pool.submit(gateway.get, f"/cgi-bin/child?head&touch={begun}&wait={go}&echo=drain-1")
    wait_for("the program", begun.exists)
    gateway.reload()
    log.rename(log.with_suffix(".1"))
    os.kill(gateway.keeper, signal.SIGUSR1)
    wait_for("the new file", log.exists)
    old = gateway.fronts()[0]
    wait_for("the old front's new file", lambda: log.name in _open_files(old))
    go.touch()
    assert waiting.result().whole
    assert line(gateway, "access.log", "drain-1")


def _open_files(pid: int) -> list[str]:
    return [os.path.basename(target) for target in descriptors(pid).values()]


def test_a_log_that_cannot_be_reopened_goes_on_and_the_error_log_says_so(serve: Serve) -> None:
    gateway = serve("CustomLog gone/access.log common", {"../gone/x": ""})
    folder = gateway.folder / "gone"
    folder.rename(gateway.folder / "moved")
    os.kill(gateway.keeper, signal.SIGUSR1)
    gateway.wait_log(r"\[core:error\] .*cannot reopen .*/gone/access\.log: No such file or directory")
    assert gateway.get("/cgi-bin/child?echo=moved-1").text == "moved-1"
    wait_for("the line", lambda: "moved-1" in (gateway.folder / "moved" / "access.log").read_text())


def test_each_line_counts_its_own_bytes_when_the_next_request_waits_already(serve: Serve) -> None:
    gateway = serve('CustomLog logs/bytes.log "%k %O"')
    (gateway.htdocs / "page.txt").write_text("page")
    request, count = b"GET /page.txt HTTP/1.1\r\nHost: x\r\n\r\n", 20
    with Raw(gateway) as client:
        client.send(request * (count - 1) + request.replace(b"x\r\n", b"x\r\nConnection: close\r\n"))
        size = len(client.rest())
    log = gateway.folder / "logs" / "bytes.log"
    wait_for("all lines", lambda: log.read_text().count("\n") == count)
    found = sorted(tuple(map(int, line.split())) for line in log.read_text().splitlines())
    assert [number for number, _ in found] == list(range(count))
    assert sum(sent for _, sent in found) == size and len({sent for _, sent in found[:-1]}) == 1, found
