"""What the processes of hosted programs are, cold and warm, and programs that have children."""

from __future__ import annotations

import os
from pathlib import Path

from tests.blackbox.harness import wait_for
from tests.blackbox.proc import alive, descriptors
from tests.hosts.languages import Language, over
from tests.hosts.script import Script

# Lines of /proc/PID/status that say how a process was set up, not what it did
SETUP = ("SigQ:", "SigBlk:", "SigIgn:", "SigCgt:", "Umask:", "NoNewPrivs:", "Uid:", "Gid:", "Groups:", "Cap")


@over("fork", "flush", "echo", "count")
def test_a_child_that_writes_and_exits_ends_nothing(script: Script) -> None:
    session = script.begin("flush", "fork", "echo=end")
    assert session.first.text == "child\nparent\nend\n"
    assert session.call("flush", "fork", "echo=end").text == "child\nparent\nend\n"
    assert session.call("count").number("count") == 3


@over("daemon", "echo", "count")
def test_a_child_that_outlives_its_call_disturbs_nothing(script: Script, tmp_path: Path) -> None:
    go = tmp_path / "go"
    session = script.begin("echo=one", f"daemon={go}")
    assert session.first.text == "one\n"
    pid = session.pid()
    assert len(group(pid)) == 2
    assert session.call("echo=two").text == "two\n"
    go.touch()
    wait_for("the child's end", lambda: len(group(pid)) == 1)
    assert session.call("count").number("count") == 4


@over("daemon", "count")
def test_T3_children_of_a_session_end_with_it(script: Script, tmp_path: Path) -> None:
    session = script.begin("count", f"daemon={tmp_path / 'never'}")
    pid = session.first.number("pid")
    assert len(group(pid)) == 2
    session.end()
    wait_for("the end of all", lambda: not group(pid))


@over("count")
def test_a_process_has_a_session_and_group_of_its_own_and_is_the_keepers_child(script: Script) -> None:
    pid = script.begin().pid()
    assert stat(pid)[1:4] == [script.gateway.keeper, pid, pid]
    assert script.gateway.keeper != os.getsid(pid)


@over("count")
def test_a_process_holds_its_standard_descriptors_and_the_request_pipe(script: Script) -> None:
    held = descriptors(script.begin().pid())
    kinds = {number: what.partition(":")[0] for number, what in held.items() if number < 4}
    assert kinds == {0: kinds[0], 1: "pipe", 2: "pipe", 3: "pipe"}
    assert len({held[1], held[2], held[3]}) == 3
    # the host's own copies, by which it gives the program its streams anew; nothing of other processes
    assert set(held.values()) <= {held[1], held[2], held[3], "/dev/null"} | _mapped(script.language, held)


@over("count")
def test_warm_sessions_share_no_pipe(script: Script) -> None:
    first, second = (set(descriptors(script.begin().pid()).values()) for _ in range(2))
    assert {what for what in first & second if what.startswith(("pipe", "socket"))} == set()


@over("count")
def test_cold_and_warm_processes_are_set_up_alike(script: Script) -> None:
    """But for what a warm one was made of: its command line, and the numbers of the host's own descriptors."""
    pid, other = (one.begin().pid() for one in (script, _cold(script)))
    assert _status(pid) == _status(other)
    for name in ("limits", "oom_score_adj", "cgroup", "personality", "coredump_filter", "timerslack_ns"):
        assert _file(pid, name) == _file(other, name), name
    assert stat(pid)[14:16] == stat(other)[14:16]  # priority, nice
    assert len(descriptors(pid)) == len(descriptors(other))
    for name in ("cwd", "root", "exe"):
        cold = os.readlink(f"/proc/{other}/{name}")
        assert os.readlink(f"/proc/{pid}/{name}") == cold.replace(str(_cold(script).folder), str(script.folder))


@over("environ")
def test_cold_and_warm_programs_see_the_same_environment(script: Script) -> None:
    session, cold = (one.begin("environ") for one in (script, _cold(script)))
    assert _names(session.first.body) == _names(cold.first.body)
    assert _names(session.call("environ").body) == _names(cold.call("environ").body)


@over("count")
def test_StartCGI_starts_a_program_without_an_interpreters_start(script: Script) -> None:
    first, session = script.once("count").number("pid"), script.begin("count")
    pid = session.first.number("pid")
    assert _is_fork(pid) == (script.start == "warm")
    assert pid != first


@over("count")
def test_an_administrator_sees_what_a_process_is(script: Script) -> None:
    pid = script.begin().pid()
    words = _file(pid, "cmdline").split("\0")
    assert str(script.path) in words or _file(pid, "comm") == script.path.name[:15] + "\n"


@over("count")
def test_a_first_body_that_streams_starts_the_program_cold(script: Script) -> None:
    small, large = (script.begin("count", body=b"x" * size) for size in (64 << 10, (64 << 10) + 1))
    assert _is_fork(small.first.number("pid")) == (script.start == "warm")
    assert not _is_fork(large.first.number("pid"))


def group(pid: int) -> list[int]:
    """The living processes of a group."""
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    return [other for other in pids if stat(other)[2:3] == [pid] and alive(other)]


def stat(pid: int) -> list[int]:
    """Fields 3 (state, as 0), 4, … of /proc/PID/stat: parent, group, session, …; empty without a process."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return []
    return [0, *map(int, text.rpartition(")")[2].split()[1:])]


def _is_fork(pid: int) -> bool:
    """Whether a process goes on with the program of the one that made it (PF_FORKNOEXEC of linux/sched.h)."""
    return bool(stat(pid)[6] & 0x40)


def _cold(script: Script) -> Script:
    return Script(script.gateway, script.language, "cold")


def _file(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()


def _status(pid: int) -> list[str]:
    return [line for line in _file(pid, "status").split("\n") if line.startswith(SETUP[1:])]


def _names(text: bytes) -> set[bytes]:
    return {line.partition(b"=")[0] for line in text.split(b"\n")}


def _mapped(language: Language, held: dict[int, str]) -> set[str]:
    """What a language keeps open beside: the native host the library it has loaded."""
    return (
        {what for what in held.values() if what.startswith("/memfd:")} if language.host == "native" else set()
    )
