"""Gateways that other users than root can work with: an open folder, programs that tell who they are."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.blackbox.harness import ROOT, Answer, Gateway

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")
NOBODY, DAEMON, WWW_DATA = "nobody", "daemon", "www-data"

# Tells its process's status, and lives on: every user can run it
WHO = f"""#!/bin/bash
{(ROOT / "gateway" / "helpers" / "htsession.bash").read_text()}
count=0
while htsession_accept; do
    count=$((count + 1))
    [[ $QUERY_STRING == end ]] || printf 'Accept-HTSession: %s\\n' "$(htsession_handle)"
    printf 'Content-Type: text/plain\\n\\nhandle=%s\\ncount=%s\\npid=%s\\n' "$(htsession_handle)" $count $$
    cat /proc/$$/status
    [[ $QUERY_STRING == touch=* ]] && : > "${{QUERY_STRING#touch=}}"
done
"""


class Who(NamedTuple):
    """User, group and supplementary groups of a process, all four numbers of a kind being the same."""

    uid: int
    gid: int
    groups: tuple[int, ...]


def account(name: str) -> Who:
    """Who a process of this user is."""
    entry = pwd.getpwnam(name)
    return Who(entry.pw_uid, entry.pw_gid, tuple(sorted(os.getgrouplist(name, entry.pw_gid))))


def who(status: str) -> Who:
    """Who a process is, by its /proc/PID/status."""
    uid, gid = (set(numbers(status, field)) for field in ("Uid", "Gid"))
    assert len(uid) == len(gid) == 1, "real, effective, saved and file system ids are not the same"
    return Who(uid.pop(), gid.pop(), tuple(sorted(numbers(status, "Groups"))))


def numbers(status: str, field: str) -> list[int]:
    """The numbers of one field."""
    found = re.search(rf"^{field}:(.*)$", status, re.MULTILINE)
    assert found is not None, status
    return [int(number) for number in found[1].split()]


def process(pid: int) -> Who:
    """Who a process is."""
    return who(Path(f"/proc/{pid}/status").read_text())


ITSELF = process(os.getpid())


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter."""
    folder = Path(tempfile.mkdtemp(prefix="gateway-users-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        for gateway in [one for one in _started if folder in one.folder.parents or one.folder == folder]:
            _started.remove(gateway)
            gateway.stop()
        shutil.rmtree(folder)


class OpenGateway(Gateway):
    """A gateway in an open folder; it is stopped with the folder's end, if the test did not come to that."""

    def start(self) -> Gateway:
        """Start and wait until it serves."""
        self.folder.chmod(0o755)
        _started.append(self)
        return super().start()


_started: list[Gateway] = []


def give(path: Path, user: str, mode: int) -> Path:
    """Make a file or folder a user's."""
    entry = pwd.getpwnam(user)
    os.chown(path, entry.pw_uid, entry.pw_gid)
    path.chmod(mode)
    return path


def home(gateway: Gateway, user: str, text: str = WHO) -> Path:
    """A folder of a user below the gateway's, with a program as suexec wants it; the program."""
    folder = gateway.folder / f"of-{user}"
    folder.mkdir(exist_ok=True)
    program = folder / "who"
    program.write_text(text)
    give(program, user, 0o755)
    give(folder, user, 0o755)
    return program


def at(gateway: Gateway, host: str, path: str) -> Answer:
    """GET from a virtual host."""
    return gateway.get(path, Host=host)
