"""What a program finds when it is started: only what it needs, and nothing of the gateway's (issue, part 4)."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.blackbox.harness import Answer, Gateway
from tests.blackbox.users import NOBODY, OpenGateway, account, as_root, at, open_folder

IN_C = """
#include <fcntl.h>
#include <stdio.h>
int main(void) {
    printf("Content-Type: text/plain\\n\\n");
    for (int number = 0; number < 5000; number++)
        if (fcntl(number, F_GETFD) != -1) printf("fd=%d\\n", number);
    return 0;
}
"""
IN_PYTHON = f"""#!{sys.executable} -S
import fcntl
print("Content-Type: text/plain\\n")
for number in range(5000):
    try:
        fcntl.fcntl(number, fcntl.F_GETFD)
        print(f"fd={{number}}")
    except OSError:
        pass
"""
# The shell itself holds its script open, and the folder while it is looked at
IN_SHELL = """#!/bin/bash
printf 'Content-Type: text/plain\\n\\n'
for entry in /proc/$$/fd/*; do
    [[ -L $entry && ! $entry -ef $0 ]] && echo "fd=${entry##*/}"
done
"""
STATE = """#!/bin/sh
printf 'Content-Type: text/plain\\n\\n'
echo "folder=$(pwd -P)"
echo "umask=$(umask)"
echo "oom=$(cat /proc/self/oom_score_adj)"
exec cat /proc/self/status /proc/self/stat /proc/self/limits
"""
# A session that costs little: it answers once, and ends at end of file
LIGHT = """#!/bin/sh
printf 'Accept-HTSession: %s\\nX: y\\n\\n\\004%s\\n' "$HTSESSION_NEXT_HANDLE" "$HTSESSION_END"
read -r line <&3
"""
# Programs of limited.example are started by fork, all others by posix_spawn
DIRECTIVES = """
MaxPersistentCGI 400
MaxCGIJobs 500
CGIActivationGroup python .py
<VirtualHost *:*>
  ServerName plain.example
</VirtualHost>
<VirtualHost *:*>
  ServerName limited.example
  RLimitCPU 1000
</VirtualHost>
"""
GLIBCS_OWN = 3 << 31  # signals 32 and 33: its posix_spawn ignores them, a program that needs them sets them
HOSTS = ["plain.example", "limited.example"]
WAYS = pytest.mark.parametrize("host", HOSTS)


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Started with signals ignored and blocked; with many sessions and connections alive."""
    with open_folder() as folder, ThreadPoolExecutor(8) as pool:
        programs = {
            "shell": IN_SHELL,
            "python": IN_PYTHON,
            "hosted.py": IN_PYTHON,
            "state": STATE,
            "light": LIGHT,
        }
        made = OpenGateway(folder, DIRECTIVES, programs)
        if compiler := shutil.which("gcc"):
            subprocess.run(
                [compiler, "-x", "c", "-", "-o", made.cgi_bin / "c"], input=IN_C.encode(), check=True
            )
        made.prefix = ["env", "--ignore-signal=QUIT,USR2,PIPE", "--block-signal=TERM,QUIT,USR1"]
        made.start()
        answers = list(pool.map(lambda _: made.get("/cgi-bin/light"), range(200)))
        assert {answer.status for answer in answers} == {200}
        connections = [made.connect() for _ in range(100)]
        yield made
        for connection in connections:
            connection.close()
        assert made.stop() == 0


def numbers(answer: Answer) -> list[int]:
    return [int(number) for number in re.findall(r"^fd=(\d+)$", answer.text, re.MULTILINE)]


@WAYS
@pytest.mark.parametrize(
    "program", [pytest.param("c", marks=pytest.mark.needs("gcc")), "shell", "python", "hosted.py"]
)
@pytest.mark.parametrize("body", [None, b"some"])
def test_a_program_has_the_descriptors_0_to_3_and_no_other(
    gateway: Gateway, host: str, program: str, body: bytes | None
) -> None:
    method = "GET" if body is None else "POST"
    answer = gateway.request(method, f"/cgi-bin/{program}", body, {"Host": host})
    hosts_own = [4, 5, 6, 7] if program == "hosted.py" else []  # set aside: 0, 1 and 2; /dev/null
    assert numbers(answer) == [0, 1, 2, 3, *hosts_own], gateway.log[-2000:]


def field(text: str, name: str) -> str:
    found = re.search(rf"^{name}[:=]\s*(.*)$", text, re.MULTILINE)
    assert found is not None, text
    return found[1]


