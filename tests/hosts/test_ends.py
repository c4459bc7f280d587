"""How a call ends, how a session ends, and how a program fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.blackbox.harness import Answer, wait_for
from tests.blackbox.proc import alive
from tests.hosts.languages import over
from tests.hosts.script import Script, Session, lines

LEAVE = ["exit=0", "deep=0"]
# exit is libc's in a native program, and no loader can catch that (spec 2)
NATIVE, INTERPRETED = ("c", "cobol"), ("python", "perl")


@over("exit", "deep", "count", "echo", without=NATIVE)
@pytest.mark.parametrize("leave", LEAVE)
def test_exit_with_success_ends_the_call_not_the_session(script: Script, leave: str) -> None:
    session = script.begin("echo=one", leave, "echo=never")
    assert session.first.text == "one\n"
    assert session.call("echo=two", leave, "echo=never").text == "two\n"
    assert session.call("count").number("count") == 3


@over("exit", "deep", "echo", without=INTERPRETED)
@pytest.mark.parametrize("leave", LEAVE)
def test_exit_of_a_native_program_ends_the_session_after_a_complete_response(
    script: Script, leave: str
) -> None:
    session = script.begin("echo=one")
    pid = session.pid()
    answer = session.call("echo=two", leave, "echo=never")
    assert (answer.status, answer.text, answer.whole) == (200, "two\n", True)
    wait_for("the end", lambda: not alive(pid))
    assert session.reason() == "ended"


@over("exit", "echo")
def test_exit_with_success_of_a_program_that_keeps_nothing(script: Script) -> None:
    answer = script.once("echo=one", "exit=0", "echo=never")
    assert (answer.status, answer.text, answer.whole) == (200, "one\n", True)


@over("exit", "deep", "echo")
@pytest.mark.parametrize("leave", ["exit=3", "deep=3"])
def test_exit_with_another_status_ends_the_session_and_is_reported(script: Script, leave: str) -> None:
    alone = script.alone("exits")
    session = alone.begin("echo=one")
    pid = session.pid()
    answer = session.call("echo=two", "flush", leave)
    assert answer.text == "two\n" and answer.whole is (script.language.name != "cobol")
    wait_for("the end", lambda: not alive(pid))
    script.gateway.wait_log(rf"HTS007 .*exit status 3\).* {alone.url}")
    assert session.reason() == "crashed"


@over("die")
def test_an_uncaught_error_before_the_head_is_502_and_its_trace_is_in_the_log(script: Script) -> None:
    word = _word(script, "early")
    answer = script.once(f"die={word}")
    assert answer.status == 502
    assert word not in answer.text
    script.gateway.wait_log(rf"\[cgi:error\].*{word}")


@over("die", without=NATIVE)
def test_a_trace_names_the_line_of_the_script_and_nothing_of_the_host(script: Script) -> None:
    alone = script.alone("trace")
    assert alone.once("die=oh").status == 502
    script.gateway.wait_log(rf"{alone.path}\"?,? line \d")
    script.gateway.wait_log(rf"{alone.url}: expected a header block")
    own = [line for line in script.gateway.log.split("\n") if str(alone.path) in line or alone.url in line]
    assert not [line for line in own if "gateway/hosts" in line]


@over("die")
def test_an_uncaught_error_in_a_session_ends_it(script: Script) -> None:
    word = _word(script, "later")
    session = script.begin()
    pid = session.pid()
    assert session.call(f"die={word}").status == 502
    wait_for("the end", lambda: not alive(pid))
    script.gateway.wait_log(word)
    assert session.reason() == "crashed"


@over("die", "echo", "flush")
def test_an_uncaught_error_after_the_head_cuts_the_connection(script: Script) -> None:
    session = script.begin()
    answer = session.call("echo=half", "flush", f"die={_word(script, 'half')}")
    assert (answer.status, answer.whole) == (200, False)
    assert session.reason() == "crashed"


@over("die", "echo")
def test_an_uncaught_error_leaves_other_sessions_alone(script: Script) -> None:
    other, session = script.begin("echo=here"), script.begin()
    assert session.call("die=alone").status == 502
    assert other.call("echo=still").text == "still\n"


@over("cleanup")
def test_P8_clean_up_runs_once_when_the_program_ends_its_session(script: Script, tmp_path: Path) -> None:
    session, pid, file = _tidy(script, tmp_path)
    assert lines(file) == []
    session.end()
    wait_for("the end", lambda: not alive(pid))
    assert lines(file) == ["cleaned up"]


@over("cleanup")
def test_T2_clean_up_runs_once_when_the_session_times_out(script: Script, tmp_path: Path) -> None:
    session, pid, file = _tidy(script.alone("short"), tmp_path)
    wait_for("the end", lambda: not alive(pid))
    assert lines(file) == ["cleaned up"]
    assert session.reason() == "timed-out"


@over("cleanup")
def test_clean_up_runs_once_at_the_end_of_a_program_that_keeps_nothing(script: Script, tmp_path: Path) -> None:
    file = tmp_path / "file"
    script.once(f"cleanup={file}")
    wait_for("the clean-up", lambda: lines(file))
    assert lines(file) == ["cleaned up"]


@over("cleanup", "exit", "echo")
def test_clean_up_runs_once_when_a_program_exits_with_a_failure(script: Script, tmp_path: Path) -> None:
    session, pid, file = _tidy(script, tmp_path)
    session.call("exit=1")
    wait_for("the end", lambda: not alive(pid))
    assert lines(file) == ["cleaned up"]


@over("count")
def test_a_program_that_keeps_nothing_ends_and_is_reaped(script: Script) -> None:
    answers: list[Answer] = [script.once("count") for _ in range(3)]
    pids = {answer.number("pid") for answer in answers}
    assert [answer.number("count") for answer in answers] == [1, 1, 1]
    assert len(pids) == 3
    wait_for("the ends", lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def _tidy(script: Script, folder: Path) -> tuple[Session, int, Path]:
    """A session that cleans up, its process, the file that it then writes a line to."""
    file = folder / "file"
    session = script.begin("count", f"cleanup={file}")
    return session, session.first.number("pid"), file


def _word(script: Script, name: str) -> str:
    return f"{name}-{script.start}-{script.language.name}"
