"""A gateway with the programs of the load, and what faults do with it."""

from __future__ import annotations

import http.client
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gateway.control import client
from tests.blackbox.commands import asked
from tests.blackbox.harness import ROOT, Gateway, wait_for
from tests.blackbox.proc import alive
from tests.blackbox.raw import Raw
from tests.chaos import programs
from tests.chaos.book import Answer, Visitor
from tests.chaos.load import Load

READY = 2  # processes of each warm host
DIRECTIVES = f"""
MaxPersistentCGI 1400
MaxCGIJobs 1500
PersistentCGIQueue 10
# All visitors have one address, and many ask for sessions that a fault has ended
PersistentCGILookupLimit 0
PersistentCGIQueueTimeout 60s
PersistentCGITimeout 20m
MaxPersistentCGITimeout 20m
CGIActivationGroup python .py
StartCGI {READY}
SessionLog logs/sessions.log
CustomLog logs/access.log common
# What has limits is started by fork, the others by posix_spawn
<Directory cgi-bin/limited>
  RLimitCPU 600
</Directory>
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""
NOBODY = "nobody"
PATIENCE = 30.0  # seconds within which a gateway must have come to terms with a fault


def compiled(folder: Path) -> Path:
    """The C program, built into this folder. Raises CalledProcessError."""
    source, program = folder / "native.c", folder / "native"
    source.write_text(programs.C)
    helpers = ROOT / "gateway" / "helpers"
    subprocess.run(["gcc", "-O1", "-I", str(helpers), "-o", str(program), str(source)], check=True)
    return program


def site(folder: Path, native: Path, directives: str, *, unprivileged: bool) -> Gateway:
    """A gateway that has not been started yet; `unprivileged`: root starts it as nobody."""
    folder.mkdir(mode=0o755)
    scripts = {
        programs.LIMITED: programs.PERL,
        "brief/one": programs.PERL,
        programs.SHARED: programs.PERL,
        "hosted.py": programs.PYTHON,
    }
    gateway = Gateway(folder, DIRECTIVES + directives, scripts)
    shutil.copy(native, gateway.cgi_bin / "native")
    (folder / "at").mkdir()
    (folder / "tmp").mkdir()
    gateway.prefix = ["env", f"TMPDIR={folder / 'tmp'}"]
    if unprivileged and not os.geteuid():
        who = pwd.getpwnam(NOBODY)
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, who.pw_uid, who.pw_gid)
        gateway.prefix += ["setpriv", f"--reuid={who.pw_uid}", f"--regid={who.pw_gid}", "--clear-groups"]
        # The tests' own Python may lie where only root can read
        gateway.prefix += ["--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
    return gateway


class Scene:
    """`chance` is the series' own, so that a seed brings the same faults again; `turn` counts them from 0."""

    def __init__(self, gateway: Gateway, load: Load, chance: random.Random) -> None:
        self.gateway, self.load, self.chance, self.turn = gateway, load, chance, 0
        self.fail = load.book.fail

    # ---- the gateway

    def front(self) -> int:
        """The pid of the front that serves, as it says itself."""
        return wait_for("a front that answers", self._front, PATIENCE)

    def _front(self) -> int | None:
        try:
            answer: dict[str, Any] = asked(self.gateway, "status")
        except client.Unreachable:
            return None
        return int(answer["front"]["pid"])

    def await_another(self, old: int) -> None:
        """Wait until another front serves than this one."""
        wait_for("another front", lambda: self._front() not in (None, old), PATIENCE)

    def kill_front(self) -> None:
        """kill -9 of the front that serves, and the next one."""
        old = self.front()
        self.load.strike(lambda: self.end(old))
        self.await_another(old)

    def end(self, pid: int) -> None:
        """kill -9; back when it runs no more."""
        os.kill(pid, signal.SIGKILL)
        wait_for("its end", lambda: not alive(pid))

    def halt(self, pid: int) -> None:
        """SIGSTOP; back when it stands still."""
        os.kill(pid, signal.SIGSTOP)
        wait_for("its halt", lambda: state(pid) in "TtZX")

    def draw_instance(self, *, rotates: bool = False) -> Visitor:
        """One of the sessions that have a process of their own, and that no fault has met; `rotates`: with a
        new handle for each page."""
        return self.load.take(
            lambda one: one.program != programs.SHARED and one.exposed is None and one.rotates >= rotates
        )

    @contextmanager
    def two_fronts(self) -> Iterator[None]:
        """As long as it lasts the old front has a request under way, and another one serves."""
        visitor, old = self.draw_instance(), self.front()
        with self.connect() as client:
            go = self.begin(client, visitor, "running")
            os.kill(self.gateway.keeper, signal.SIGHUP)
            self.await_another(old)
            try:
                yield
            finally:
                go.touch()
            if self.judge(client, visitor) != 200:
                self.fail("wrong", "the request of the old front was not answered")
        self.load.give_back(visitor)
        wait_for("the old front's end", lambda: not alive(old), PATIENCE)

    # ---- requests of a visitor that the load has left to the fault

    def connect(self) -> Raw:
        """A connection of its own."""
        return Raw(self.gateway)

    def begin(self, sock: Raw, visitor: Visitor, where: str) -> Path:
        """Send a request that comes to a halt in the program (`running`, `header`, `body`); it goes on when the
        file that is returned exists."""
        at = self.gateway.folder / "at" / f"{visitor.number}.{visitor.serial}"
        self.send(sock, visitor.target(hang=where, at=str(at)))
        wait_for(f"the program in {where}", at.exists, PATIENCE)
        at.unlink()
        return Path(f"{at}.go")

    def send(self, sock: Raw, target: str, method: str = "GET", body: bytes = b"") -> None:
        """Send a whole request."""
        head = f"{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
        sock.send(head.encode() + body)

    def judge(self, sock: Raw, visitor: Visitor, **about: Any) -> int:
        """Read the answer and have it judged; its status, 0 when it was cut."""
        try:
            answer = sock.answer()
        except (OSError, http.client.HTTPException):
            answer = None
        if answer is None or not answer.whole:
            self.load.strike(lambda: self.load.book.cut(visitor, "a request of a fault"), tuple)
            return 0
        told = Answer(answer.status, answer.header("x-htsession-ended"), answer.body)
        self.load.strike(lambda: self.load.book.answered(visitor, told, **about), tuple)
        return answer.status

    def reset(self, sock: Raw) -> None:
        """Vanish: what was under way to the client comes back as a reset."""
        sock.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        sock.sock.close()


def state(pid: int) -> str:
    """The letter of a process's state; X when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "X"