@WAYS
def test_no_signal_is_blocked_or_ignored_even_if_the_gateway_was_started_so(
    gateway: Gateway, host: str
) -> None:
    text = at(gateway, host, "/cgi-bin/state").text
    blocked, ignored, caught = (int(field(text, f"Sig{kind}"), 16) for kind in ("Blk", "Ign", "Cgt"))
    assert (blocked, ignored & ~GLIBCS_OWN, caught) == (0, 0, 0)


@WAYS
def test_a_program_leads_a_session_and_group_of_its_own_without_a_terminal(gateway: Gateway, host: str) -> None:
    text = at(gateway, host, "/cgi-bin/state").text
    pid = int(field(text, "Pid"))
    stat = re.search(rf"^{pid} \(cat\) \S+ (.*)$", text, re.MULTILINE)
    assert stat is not None
    parent, group, session, terminal = map(int, stat[1].split()[:4])
    assert (parent, group, session, terminal) == (gateway.keeper, pid, pid, 0)


@WAYS
def test_a_program_starts_in_its_own_folder_with_the_priority_and_limits_of_the_gateway(
    gateway: Gateway, host: str
) -> None:
    text = at(gateway, host, "/cgi-bin/state").text
    assert field(text, "folder") == str(gateway.cgi_bin)
    stat = re.search(r"^\d+ \(cat\) (.*)$", text, re.MULTILINE)
    assert stat is not None and int(stat[1].split()[16]) == os.nice(0)
    assert field(text, "oom") == Path("/proc/self/oom_score_adj").read_text().strip()
    core = re.search("^Max core file size +(.*?) *bytes", text, re.MULTILINE)
    own = re.search("^Max core file size +(.*?) *bytes", Path("/proc/self/limits").read_text(), re.MULTILINE)
    assert core is not None and own is not None and core[1].split() == own[1].split()


# ---- umask


@pytest.mark.parametrize(
    ("given", "effective"), [("000", "0022"), ("022", "0022"), ("027", "0027"), ("077", "0077")]
)
def test_nobody_else_writes_to_what_a_program_makes_and_a_stricter_umask_stays(
    given: str, effective: str
) -> None:
    with open_folder() as folder:
        made = OpenGateway(folder / "gateway", "", {"state": STATE})
        made.prefix = ["sh", "-c", f'umask {given}; exec "$@"', "sh"]
        made.start()
        assert field(made.get("/cgi-bin/state").text, "umask") == effective
        assert made.stop() == 0


# ---- no_new_privs


@WAYS
def test_no_process_of_the_gateway_can_gain_privileges(gateway: Gateway, host: str) -> None:
    assert field(at(gateway, host, "/cgi-bin/state").text, "NoNewPrivs") == "1"
    for pid in (gateway.keeper, *gateway.fronts()):
        assert field(Path(f"/proc/{pid}/status").read_text(), "NoNewPrivs") == "1"


@pytest.fixture
def setuid() -> Iterator[Gateway]:
    """A gateway for nobody, a program of which is setuid root."""
    with open_folder() as folder:
        made = OpenGateway(folder / "gateway", "User nobody", {"state": STATE})
        tool = made.folder / "id"
        shutil.copyfile(shutil.which("id") or "", tool)
        tool.chmod(0o4755)
        made.program("gain", f"#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nexec {tool} -u\n")
        yield made
        assert made.stop() == 0


@as_root
def test_a_setuid_file_gains_nothing_by_default(setuid: Gateway) -> None:
    assert int(setuid.start().get("/cgi-bin/gain").text) == account(NOBODY).uid


@as_root
def test_CGINoNewPrivileges_Off_lets_setuid_files_work_and_On_ends_that_for_good(setuid: Gateway) -> None:
    setuid.configure("User nobody\nCGINoNewPrivileges Off")
    setuid.start()
    assert int(setuid.get("/cgi-bin/gain").text) == 0
    setuid.configure("User nobody\nCGINoNewPrivileges On")
    setuid.reload()
    assert int(setuid.get("/cgi-bin/gain").text) == account(NOBODY).uid
    assert "CGINoNewPrivileges Off works at the next start" not in setuid.log
    setuid.configure("User nobody\nCGINoNewPrivileges Off")
    setuid.reload()
    setuid.wait_log("CGINoNewPrivileges Off works at the next start")
    assert int(setuid.get("/cgi-bin/gain").text) == account(NOBODY).uid
