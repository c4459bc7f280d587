"""ScriptLog: what a failing program was sent and what it said, in the form of Apache's documentation."""

from __future__ import annotations

import os
import re
import signal

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for

DIRECTIVES = """
ScriptLog logs/script.log
ScriptLogBuffer 64
CGIScriptTimeout 1
CGIStopGrace 100ms
<VirtualHost *:*>
  ServerName main.example
</VirtualHost>
<VirtualHost *:*>
  ServerName own.example
  ScriptLog logs/own.log
  ScriptLogLength 400
</VirtualHost>
"""
MOMENT = r"\[\w{3} \w{3} \d\d \d\d:\d\d:\d\d\.\d{6} \d{4}\]"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    gateway = serve_shared(DIRECTIVES)
    gateway.program("no-interpreter", "#!/nonexistent/interpreter\n")
    return gateway


def text(gateway: Gateway, log: str = "script.log") -> str:
    file = gateway.folder / "logs" / log
    return file.read_text() if file.exists() else ""


def entry(gateway: Gateway, mark: str, log: str = "script.log") -> str:
    """The entry that has `mark` in its request line."""

    def found() -> str | None:
        entries = re.split(r"(?m)^(?=%% \[)", text(gateway, log))
        return next((one for one in entries if mark in one.partition("\n")[0]), None)

    return wait_for(f"{mark} in {log}", found)


def test_a_program_without_a_head_has_request_response_stdout_and_stderr(gateway: Gateway) -> None:
    answer = gateway.post(
        "/cgi-bin/child?stderr=last+words&raw=X-One:+1%0AX-Two:+2%0Anot+a+header%0A%0Amore",
        b"the body",
        X_Mine="3",
    )
    assert answer.status == 502
    found = entry(gateway, "last+words")
    expected = (
        rf"%% {MOMENT} POST /cgi-bin/child\?stderr=last\+words&raw=\S+ HTTP/1\.1\n"
        rf"%% 502 {gateway.cgi_bin}/child\n"
        r"%request\n(?:[\w-]+: .*\n)*x-mine: 3\n(?:[\w-]+: .*\n)*\nthe body\n"
        r"%response\nX-One: 1\nX-Two: 2\n"
        r"%stdout\nnot a header\n\nmore\n"
        r"%stderr\nlast words\n"
    )
    assert re.fullmatch(expected, found), found


def test_a_program_that_says_nothing_has_neither_stdout_nor_stderr(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?silent&diary=/dev/null").status == 502
    found = entry(gateway, "silent&diary")
    assert found.endswith("%response\n") and "%std" not in found


def test_a_program_that_is_too_slow_is_there_with_504(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/child?raw=X-Half:+1%0A&stderr=slow&flush&sleep=30").status == 504
    found = entry(gateway, "stderr=slow")
    assert "\n%% 504 " in found and "%response\nX-Half: 1\n%stderr\nslow\n" in found


def test_a_program_that_cannot_be_started_has_the_error(gateway: Gateway) -> None:
    assert gateway.get("/cgi-bin/no-interpreter?start-1").status == 500
    found = entry(gateway, "start-1")
    assert re.fullmatch(
        rf"%% {MOMENT} GET /cgi-bin/no-interpreter\?start-1 HTTP/1\.1\n%% 500 \S+/no-interpreter\n"
        r"%%error\n.*cannot be started: No such file or directory.*\n",
        found,
    ), found


def test_a_session_that_answers_badly_is_there_too(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=script-handle&count")
    assert gateway.get("/cgi-bin/child/script-handle?stderr=session-1&raw=oops%0A%0A").status == 502
    found = entry(gateway, "session-1")
    assert "%stdout\noops\n" in found and "%stderr\nsession-1\n" in found


def test_programs_that_answer_are_not_logged(gateway: Gateway) -> None:
    for query in ("echo=fine-1", "status=500&echo=fine-2", "stderr=fine-3&echo=x"):
        gateway.get(f"/cgi-bin/child?{query}")
    gateway.get("/cgi-bin/child?silent&stderr=fine-end")
    entry(gateway, "fine-end")
    assert not re.search(r"fine-\d", text(gateway))


def test_credentials_cookies_and_handles_are_masked(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?handle=secret-handle&count")
    query = "env=A&raw=Set-Cookie:+id%3Dcookie-out%0AAccept-HTSession:+secret-handle%0Aoops+secret-handle%0A%0A"
    gateway.get(
        f"/cgi-bin/child/secret-handle?{query.removeprefix('env=A&')}&stderr=masks-1+secret-handle",
        Authorization="Basic cGFzc3dvcmQ", Proxy_Authorization="Basic cHJveHk", Cookie="a=cookie-in",
        Referer="http://h/cgi-bin/child/secret-handle",
    )  # fmt: skip
    found = entry(gateway, "masks-1")
    line, _, rest = found.partition("?")  # what the client puts into a query cannot be masked
    everything = line + rest.partition("\n")[2]
    for secret in ("secret-handle", "cGFzc3dvcmQ", "cHJveHk", "cookie-in", "cookie-out"):
        assert secret not in everything, found
    assert "Accept-HTSession: secr..." in found and "oops secr..." in found and "masks-1 secr..." in found
    assert "GET /cgi-bin/child/secr...?" in found and "referer: http://h/cgi-bin/child/secr..." in found


def test_no_line_of_an_entry_can_pose_as_another_or_is_raw(gateway: Gateway) -> None:
    gateway.post(
        "/cgi-bin/child?stderr=%25%25+fake-1+%1b[1m&raw=%25%25error%0A%1b%01%ff%0A%0A",
        b"%request\n%% x\x1b\x00",
    )
    found = entry(gateway, "fake-1")
    assert re.findall(r"(?m)^%\S+", found) == ["%%", "%%", "%request", "%response", "%stdout", "%stderr"]
    assert "\\x25request\n\\x25% x\\x1b\\x00\n" in found and "%stdout\n\\x25%error\n\\x1b\\x01\\xff\n" in found
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text(gateway))


def test_ScriptLogBuffer_bounds_the_body(gateway: Gateway) -> None:
    gateway.post("/cgi-bin/child?silent&stderr=buffer-1", b"b" * 1000)
    found = entry(gateway, "buffer-1")
    assert "\n" + "b" * 64 + "\n" in found


def test_ScriptLogLength_ends_the_log(gateway: Gateway) -> None:
    for number in range(4):
        gateway.get(f"/cgi-bin/child?silent&stderr=length-{number}", Host="own.example")
        gateway.wait_log(rf"\] length-{number}\n")
        if number < 2:
            entry(gateway, f"length-{number}", "own.log")
    gateway.get("/cgi-bin/child?silent&stderr=length-end", Host="main.example")
    entry(gateway, "length-end")
    assert "length-3" not in text(gateway, "own.log") and "length-0" not in text(gateway)
    assert os.path.getsize(gateway.folder / "logs" / "own.log") >= 400


def test_USR1_reopens_the_script_log(gateway: Gateway) -> None:
    gateway.get("/cgi-bin/child?silent&stderr=rotate-1")
    entry(gateway, "rotate-1")
    log = gateway.folder / "logs" / "script.log"
    log.rename(log.with_suffix(".1"))
    os.kill(gateway.keeper, signal.SIGUSR1)
    wait_for("the new file", log.exists)
    gateway.get("/cgi-bin/child?silent&stderr=rotate-2")
    entry(gateway, "rotate-2")
    assert "rotate-2" not in log.with_suffix(".1").read_text()
