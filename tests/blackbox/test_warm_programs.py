"""Programs in processes that a warm host has made: how they end, what they see of others, whose they are."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.blackbox.clients import new_handle
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import descriptors
from tests.blackbox.users import (
    DAEMON,
    NOBODY,
    WWW_DATA,
    OpenGateway,
    account,
    as_root,
    give,
    open_folder,
    process,
)
from tests.blackbox.warm import (
    ONE,
    PERL,
    PROGRAM,
    PROGRAMS,
    WARM,
    call,
    environ,
    host,
    hosts,
    is_warm,
    keep,
    once,
    ready,
    wait_ready,
)

PATIENCE = "CGIScriptTimeout 1s\nCGIStopGrace 300ms\n"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """Two Python hosts are ready."""
    return serve_shared(WARM + PATIENCE, PROGRAMS)


@pytest.fixture(scope="module")
def patient(serve_shared: Serve) -> Gateway:
    """One that gives programs the time they need to end."""
    return serve_shared(WARM + "CGIStopGrace 30s\n", PROGRAMS)


@pytest.fixture(scope="module")
def cold(serve_shared: Serve) -> Gateway:
    """The same, without hosts that are ready."""
    return serve_shared("CGIActivationGroup python .py\n" + PATIENCE, PROGRAMS)


# ---- ends


ENDS = {
    "crash": "raise RuntimeError('no such luck')",
    "kill": "os.kill(os.getpid(), 11)",
    "stderr": "sys.stderr.write('the last words\\n'); sys.stderr.flush(); os._exit(3)",
    "nothing": "os.dup2(os.open('/dev/null', os.O_WRONLY), 1); os._exit(0)",
    "slow": "import time; time.sleep(60)",
}


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize("later", [False, True], ids=["first", "later"])
def test_faults_are_reported_in_the_same_words_cold_and_warm(
    gateway: Gateway, cold: Gateway, how: str, later: bool
) -> None:
    said = {one: _end(one, ENDS[how], later) for one in (cold, gateway)}
    wait_for("the same words", lambda: said[cold]() == said[gateway]() and said[cold]()[1])
    (status, whole, *_), words = said[gateway]()
    assert status == 504 if how == "slow" else (status == 502 or not whole), words


def _end(gateway: Gateway, text: str, later: bool) -> Callable[[], tuple[tuple[object, ...], set[str]]]:
    """Have a program end so; the answers, and what the log says of it without times and numbers."""
    handle = new_handle()
    if later:
        keep(gateway, handle)
    before = len(gateway.log)
    answer = call(gateway, handle, text) if later else once(gateway, text)
    reasons = [call(gateway, handle).header("x-htsession-ended")] if later else []

    def said() -> tuple[tuple[object, ...], set[str]]:
        text = re.sub(r"\[(pid|client|unique_id)[^]]*\]", "", gateway.log[before:])
        said = re.compile(r"\[(cgi|core):(?!notice)")  # not who serves since when
        lines = [line.partition("] ")[2] for line in text.splitlines() if said.search(line)]
        words = re.sub(r"\d+", "N", "\n".join(lines).replace(str(gateway.folder), "FOLDER"))
        return (answer.status, answer.whole, *reasons), set(words.splitlines())

    return said


def test_T3_a_warm_session_that_does_not_heed_is_ended_in_steps(gateway: Gateway, tmp_path: Path) -> None:
    diary = tmp_path / "diary"
    stubborn = f"""
import signal, threading, time
def note(text):
    with open("{diary}", "a") as file: file.write(text + " ")
def watch():
    threading.main_thread().join()
    note("eof")
    while True: time.sleep(1)
signal.signal(signal.SIGTERM, lambda number, frame: note("term"))
threading.Thread(target=watch).start()
if not os.fork():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    while True: signal.pause()
"""
    pid = keep(gateway, "stubborn", stubborn).number("pid")
    once(gateway, "", f"{ONE}/stubborn")
    wait_for("the end of its group", lambda: not _group(pid))
    gateway.wait_log("HTS006 .*one.py")
    assert diary.read_text().split() in (["eof", "term"], ["eof"])  # waiting threads see signals late


LAST = {
    "exit function": "import atexit; atexit.register(note)",
    "thread": "import threading, time; threading.Thread(target=lambda: (time.sleep(0.2), note())).start()",
    "pool": "import concurrent.futures as f; f.ThreadPoolExecutor().submit(lambda: (time.sleep(0.2), note()))",
    "log": "import logging.handlers as h; log = h.MemoryHandler(9, target=logging.FileHandler(diary));"
    "log.handle(logging.makeLogRecord({'msg': 'noted '}))",
}


@pytest.mark.parametrize("what", LAST)
@pytest.mark.parametrize("kept", [False, True], ids=["one request", "a session"])
def test_what_a_program_leaves_for_its_exit_is_done(
    patient: Gateway, tmp_path: Path, what: str, *, kept: bool
) -> None:
    diary = tmp_path / "diary"
    note = f"import logging, time; diary = {str(diary)!r}\nnote = lambda: open(diary, 'a').write('noted ')"
    text = f"{note}\n{LAST[what]}"
    if kept:
        handle = new_handle()
        keep(patient, handle)
        call(patient, handle, text)
        once(patient, "", f"{ONE}/{handle}")
    else:
        once(patient, text)
    wait_for("what was left", lambda: diary.exists() and diary.read_text().split() == ["noted"])


def _group(pid: int) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            found += [int(entry.name)] if fields[2] == str(pid) and fields[0] != "Z" else []
    return found


# ---- what one program can see of another


def test_warm_programs_see_nothing_of_each_other(gateway: Gateway, tmp_path: Path) -> None:
    leave = f"""
