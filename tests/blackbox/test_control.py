"""The control socket: where it is and who may use it; `reload`, `stop`, `drain`, and what is for people."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.blackbox.commands import DIRECTIVES, ENVIRONMENT, Begun, asked, bare, run
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import BOUND, Gateway, wait_for
from tests.blackbox.terminal import Terminal
from tests.blackbox.users import NOBODY, WHO, WWW_DATA, OpenGateway, account, as_root, open_folder, process

pytestmark = pytest.mark.running


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(DIRECTIVES)


# ---- the socket


def test_the_socket_is_the_owners_alone_and_lies_in_the_state_directory(gateway: Gateway) -> None:
    mode = (gateway.folder / "state" / "control").stat().st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o600


def test_it_is_found_through_the_directives_file(gateway: Gateway) -> None:
    assert bare("status", "--conf", str(gateway.conf), "--json").answer["keeper"]["pid"] == gateway.keeper


def test_the_directives_file_of_the_current_folder_is_the_default(gateway: Gateway) -> None:
    assert bare("status", "--json", cwd=gateway.folder).answer["keeper"]["pid"] == gateway.keeper


def test_the_environment_names_the_directives_file_where_the_command_does_not(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ENVIRONMENT, "GATEWAY_CONF", str(gateway.conf))
    assert bare("status", "--json").answer["keeper"]["pid"] == gateway.keeper
    assert bare("check").out.startswith(f"{gateway.conf}: no problems")
    assert bare("status", "--conf", "/none").err.startswith("/none: cannot read")


def test_requests_to_it_are_not_in_the_access_log_and_cannot_come_by_tcp(gateway: Gateway) -> None:
    asked(gateway, "status")
    assert gateway.get("/status").status == gateway.get("/sessions").status == 404
    assert gateway.get("/last").status == 404
    lines = wait_for("the access log", lambda: _access(gateway) if "/last" in _access(gateway) else None)
    assert lines.count("/status") == lines.count("/sessions") == 1


def _access(gateway: Gateway) -> list[str]:
    return (gateway.folder / "logs" / "access.log").read_text().splitlines()


def test_after_a_reload_and_after_a_killed_front_the_new_front_answers(gateway: Gateway) -> None:
    before = asked(gateway, "status")
    session = Begun(gateway)
    session.call()
    facts = session.facts
    for replace in (gateway.reload, gateway.kill_front):
        replace()
        after = asked(gateway, "status")
        assert after["front"]["pid"] != before["front"]["pid"]
        assert after["keeper"] == before["keeper"] | after["keeper"]
        again = session.facts
        kept = ("id", "pid", "requests", "began", "bytes_out", "handle", "timeout")
        assert {name: again[name] for name in kept} == {name: facts[name] for name in kept}


def test_it_answers_when_MaxConnections_is_reached(serve: Serve) -> None:
    gateway = serve("MaxConnections 1")
    with gateway.connect(), gateway.connect():
        status = wait_for("both", lambda: _full(gateway))
        assert status["limits"]["MaxConnections"] == {"used": 2, "most": 1}


def _full(gateway: Gateway) -> Any:
    status = asked(gateway, "status")
    return status if status["limits"]["MaxConnections"]["used"] == 2 else None


def test_ControlSocket_names_another_place_or_none(serve: Serve, tmp_path: Path) -> None:
    gateway = serve(f"ControlSocket {tmp_path}/socket")
    assert bare("status", "--socket", f"{tmp_path}/socket").status == 0
    assert bare("status", "--conf", str(gateway.conf)).status == 0
    assert not (gateway.folder / "state" / "control").exists()
    gateway.configure("ControlSocket none")
    gateway.reload()
    wait_for("its end", lambda: not (tmp_path / "socket").exists())
    found = bare("status", "--conf", str(gateway.conf))
    assert (found.status, "this gateway has no control socket" in found.err) == (2, True)


def test_without_its_default_socket_a_gateway_serves_and_the_log_says_why(serve: Serve, tmp_path: Path) -> None:
    folder = tmp_path / "gateway0" / "state"
    folder.mkdir(parents=True)
    (folder / "control").write_text("a file")
    gateway = serve()
    assert gateway.get("/cgi-bin/child?count").status == 200
    gateway.wait_log(r"no control socket, commands do not reach this gateway: .*Address already in use")
    assert (folder / "control").read_text() == "a file"


def test_a_ControlSocket_that_cannot_be_had_is_refused(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("a file")
    with pytest.raises(AssertionError, match=f"cannot listen on {tmp_path}/file: Address already in use"):
        serve(f"ControlSocket {tmp_path}/file")


@as_root
def test_with_another_user_root_still_commands_and_others_may_not() -> None:
    with open_folder() as folder:
        made = OpenGateway(folder / "gateway", "User www-data", {"who": WHO}).start()
        assert process(made.fronts()[0]) == account(WWW_DATA)
        assert made.get("/cgi-bin/who").status == 200
        (one,) = asked(made, "sessions")["sessions"]
        assert one["memory"] > 0
        count = made.log.count(" serves")
        assert run(made, "reload").status == 0
        wait_for("another front", lambda: made.log.count(" serves") > count)
        (folder / "gateway" / "state").chmod(0o755)
        shell = f"import socket; socket.socket(socket.AF_UNIX).connect('{made.folder}/state/control')"
        as_nobody = ["setpriv", "--reuid", NOBODY, "--clear-groups", "/usr/bin/python3", "-c", shell]
        if shutil.which("setpriv") and os.path.exists("/usr/bin/python3"):
            assert b"PermissionError" in subprocess.run(as_nobody, capture_output=True).stderr
        assert run(made, "stop").status == 0
        assert made.wait_exit() == 0


def test_errors_say_what_is_wrong_and_end_with_2(tmp_path: Path) -> None:
    missing = bare("status", "--socket", f"{tmp_path}/none")
    assert (missing.status, "there is no such socket" in missing.err) == (2, True)
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(f"{tmp_path}/left")
    deserted = bare("stop", "--socket", f"{tmp_path}/left")
    assert (deserted.status, "nobody listens" in deserted.err) == (2, True)
    unread = bare("status", "--conf", f"{tmp_path}/none.conf")
    assert (unread.status, "--conf or GATEWAY_CONF names another file" in unread.err) == (2, True)
    assert bare("extend", "1").status == 2


# ---- reload, stop, drain


def test_reload_checks_the_file_first(serve: Serve) -> None:
    gateway = serve()
    gateway.configure("PersistentCGITimeout never")
    found = bare("reload", "--conf", str(gateway.conf))
    assert (found.status, "PersistentCGITimeout" in found.err) == (2, True)
    assert gateway.log.count(" serves") == 1 and "not loaded" not in gateway.log


def test_reload_waits_and_tells_how_it_went(serve: Serve) -> None:
    gateway = serve()
    assert asked(gateway, "status")["reloads"] == {"done": 0, "refused": 0, "refusal": ""}
    found = run(gateway, "reload", "--json").answer
    assert found == {"keeper": gateway.keeper, "told": "reload", "front": gateway.fronts()[-1]}
    gateway.configure("PersistentCGITimeout never")
    refused = run(gateway, "reload")  # it knows the socket only
    assert refused.status == 1
    assert "expected" in refused.err and refused.err.endswith("Not reloaded: the old settings stay.\n")
    now = asked(gateway, "status")["reloads"]
    assert (now["done"], now["refused"]) == (1, 1) and "PersistentCGITimeout" in now["refusal"]
    assert re.search("last reload +refused: .*PersistentCGITimeout", run(gateway, "status").out)
    gateway.configure("")
    assert re.fullmatch(r"Reloaded: front \d+ serves\.\n", run(gateway, "reload").out)
    assert asked(gateway, "status")["reloads"] == {"done": 2, "refused": 1, "refusal": ""}


def test_reload_needs_no_front_that_answers(serve: Serve) -> None:
    gateway = serve()
    (front,) = gateway.fronts()
    os.kill(front, signal.SIGSTOP)
    found = run(gateway, "reload")
    assert found.status == 0 and "is told to reload; its log says how it went" in found.out
    os.kill(front, signal.SIGCONT)
    wait_for("another front", lambda: gateway.log.count(" serves") == 2)


def test_stop_stops_the_gateway_though_no_front_answers(serve: Serve) -> None:
    gateway = serve()
    (front,) = gateway.fronts()
    os.kill(front, signal.SIGSTOP)
    found = run(gateway, "stop")
    os.kill(front, signal.SIGCONT)
    assert (found.status, found.out) == (0, f"The keeper ({gateway.keeper}) is told to stop.\n")
    assert gateway.wait_exit() == 0
    assert not (gateway.folder / "state" / "control").exists()


def test_drain_turns_newcomers_away_and_stops_with_the_last_session(serve: Serve) -> None:
    gateway = serve("<Location /readyz>\nSetHandler server-ready\n</Location>")
    one, other = Begun(gateway), Begun(gateway)
    asked(gateway, "end", other.path)
    (gateway.htdocs / "style.css").write_text("a style")
    assert run(gateway, "drain", "--json").answer == {"draining": True, "sessions": 1}
    turned = gateway.get("/cgi-bin/child?count")
    assert (turned.status, turned.header("retry-after")) == (503, "5")
    assert gateway.get("/readyz").status == 503
    assert (one.call(), gateway.get("/style.css").status, gateway.reason(other.path)) == (200, 200, "ended")
    for replace in (gateway.reload, gateway.kill_front):  # it stays so
        replace()
        assert (one.call(), gateway.get("/cgi-bin/child?count").status) == (200, 503)
    assert asked(gateway, "status")["state"] == "draining"
    assert gateway.get(f"{one.path}?count").status == 200  # the program ends it
    assert gateway.wait_exit() == 0
    assert "HTS013 the last session is over: the gateway stops" in gateway.log


def test_drain_can_be_cancelled(gateway: Gateway) -> None:
    session = Begun(gateway)
    assert run(gateway, "drain").status == 0
    assert gateway.get("/cgi-bin/child?count").status == 503
    assert run(gateway, "drain", "--cancel").out == "Sessions begin again.\n"
    assert gateway.get("/cgi-bin/child?count").status == session.call() == 200


# ---- for people


def test_sessions_watch_is_drawn_anew_until_q(gateway: Gateway) -> None:
    session = Begun(gateway)
    control = str(gateway.folder / "state" / "control")
    environment = ENVIRONMENT | {"TERM": "xterm"}
    environment.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "gateway", "sessions", "--watch", "--socket", control]
    terminal = Terminal(command, environment, gateway.folder)
    shown = terminal.until(session.handle[:4], 2)
    assert b"\x1b[32m" in shown and b"\x1b[H" in shown  # green, and drawn over what was there
    terminal.type("q")
    assert terminal.wait() == 0


def test_sessions_watch_writes_plain_tables_where_no_terminal_is(gateway: Gateway) -> None:
    Begun(gateway)
    control = str(gateway.folder / "state" / "control")
    command = [sys.executable, "-m", "gateway", "sessions", "--watch", "--socket", control]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, env=ENVIRONMENT
    ) as watching:
        assert watching.stdout is not None
        lines = [watching.stdout.readline() for _ in range(2)]
        watching.send_signal(signal.SIGINT)
        assert watching.wait(BOUND) == 0
    assert lines[1].startswith(b"ID ") and b"\x1b" not in b"".join(lines)


def test_what_comes_from_outside_does_not_speak_to_the_terminal(gateway: Gateway) -> None:
    session = Begun(gateway)
    session.call(rest="/%1B%5D0;title%07")
    assert session.facts["last"] == f"{session.name}/\x1b]0;title\x07"
    assert "/?]0;title?" in run(gateway, "sessions").out
    assert "\x1b" not in run(gateway, "show", session.path).out
