"""`SetHandler server-health` and `server-ready`: is it alive, does it take requests."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys

import pytest

from tests.blackbox.clients import Client, Gate
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, ROOT, Answer, Gateway, read_answer, wait_for

pytestmark = pytest.mark.running

HEALTH = """
<Location /healthz>
  SetHandler server-health
</Location>
<Location /readyz>
  SetHandler server-ready
</Location>
"""
REST = """
AddHandler server-health .page
CustomLog logs/access.log common
<Location /healthz/closed>
  Require all denied
</Location>
<Files hidden>
  SetHandler server-health
</Files>
<Location /cgi-bin/none>
  SetHandler server-health
</Location>
<Location /healthz/none>
  SetHandler None
</Location>
"""


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(HEALTH + REST)
    for name in ("hidden", "a.page"):
        (gateway.htdocs / name).write_text("file")
    return gateway


class Kept:
    """A connection that stays while the gateway does something else."""

    def __init__(self, gateway: Gateway) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", gateway.port, timeout=BOUND)
        self.get("/healthz")

    def get(self, path: str) -> Answer:
        """GET on it."""
        self._connection.request("GET", path)
        return read_answer(self._connection.getresponse())


def test_both_answer_with_200_and_one_line_of_plain_text(gateway: Gateway) -> None:
    for path, text in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        answer = gateway.get(path)
        assert (answer.status, answer.text) == (200, text)
        assert answer.header("content-type") == "text/plain; charset=utf-8"
        assert answer.header("cache-control") == "no-store"
        head = gateway.request("HEAD", path)
        assert (head.status, head.body) == (200, b"")
        assert gateway.post(path, b"").status == 405


def test_it_answers_whether_there_is_a_file_a_program_or_nothing(gateway: Gateway) -> None:
    assert gateway.get("/healthz/of/nothing").text == "ok\n"
    assert gateway.get("/hidden").text == "ok\n"
    assert gateway.get("/cgi-bin/none/child").text == "ok\n"


def test_None_takes_it_back(gateway: Gateway) -> None:
    assert gateway.get("/healthz/none").status == 404


def test_AddHandler_leaves_files_as_they_are(gateway: Gateway) -> None:
    assert gateway.get("/a.page").text == "file"


def test_access_is_asked_for_and_lines_are_logged_as_everywhere(gateway: Gateway) -> None:
    assert gateway.get("/healthz/closed").status == 403
    log = gateway.folder / "logs" / "access.log"
    wait_for("the line", lambda: '"GET /healthz/closed HTTP/1.1" 403' in log.read_text())


def test_a_living_session_is_reached_before_them(serve: Serve) -> None:
    gateway = serve("<Location /cgi-bin/child/mine>\n  SetHandler server-health\n</Location>")
    assert gateway.get("/cgi-bin/child/mine").text == "ok\n"
    gateway.get("/cgi-bin/child?handle=mine")
    assert gateway.get("/cgi-bin/child/mine?echo=program").text == "program"


def test_while_it_stops_it_is_alive_and_not_ready(serve: Serve) -> None:
    gateway = serve("GracefulShutdownTimeout 1m\n" + HEALTH)
    gate, begun = Gate(gateway.folder), Gate(gateway.folder)
    paths = (f"/cgi-bin/child?{begun.touch}&{gate.wait}&echo=done", "/readyz", "/healthz", "/cgi-bin/child")
    with gateway.connect() as sock:  # idle connections are closed: these wait behind one that runs
        sock.sendall("".join(f"GET {path} HTTP/1.1\r\nHost: a\r\n\r\n" for path in paths).encode())
        begun.wait_open()
        os.kill(gateway.keeper, signal.SIGTERM)
        wait_for("nobody to listen", lambda: refused(gateway))
        gate.open()
        received = b""
        while piece := sock.recv(65536):
            received += piece
    _, *answers = received.decode().split("HTTP/1.1 ")
    assert [int(answer[:3]) for answer in answers] == [200, 503, 200, 503]
    texts = ("done", "the gateway is stopping\n", "ok\n")
    assert [text in answer for answer, text in zip(answers, texts, strict=False)] == [True] * 3
    assert gateway.wait_exit() == 0


def refused(gateway: Gateway) -> bool:
    """Whether nobody listens any more."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", gateway.port)) != 0


def test_a_reload_makes_nobody_unready(serve: Serve) -> None:
    gateway = serve(HEALTH)
    kept = Kept(gateway)
    gateway.reload()
    assert kept.get("/readyz").text == "ready\n"
    assert gateway.get("/readyz").text == "ready\n"


def test_while_it_drains_it_is_alive_and_not_ready(serve: Serve) -> None:
    gateway = serve(HEALTH)
    gateway.get("/cgi-bin/child?handle=lives")
    drain(gateway)
    answer = gateway.get("/readyz")
    assert (answer.status, answer.text) == (503, "the gateway is draining: no session begins any more\n")
    assert gateway.get("/healthz").text == "ok\n"
    drain(gateway, "--cancel")
    assert gateway.get("/readyz").text == "ready\n"


def drain(gateway: Gateway, *words: str) -> None:
    """By the command."""
    command = [sys.executable, "-m", "gateway", "drain", "--conf", str(gateway.conf), *words]
    subprocess.run(command, check=True, cwd=gateway.folder, env=os.environ | {"PYTHONPATH": str(ROOT)})


@pytest.mark.faults
def test_a_keeper_that_does_not_answer_makes_it_unready(serve: Serve) -> None:
    gateway = serve(HEALTH)
    os.kill(gateway.keeper, signal.SIGSTOP)
    try:
        waiting = Client(gateway, "/cgi-bin/child?echo=started")
        wait_for("the answer", lambda: gateway.get("/readyz").status == 503, bound=30)
        assert gateway.get("/readyz").text == "the keeper does not answer\n"
        assert gateway.get("/healthz").text == "ok\n"
    finally:
        os.kill(gateway.keeper, signal.SIGCONT)
    assert waiting.answer().text == "started"
    assert gateway.get("/readyz").text == "ready\n"
