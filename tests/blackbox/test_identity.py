"""User, Group, SuexecUserGroup: as whom requests are answered and programs run (spec 3), started by root."""

from __future__ import annotations

import grp
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.blackbox.credentials import basic, guarded
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import alive
from tests.blackbox.users import (
    DAEMON,
    ITSELF,
    NOBODY,
    WHO,
    WWW_DATA,
    OpenGateway,
    Who,
    account,
    as_root,
    at,
    give,
    home,
    open_folder,
    process,
    who,
)

pytestmark = as_root

BCRYPT = "$2y$04$bNh6BbXblq1pTb546dyTKeJjJkoOzxLqcW2GKG82jFBHbpM0jKoVm"
APR1 = "$apr1$abcdefgh$i/5QD.rdk1rENIb4smZf9/"

HOSTS = """
User www-data
Group www-data
PersistentCGIPreviousHandles 1
<VirtualHost *:*>
  ServerName plain.example
  <Location /cgi-bin/who/guarded>
    {guarded}
  </Location>
</VirtualHost>
<VirtualHost *:*>
  ServerName daemon.example
  User daemon
  Group nogroup
</VirtualHost>
<VirtualHost *:*>
  ServerName nobody.example
  SuexecUserGroup nobody nogroup
  ScriptAlias /own/ {folder}/of-nobody/
  CGIActivationGroup python .py interpreter=/usr/bin/python3
  SetEnv KEPT by-the-file
</VirtualHost>
"""


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Three hosts: of the main server's user, of another one, of suexec's."""
    with open_folder() as folder:
        made = OpenGateway(folder / "gateway", "", {"who": WHO})
        home(made, NOBODY)
        users = made.folder / "users"
        users.write_text(f"anna:{BCRYPT}\nbert:{APR1}\n")
        users.chmod(0o644)
        made.configure(HOSTS.format(folder=made.folder, guarded=guarded(users)))
        yield made.start()
        assert made.stop() == 0


# ---- who is who


def test_with_User_the_keeper_stays_root_and_requests_are_answered_as_that_user(gateway: Gateway) -> None:
    assert process(gateway.keeper) == ITSELF
    (front,) = gateway.fronts()
    assert process(front) == account(WWW_DATA)


def test_a_front_that_gave_up_root_has_no_capability_left(gateway: Gateway) -> None:
    status = Path(f"/proc/{gateway.fronts()[0]}/status").read_text()
    for field in ("CapPrm", "CapEff", "CapAmb"):
        assert f"{field}:\t{0:016x}" in status


@pytest.mark.parametrize(("user", "password"), [("anna", "anna"), ("bert", "treb")])
def test_passwords_are_verified_after_root_was_given_up(gateway: Gateway, user: str, password: str) -> None:
    path, host = "/cgi-bin/who/guarded", {"Host": "plain.example"}
    right = gateway.request("GET", path, headers=host | {"Authorization": basic(user, password)})
    wrong = gateway.request("GET", path, headers=host | {"Authorization": basic(user, "wrong")})
    assert (right.status, wrong.status) == (200, 401)


def test_pages_are_made_after_root_was_given_up(gateway: Gateway) -> None:
    answer = gateway.get("/nowhere", Host="plain.example", Accept="text/html")
    assert (answer.status, answer.header("content-type")) == (404, "text/html; charset=utf-8")
    assert "<h1>" in answer.text


def test_programs_run_as_User_and_Group_of_the_main_server(gateway: Gateway) -> None:
    assert who(at(gateway, "plain.example", "/cgi-bin/who?end").text) == account(WWW_DATA)


def test_programs_of_a_virtual_host_run_as_its_own_User_and_Group(gateway: Gateway) -> None:
    nogroup = grp.getgrnam("nogroup").gr_gid
    groups = tuple(sorted(os.getgrouplist(DAEMON, nogroup)))
    found = who(at(gateway, "daemon.example", "/cgi-bin/who?end").text)
    assert found == Who(account(DAEMON).uid, nogroup, groups)


def test_programs_run_as_SuexecUserGroup(gateway: Gateway) -> None:
    assert who(at(gateway, "nobody.example", "/own/who?end").text) == account(NOBODY)


def test_files_are_sent_and_bodies_spooled_by_a_front_that_is_not_roots(gateway: Gateway) -> None:
    (gateway.htdocs / "page.html").write_text("a page")
    assert gateway.get("/page.html").text == "a page"
    answer = gateway.send_chunked("/cgi-bin/who?end", [b"x" * 100_000] * 20)
    assert answer.status == 200, gateway.log


def test_a_file_that_only_root_may_read_is_not_sent(gateway: Gateway) -> None:
    (gateway.htdocs / "secret.html").write_text("for root")
    (gateway.htdocs / "secret.html").chmod(0o600)
    assert gateway.get("/secret.html").status == 403


def test_a_program_that_only_its_user_may_execute_runs(gateway: Gateway) -> None:
    program = gateway.program("private", WHO)
    give(program, DAEMON, 0o700)
    assert at(gateway, "daemon.example", "/cgi-bin/private?end").status == 200
    assert at(gateway, "plain.example", "/cgi-bin/private?end").status == 403


def test_a_folder_that_the_front_may_enter_and_not_list_is_served() -> None:
    with open_folder() as folder:
        other = OpenGateway(folder / "gateway", "User www-data", {"who": WHO})
        other.cgi_bin.chmod(0o711)
        assert who(other.start().get("/cgi-bin/who?end").text) == account(WWW_DATA)
        assert other.stop() == 0


@pytest.mark.parametrize(
    ("text", "log"),
    [
        ("#!/no/such/interpreter\n", r"execve as user 1: No such file or directory \(is the interpreter"),
        ("neither script nor binary", "execve as user 1: Exec format error"),
    ],
)
def test_what_cannot_be_started_as_another_user_is_500_and_the_log_says_why(
    gateway: Gateway, text: str, log: str
) -> None:
    gateway.program("bad", text)
    assert at(gateway, "daemon.example", "/cgi-bin/bad").status == 500
    gateway.wait_log(f"bad: cannot be started: {log}")


def test_a_folder_that_the_programs_user_may_not_enter_is_named_in_the_log(gateway: Gateway) -> None:
    program = gateway.program("inner/who", WHO)
    give(program.parent, WWW_DATA, 0o700)
    assert at(gateway, "daemon.example", "/cgi-bin/inner/who").status == 500
    gateway.wait_log(f"cannot be started: chdir to {program.parent} as user 1: Permission denied")


# ---- sessions of other users


@pytest.mark.parametrize(
    ("host", "path", "user"),
    [("daemon.example", "/cgi-bin/who", DAEMON), ("nobody.example", "/own/who", NOBODY)],
)
def test_a_session_of_another_user_lives_through_a_reload_and_a_front_that_died(
    gateway: Gateway, host: str, path: str, user: str
) -> None:
    first = at(gateway, host, path)
    pid, handle = first.number("pid"), first.text.partition("handle=")[2].partition("\n")[0]
    for count, event in enumerate([gateway.reload, gateway.kill_front], start=2):
        event()
        answer = at(gateway, host, f"{path}/{handle}")
        assert (answer.number("count"), answer.number("pid")) == (count, pid)
        assert who(answer.text).uid == account(user).uid
        handle = answer.text.partition("handle=")[2].partition("\n")[0]
    assert process(gateway.fronts()[-1]) == account(WWW_DATA)


def test_an_instance_of_another_user_is_ended_with_its_group_when_it_takes_no_notice(gateway: Gateway) -> None:
    text = "#!/bin/sh\ntrap '' TERM HUP\nprintf 'X: y\\n\\n%s' $$\nsleep 100 >/dev/null 2>&1 &\n"
    gateway.program("deaf", text + 'echo " child=$!"\nexec 1>&-\nwhile :; do sleep 0.05; done\n')
    answer = at(gateway, "daemon.example", "/cgi-bin/deaf")
    pids = [int(answer.text.split()[0]), answer.number("child")]
    wait_for("the end of both", lambda: not any(map(alive, pids)))


def test_the_guardian_ends_programs_of_other_users_when_the_keeper_is_killed() -> None:
    with open_folder() as folder:
        other = OpenGateway(folder / "gateway", "User www-data", {"who": WHO})
        other.start()
        session = other.get("/cgi-bin/who").number("pid")
        os.kill(other.keeper, signal.SIGKILL)
        assert other.wait_exit() == -signal.SIGKILL
        wait_for("the end of the session", lambda: not alive(session))


# ---- logs


def test_USR1_begins_new_logs_by_a_new_front_when_fronts_are_not_roots(gateway: Gateway) -> None:
    rotated = gateway.log_file.with_suffix(".1")
    gateway.log_file.rename(rotated)
    (old,) = wait_for("one front", lambda: gateway.fronts() if len(gateway.fronts()) == 1 else None)
    os.kill(gateway.keeper, signal.SIGUSR1)
    new_log = gateway.log_file
    wait_for("a new front in the new log", lambda: new_log.exists() and " serves" in new_log.read_text())
    assert at(gateway, "plain.example", "/cgi-bin/missing").status == 404
    gateway.program("broken", "#!/bin/sh\necho no header\n")
    assert at(gateway, "plain.example", "/cgi-bin/broken").status == 502
    wait_for("the front's line", lambda: "broken" in gateway.log_file.read_text())
    assert process(next(pid for pid in gateway.fronts() if pid != old)) == account(WWW_DATA)
    with gateway.log_file.open("r+") as new:  # the rest of this module reads one log
        text = new.read()
        new.seek(0)
        new.write(rotated.read_text() + text)


# ---- suexec


def test_suexec_passes_a_requests_variables_and_those_that_the_file_names_and_a_safe_PATH() -> None:
    text = "#!/bin/sh\nprintf 'Content-Type: text/plain\\n\\n'\nenv\n"
    with open_folder() as folder:
        other = OpenGateway(folder / "gateway")
        home(other, NOBODY, text)
        other.configure(
            f"User www-data\nSuexecUserGroup nobody nogroup\nScriptAlias /own/ {other.folder}/of-nobody/\n"
            "SetEnv KEPT yes\nSetEnvIf Request_URI own CHOSEN=too\nSetEnv PATH /nowhere"
        )
        other.start()
        found = dict(line.partition("=")[::2] for line in other.get("/own/who/info?a=b").text.splitlines())
        assert other.stop() == 0
    assert (found["KEPT"], found["CHOSEN"], found["QUERY_STRING"]) == ("yes", "too", "a=b")
    assert found["PATH"] == "/usr/local/bin:/usr/bin:/bin"


@pytest.mark.needs("/usr/bin/python3")
def test_a_hosted_script_runs_as_SuexecUserGroup(gateway: Gateway) -> None:
    script = gateway.folder / "of-nobody" / "hosted.py"
    script.write_text(
        "print('Content-Type: text/plain\\n')\nprint(open('/proc/self/status').read())\nexit(0)\n"
    )
    give(script, NOBODY, 0o600)
    answer = at(gateway, "nobody.example", "/own/hosted.py")
    assert who(answer.text) == account(NOBODY), gateway.log


def refused(gateway: Gateway, path: str) -> str:
    """What the log says about a program that must not start."""
    assert at(gateway, "nobody.example", path).status == 500
    return gateway.wait_log(rf"(?s){path.rpartition('/')[2]}: cannot be started: suexec: ([^\n]*)")[1]


@pytest.mark.parametrize(
    ("name", "mode", "user", "rule"),
    [
        ("group-writes", 0o775, NOBODY, "it can be written by others"),
        ("all-write", 0o757, NOBODY, "it can be written by others"),
        ("setuid", 0o4755, NOBODY, "it is setuid or setgid"),
        ("setgid", 0o2755, NOBODY, "it is setuid or setgid"),
        ("anothers", 0o755, DAEMON, "it belongs to 1:1, not to 65534:65534"),
        ("roots", 0o755, "root", "it belongs to 0:0, not to 65534:65534"),
    ],
)
def test_suexec_refuses_a_program_and_says_which_rule(
    gateway: Gateway, name: str, mode: int, user: str, rule: str
) -> None:
    program = gateway.folder / "of-nobody" / name
    program.write_text(WHO)
    give(program, user, mode)
    assert refused(gateway, f"/own/{name}") == rule


def test_suexec_refuses_a_folder_of_others_and_says_so(gateway: Gateway) -> None:
    give(gateway.cgi_bin / "who", NOBODY, 0o755)
    folder = gateway.cgi_bin
    try:
        assert refused(gateway, "/cgi-bin/who") == f"the folder {folder} belongs to 0:0, not to 65534:65534"
        give(folder, NOBODY, 0o775)
        at(gateway, "nobody.example", "/cgi-bin/who")
        gateway.wait_log(rf"suexec: the folder {folder} can be written by others")
    finally:
        give(folder, "root", 0o755)


def test_suexec_refuses_a_symbolic_link(gateway: Gateway) -> None:
    link = gateway.folder / "of-nobody" / "link"
    link.symlink_to("who")
    gateway.configure(HOSTS.format(folder=gateway.folder, guarded="") + "\nOptions FollowSymLinks\n")
    gateway.reload()
    assert refused(gateway, "/own/link") == "it is not a regular file (or a symbolic link)"
