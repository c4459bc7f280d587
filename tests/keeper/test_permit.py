"""What a front that was broken into gets from the keeper: a real keeper, and a front that asks for too much."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.blackbox.harness import ROOT, wait_for
from tests.blackbox.users import DAEMON, NOBODY, WWW_DATA, account, as_root, give, open_folder

pytestmark = as_root
Front = Callable[[str], str]

CONFIGURE = """
nobody = {nobody!r}
def configure(**changes):
    permit = dict(identities=[[*nobody, False], [*nobody, True]], anybody=False, roots=[{folder!r}],
                  hosts=[["/bin/sh", {host!r}]], names=["NAMED"],
                  fixed=dict(PATH="/usr/bin:/bin", HTSESSION_LIB="/lib"))
    logs = {{"": ["stderr", {{"": "info"}}]}}
    fields = dict(logs=logs, sessions={{}}, graceful=1.0, drops=True, no_new_privileges=True)
    ask("configure", "configured", **(fields | dict(permit=permit | changes)))
def start(argv, identity, directory={folder!r}, brief=False, **environ):
    texts = "".join(f"{{name}}\\0{{value}}\\0" for name, value in environ.items()).encode()
    order = dict(argv=argv, environ=texts, directory=directory, identity=identity, limits=[])
    link.send("recipe", number=0, about=dict(host="", cgi_name="", shared=False), grace=0.1, **order)
    own = dict(recipe=0, words=[], environ=b"", mark="", body=False, brief=brief)
    answer = ask("start", "started|failed", tag=1, **own)
    tell(answer.get("step", answer["kind"]))
    return answer
