"""SessionLog: its files; the codes of the access log for sessions and the time of programs."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.blackbox.accounts import account, lines, of, unlike_others, why
from tests.blackbox.clients import Client, Gate
from tests.blackbox.conftest import CHILD_TEXT, Serve
from tests.blackbox.counting import CGI, start
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.users import WHO, OpenGateway, as_root, open_folder

pytestmark = pytest.mark.running

DIRECTIVES = """
SessionLog logs/sessions.log
LogFormat "%q %{HTSESSION}x %{HTSESSION_STATE}x %{HTSESSION_REQUEST}x %{PROGRAM_TIME}x %{QUEUE_TIME}x %D" own
CustomLog logs/own.log own
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
<VirtualHost *:*>
  ServerName first.example
</VirtualHost>
<VirtualHost *:*>
  ServerName own.example
  SessionLog logs/own-sessions.log
</VirtualHost>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    gateway.program("shared/child", CHILD_TEXT)
    return gateway


@pytest.fixture
def handle() -> str:
    return unlike_others()


# ---- files


def test_a_virtual_host_with_its_own_log_does_not_write_the_main_servers(gateway: Gateway, handle: str) -> None:
    gateway.get(f"{CGI}?handle={handle}", Host="own.example")
    gateway.get(f"{CGI}/{handle}", Host="own.example")
    assert account(gateway, handle, "own-sessions.log")["host"] == "own.example:*"
    assert not of(gateway, handle)


def rotate_and_end(gateway: Gateway, url: str) -> None:
    """A session that ends after the log was rotated is in the new file."""
    log = gateway.folder / "logs" / "sessions.log"
    log.rename(log.with_suffix(".1"))
    os.kill(gateway.keeper, signal.SIGUSR1)
    wait_for("the new file", log.exists)
    gateway.get(url)
    (line,) = wait_for("its line", lambda: lines(gateway))
    assert line["requests"] == 2


def test_USR1_opens_the_file_anew(serve: Serve, handle: str) -> None:
    gateway = serve("SessionLog logs/sessions.log")
    start(gateway, handle)
    rotate_and_end(gateway, f"{CGI}/{handle}")


@as_root
def test_USR1_opens_the_file_anew_when_fronts_are_not_roots() -> None:
    with open_folder() as folder:
        gateway = OpenGateway(folder / "gateway", "User www-data\nSessionLog logs/sessions.log", {"who": WHO})
        gateway.start()
        found = re.search("handle=(.*)", gateway.get("/cgi-bin/who").text)
        assert found is not None
        rotate_and_end(gateway, f"/cgi-bin/who/{found[1]}?end")
        assert gateway.stop() == 0


def test_a_full_disk_loses_lines_and_says_so_once(serve: Serve, handle: str) -> None:
    gateway = serve("SessionLog /dev/full")
    for one in (handle, unlike_others("full")):
        start(gateway, one)
        gateway.get(f"{CGI}/{one}")
    gateway.wait_log("cannot write to /dev/full: No space left on device")
    wait_for("the ends", lambda: not gateway.instances())
    assert gateway.log.count("cannot write to /dev/full") == 1


def test_a_log_that_cannot_be_opened_keeps_the_old_settings(gateway: Gateway, handle: str) -> None:
    text = gateway.conf.read_text()
    gateway.conf.write_text(text.replace("SessionLog logs/sessions.log", "SessionLog logs", 1))
    os.kill(gateway.keeper, signal.SIGHUP)
    gateway.wait_log("the old settings stay")
    gateway.conf.write_text(text)
    start(gateway, handle)
    gateway.get(f"{CGI}/{handle}")
    assert why(gateway, handle) == ("ended", "HTS006")


# ---- the access log


def own_line(gateway: Gateway, word: str) -> list[str]:
    log = gateway.folder / "logs" / "own.log"
    text = wait_for(word, lambda: next((one for one in log.read_text().splitlines() if word in one), None))
    return text.split()[1:]


def test_the_access_log_has_the_session_its_request_number_and_the_programs_time(
    gateway: Gateway, handle: str
) -> None:
    masked = f"{handle[:4]}..."
    gateway.get(f"{CGI}?handle={handle}&echo=first-{handle}")
    gateway.get(f"{CGI}/{handle}?handle={handle}&sleep=0.05&echo=second-{handle}")
    gateway.get(f"{CGI}/{handle}?echo=third-{handle}")
    first, second, third = (own_line(gateway, f"{word}-{handle}") for word in ("first", "second", "third"))
    assert first[:3] == [masked, "started", "1"]
    assert second[:3] == [masked, "continued", "2"]
    assert third[:3] == [masked, "ended", "3"]
    assert 50_000 <= int(second[3]) <= int(second[5])
    assert second[4] == "0"


@pytest.mark.parametrize("newcomer", [False, True], ids=["of a session", "of a shared instance"])
def test_the_time_in_a_queue_is_not_the_programs(gateway: Gateway, handle: str, newcomer: bool) -> None:
    url, gate = "/cgi-bin/shared/child" if newcomer else CGI, Gate(gateway.folder)
    start(gateway, handle, program=url)
    running = Client(gateway, f"{url}/{handle}?handle={handle}&{gate.wait}")
    query = f"echo=waited-{handle}" if newcomer else f"handle={handle}&echo=waited-{handle}"
    waiting = Client(gateway, f"{url}?{query}" if newcomer else f"{url}/{handle}?{query}")
    gate.open()
    assert [running.answer().status, waiting.answer().status] == [200, 200]
    *_, number, program, queue, whole = own_line(gateway, f"waited-{handle}")
    assert number == ("-" if newcomer else "3")
    assert 0 < int(program) + int(queue) <= int(whole) and int(queue) > 0


def test_a_file_has_no_session_and_no_programs_time(gateway: Gateway) -> None:
    (gateway.htdocs / "plain.txt").write_text("plain")
    gateway.get("/plain.txt?plain-file")
    assert own_line(gateway, "plain-file")[:5] == ["-", "-", "-", "-", "0"]
