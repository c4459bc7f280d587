"""The environment of every call: what the server sets is fresh, what it does not set is gone (B1, P7)."""

from __future__ import annotations

import os
import re
from pathlib import Path

from gateway.helpers import FOLDER
from tests.hosts.languages import over
from tests.hosts.script import Script

ALWAYS = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "REQUEST_METHOD": "GET",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HTSESSION_LIB": str(FOLDER),
    "HTSESSION_TIMEOUT": "300",
    "HTSESSION_MAX_TIMEOUT": "1800",
    "HOSTS_SET": "of the directives file",
    "HOSTS_PASSED": "of the gateway's environment",
}


def variables(text: bytes) -> dict[str, str]:
    """What the verb `environ` wrote."""
    return dict(os.fsdecode(line).split("=", 1) for line in text.split(b"\n")[:-1])


@over("environ")
def test_server_variables_are_set_for_every_call(script: Script) -> None:
    session = script.begin("environ")
    first, later = variables(session.first.body), variables(session.call("environ").body)
    assert first.items() >= ALWAYS.items()
    assert later.items() >= ALWAYS.items()
    named = {"SCRIPT_NAME": script.url, "SCRIPT_FILENAME": str(script.path)}
    assert first.items() >= named.items() and later.items() >= named.items()


@over("environ")
def test_nothing_of_the_gateways_environment_is_passed_unnamed(script: Script) -> None:
    session = script.begin("environ")
    for answer in (session.first, session.call("environ")):
        names = variables(answer.body).keys()
        assert "HOSTS_SECRET" not in names and "HOME" not in names and "PYTHONPATH" not in names


@over("env", "count")
def test_the_settings_of_a_folder_hold_there_alone(script: Script) -> None:
    own = script.alone("own-settings")
    verbs = ("env=PATH", "env=HOSTS_SET", "count")
    session, other = own.begin(*verbs), script.begin(*verbs)
    for answer in (session.first, session.call(*verbs)):
        assert answer.text.startswith("PATH=/usr/bin:/bin\nHOSTS_SET=of the folder\n")
        assert _cpu_limit(answer.number("pid")) == ["1000", "2000"]
    for answer in (other.first, other.call(*verbs)):
        assert answer.text.startswith(f"PATH={ALWAYS['PATH']}\nHOSTS_SET={ALWAYS['HOSTS_SET']}\n")
        assert _cpu_limit(answer.number("pid")) != ["1000", "2000"]


@over("environ")
def test_the_variables_of_the_session(script: Script) -> None:
    session = script.begin("environ")
    first, later = variables(session.first.body), variables(session.call("environ").body)
    handle = session.url.rpartition("/")[2]
    assert not first.keys() & {"HTSESSION_HANDLE", "HTSESSION_PATH_INFO", "PATH_INFO"}
    assert later.items() >= {"HTSESSION_HANDLE": handle, "HTSESSION_PATH_INFO": ""}.items()
    assert later["PATH_INFO"] == f"/{handle}"
    assert re.fullmatch("[0-9a-f]{32}", first["HTSESSION_END"])
    assert first["HTSESSION_END"] == later["HTSESSION_END"]
    assert first["HTSESSION_FD"] == later["HTSESSION_FD"] == "3"
    assert first["HTSESSION_NEXT_HANDLE"] != later["HTSESSION_NEXT_HANDLE"]
    assert not (first.keys() | later.keys()) & {"SCGI", "HTSESSION_WARM", "HTSESSION_FIRST"}


@over("env")
def test_B1_stale_server_variables_are_gone(script: Script) -> None:
    names = ["CONTENT_LENGTH", "CONTENT_TYPE", "HTTP_COOKIE", "REQUEST_METHOD"]
    show = [f"env={name}" for name in names]
    session = script.begin(*show, body=b"abc", Cookie="a=1", Content_Type="text/x")
    posted = "CONTENT_LENGTH=3\nCONTENT_TYPE=text/x\nHTTP_COOKIE=a=1\nREQUEST_METHOD=POST\n"
    gone = "CONTENT_LENGTH is absent\nCONTENT_TYPE is absent\nHTTP_COOKIE is absent\nREQUEST_METHOD=GET\n"
    assert session.first.text == posted
    assert session.call(*show).text == gone
    assert session.call(*show, body=b"abc", Cookie="a=1", Content_Type="text/x").text == posted
    assert session.call(*show).text == gone


@over("env")
def test_B1_the_query_is_fresh(script: Script) -> None:
    session = script.begin("env=QUERY_STRING")
    assert session.first.text == f"QUERY_STRING={session.keep}&env=QUERY_STRING\n"
    assert (
        session.call("env=QUERY_STRING", "flush").text
        == f"QUERY_STRING={session.keep}&env=QUERY_STRING&flush\n"
    )


@over("environ")
def test_bytes_that_are_no_text_pass_through_the_environment(script: Script) -> None:
    session = script.begin("environ", Strange="\xff\x80 \xe4")
    assert b"HTTP_STRANGE=\xff\x80 \xe4\n" in session.first.body
    assert b"HTTP_STRANGE=\xfe=\n" in session.call("environ", Strange="\xfe=").body


@over("arguments")
def test_a_program_gets_no_arguments(script: Script) -> None:
    assert script.begin("arguments").call("arguments").text.startswith("arguments=0")


@over("arguments", without=("cobol",))
def test_a_program_knows_its_own_name(script: Script) -> None:
    session = script.begin("arguments")
    assert session.first.text == session.call("arguments").text == f"arguments=0 {script.path}\n"


def _cpu_limit(pid: int) -> list[str]:
    limits = Path(f"/proc/{pid}/limits").read_text()
    return next(line.split()[3:5] for line in limits.split("\n") if line.startswith("Max cpu time"))