os.environ['LEFT'] = 'x'; sys.modules['left'] = sys; import builtins; builtins.left = 1
sys.path.append('/left'); os.umask(0); left = open('{tmp_path}/left', 'w'); os.dup2(left.fileno(), 77)
import tempfile; file = tempfile.TemporaryFile(); import random; random.seed(1)
"""
    keep(gateway, "leaves", leave)
    look = """
import builtins, random
kept = 'LEFT' in os.environ, 'left' in sys.modules, hasattr(builtins, 'left'), '/left' in sys.path
seen = *kept, os.umask(0o22)
print(*seen, sorted(map(int, os.listdir('/proc/self/fd'))), random.random())
"""
    before = once(gateway, look).text.split("\n", 1)[1]
    for _ in range(3):
        answer = keep(gateway, new_handle(), look)
        assert is_warm(answer)
        text = answer.text.split("\n", 1)[1]
        assert text.startswith("False False False False 18 ") and "77" not in text.rpartition("]")[0]
        assert text.rpartition(" ")[0] == before.rpartition(" ")[0]  # the same descriptors
        assert text != before  # another random number


def test_a_running_program_holds_no_socket_to_the_host(gateway: Gateway) -> None:
    answer = keep(gateway, "sockets")
    kinds = {target.partition(":")[0] for target in descriptors(answer.number("pid")).values()}
    assert kinds and kinds <= {"pipe", "/dev/null"}


def test_a_file_replaced_at_once_by_one_of_the_same_size_is_another_program(gateway: Gateway) -> None:
    for number in range(30):
        gateway.program("again.py", PROGRAM + f"    print('revision', {number % 10})\n")
        assert once(gateway, "", "/cgi-bin/again.py").text.endswith(f"revision {number % 10}\n")


def test_a_program_that_was_deleted_is_not_started(gateway: Gateway) -> None:
    path = gateway.program("gone.py", PROGRAM)
    assert is_warm(once(gateway, "", "/cgi-bin/gone.py"))
    session = keep(gateway, "outlives", "", "/cgi-bin/gone.py")
    path.unlink()
    assert once(gateway, "", "/cgi-bin/gone.py").status == 404
    assert call(gateway, "outlives", "", "/cgi-bin/gone.py").number("pid") == session.number("pid")


# ---- users


@pytest.fixture(scope="module")
def users() -> Iterator[Gateway]:
    """Hosts of other users, one of them suexec's."""
    with open_folder() as folder:
        made = OpenGateway(folder / "gateway", "", {"one.py": PROGRAM, "one.pl": PERL})
        own = made.folder / "own"
        own.mkdir()
        (own / "one.py").write_text(PROGRAM)
        give(own / "one.py", NOBODY, 0o755)
        give(own, NOBODY, 0o755)
        made.configure(
            "CGIActivationGroup python .py interpreter=/usr/bin/python3\nStartCGI 2\n"
            "User www-data\nGroup www-data\n"
            "<VirtualHost *:*>\nServerName plain.example\n</VirtualHost>\n"
            "<VirtualHost *:*>\nServerName daemon.example\nUser daemon\nGroup nogroup\n</VirtualHost>\n"
            f"<VirtualHost *:*>\nServerName nobody.example\nSuexecUserGroup nobody nogroup\n"
            f"ScriptAlias /own/ {own}/\n</VirtualHost>\n"
        )
        yield made.start()
        assert made.stop() == 0


@as_root
def test_warm_processes_are_their_users_from_the_beginning(users: Gateway) -> None:
    wait_ready(users, 4)
    who = [process(pid) for pid in ready(users)]
    assert {one.uid for one in who} == {account(WWW_DATA).uid, account(DAEMON).uid}
    assert {process(one.pid).uid for one in hosts(users)} == {one.uid for one in who}
    for name in (WWW_DATA, DAEMON):
        mine = [one for one in who if one.uid == account(name).uid]
        assert len(mine) == 2 and 0 not in {mine[0].gid, *mine[0].groups} and mine[0] == mine[1]


@as_root
def test_a_warm_program_cannot_become_root_again(users: Gateway) -> None:
    back = """
ways = lambda: os.setuid(0), lambda: os.setresuid(0, 0, 0), lambda: os.setgroups([0]), lambda: os.setgid(0)
for way in ways:
    try:
        way()
        print('BACK')
    except PermissionError:
        print('refused')
print([line for line in open('/proc/self/status') if line.startswith(('CapEff', 'CapPrm'))], os.getresuid())
"""
    for name, user in (("plain.example", WWW_DATA), ("daemon.example", DAEMON)):
        answer = once(users, back, Host=name)
        assert is_warm(answer)
        assert answer.text.split("\n")[1:5] == ["refused"] * 4
        assert f"({account(user).uid}, " in answer.text and answer.text.count("0000000000000000") == 2


@as_root
def test_programs_of_SuexecUserGroup_start_cold_and_by_suexecs_rules(users: Gateway) -> None:
    answer = once(users, "print(os.getuid())", "/own/one.py", Host="nobody.example")
    assert answer.text.endswith(f"\n{account(NOBODY).uid}\n") and not is_warm(answer)
    assert once(users, Host="nobody.example").status == 500
    users.wait_log("suexec: ")


@as_root
def test_CGINoNewPrivileges_holds_for_warm_processes(serve: Serve) -> None:
    gateway = serve(WARM + "CGINoNewPrivileges On", PROGRAMS)
    answer = once(gateway, "print([line for line in open('/proc/self/status') if 'NoNewPrivs' in line])")
    assert is_warm(answer) and "NoNewPrivs:\\t1" in answer.text


def test_a_warm_host_has_no_variable_of_the_gateway(gateway: Gateway) -> None:
    assert set(environ(host(gateway))) == {"PATH", "HTSESSION_LIB", "HTSESSION_WARM"}