"""


@pytest.fixture
def front() -> Iterator[Front]:
    """Run a keeper with a front that does what the text says; what keeper and front say in the end."""
    keepers: list[subprocess.Popen[bytes]] = []
    with open_folder() as folder:
        package = folder / "package" / "gateway"
        package.mkdir(parents=True)
        for entry in (ROOT / "gateway").iterdir():
            if entry.name not in ("front", "__pycache__"):
                (package / entry.name).symlink_to(entry)
        (package / "front").mkdir()
        (package / "front" / "__init__.py").touch()
        (package / "front" / "__main__.py").symlink_to(Path(__file__).with_name("front_by_script.py"))
        give(folder / "package", "root", 0o755)

        def run(text: str) -> str:
            script, said = folder / "script", folder / "said"
            entry = account(NOBODY)
            values = {
                "nobody": [*entry[:2], list(entry.groups)],
                "folder": str(folder),
                "host": f"{folder}/host",
            }
            script.write_text(CONFIGURE.format(**values) + text + "\ntell('done')\n")
            with said.open("wb") as output:
                keeper = subprocess.Popen(
                    [sys.executable, "-m", "gateway.keeper", str(folder / "state"), str(script)],
                    stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    env={"PYTHONPATH": str(package.parent), "PATH": os.environ["PATH"]}, cwd=folder,
                )  # fmt: skip
            keepers.append(keeper)
            wait_for("the front's end", lambda: re.search("done|broke the link", said.read_text()))
            return said.read_text()

        yield run
        for keeper in keepers:
            keeper.kill()
            keeper.wait()


def test_nothing_is_started_for_a_front_that_has_not_been_configured(front: Front) -> None:
    said = front("start(['/bin/true'], None)\nstart(['/bin/true'], [*nobody, False])")
    assert said.count("front: as the keeper's own user: refused") == 1
    assert said.count("front: as user 65534, group 65534: refused") == 1


def test_a_front_that_gave_up_root_starts_nothing_as_root_or_as_users_that_are_not_named(front: Front) -> None:
    uid, gid, groups = account(DAEMON)
    said = front(
        f"configure(); become({account(WWW_DATA).uid})\nstart(['/bin/true'], None)\n"
        f"start(['/bin/true'], [{uid}, {gid}, {list(groups)}, False])\n"
        "start(['/bin/true'], [0, 0, [0], False])\n"
        "start(['/bin/true'], [*nobody[:2], [0], False])\nstart(['/bin/true'], [*nobody, False])"
    )
    answers = re.findall("^front: (.*)", said, re.MULTILINE)
    assert answers == [
        "as the keeper's own user: refused",
        "as user 1, group 1: refused",
        "as user 0, group 0: refused",
        "as user 65534, group 65534: refused",  # with a group of root's
        "started",
        "done",
    ]
    assert len(re.findall(r"\[core:crit\].*asked for a start as .*: refused", said)) == 4


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("configure(); configure(anybody=True)", "it may configure nothing any more"),
        (f"become({account(WWW_DATA).uid}); configure()", "it is not root's process any more"),
        ("configure(); ask('listen', 'listening', addresses=[])", "it may configure nothing any more"),
        ("configure(identities=[['a', 'b', [], False]])", "not an identity"),
    ],
)
def test_a_front_configures_once_and_only_while_it_is_roots(front: Front, text: str, why: str) -> None:
    said = front(text)
    assert re.search(f"front [0-9]+ ended while it was starting .*broke the link: .*{why}", said)
    assert "front: done" not in said


def test_suexec_starts_no_shell_and_no_command_that_is_not_a_host(front: Front) -> None:
    suexec = "[*nobody, True]"
    said = front(
        f"configure(); become({account(WWW_DATA).uid})\n"
        f"start(['/bin/sh', '-c', 'id'], {suexec}, '/bin')\n"
        f"start(['/bin/sh', '/etc/profile', '/x'], {suexec})\n"
        f"start(['/bin/sh', '/dev/null', '/x', 'y'], {suexec}, '/')"
    )
    answers = [line for line in re.findall("^front: (.*)", said, re.MULTILINE) if line != "done"]
    assert len(answers) == 3 and all(answer.startswith("suexec: ") for answer in answers)


def test_suexec_lets_a_host_read_a_program_that_obeys_the_rules_and_nothing_beside(front: Front) -> None:
    with open_folder() as other:
        program = other / "program"
        program.touch()
        give(program, NOBODY, 0o600)
        give(other, NOBODY, 0o755)
        who = f"[*nobody, True], {str(other)!r}"
        said = front(
            f"configure(roots=[{str(other)!r}], hosts=[['/bin/sh', '/dev/null']])\n"
            f"start(['/bin/sh', '/dev/null', {str(program)!r}], {who})\n"
            f"start(['/bin/sh', '/dev/null', {str(program)!r}, 'more'], {who})\n"
            f"start(['/bin/sh', '/dev/zero', {str(program)!r}], {who})"
        )
    answers = re.findall("^front: (.*)", said, re.MULTILINE)
    assert answers[0] == "started"
    assert all(answer.startswith("suexec: its path") for answer in answers[1:3])


def test_suexec_cleans_the_environment_that_a_front_gives(front: Front) -> None:
    with open_folder() as other:
        program, found = other / "program", other / "found"
        program.write_text(f"#!/bin/sh\nenv > {found}.part\nmv {found}.part {found}\n")
        give(program, NOBODY, 0o755)
        give(other, NOBODY, 0o755)
        front(
            f"configure(roots=[{str(other)!r}]); become({account(WWW_DATA).uid})\n"
            f"start([{str(program)!r}], [*nobody, True], {str(other)!r}, NAMED='yes', QUERY_STRING='q', "
            "LD_PRELOAD='/evil.so', PATH='/evil', BASH_ENV='/evil', HTSESSION_LIB='/evil')"
        )
        wait_for("the program's end", found.exists)
        variables = dict(line.partition("=")[::2] for line in found.read_text().splitlines())
    assert {name: variables.get(name) for name in ("NAMED", "QUERY_STRING", "PATH", "HTSESSION_LIB")} == {
        "NAMED": "yes",
        "QUERY_STRING": "q",
        "PATH": "/usr/bin:/bin",
        "HTSESSION_LIB": "/lib",
    }
    assert not {"LD_PRELOAD", "BASH_ENV"} & set(variables)


LAST_WORDS = """
import signal
keeper, own = os.getppid(), os.getpid()
os.kill(keeper, signal.SIGSTOP)
for _ in range(150):  # more than the keeper reads at a time
    link.send("pong", padding="x" * 100)
link.send("nonsense")
if not os.fork():
    link.close()
    while os.getppid() == own:
        pass
    os.kill(keeper, signal.SIGCONT)
os._exit(1)
"""


def test_the_keeper_outlives_a_front_that_was_reaped_before_its_last_words_were_read(front: Front) -> None:
    assert "it broke the link: KeyError('nonsense')" in front(LAST_WORDS)
