"""What runs out: room for logs, descriptors, processes."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.blackbox.harness import wait_for
from tests.blackbox.proc import descriptors
from tests.chaos.book import Rules
from tests.chaos.faults import keepers
from tests.chaos.faults.fault import CRASHED, STOPPED, Fault
from tests.chaos.scene import Scene

_LOGS = ("error.log", "access.log", "sessions.log")
_TURNED_AWAY = frozenset({500, 503})
_FILES, _PROCESSES = "Max open files", "Max processes"  # as in /proc/PID/limits
_OPTIONS = {_FILES: "nofile", _PROCESSES: "nproc"}  # of prlimit(1)
_SHORT = Rules(newcomers=_TURNED_AWAY, cuts=True)


# ---- room


def _no_mount() -> str:
    if os.geteuid():
        return "only root mounts a small file system"
    folder = Path("/proc/self/status").read_text()
    capabilities = int(folder.partition("CapEff:")[2].split()[0], 16)
    return "" if capabilities >> 21 & 1 else "no right to mount (CAP_SYS_ADMIN)"


def _small_disk(scene: Scene) -> Callable[[], None]:
    """The logs move to a file system of 512 KiB, without a new start."""
    disk = scene.gateway.folder / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=512k", "chaos", str(disk)], check=True)
    _point(scene, disk)

    def undo() -> None:
        _point(scene, scene.gateway.folder / "elsewhere")
        subprocess.run(["umount", str(disk)], check=True)

    return undo


def _point(scene: Scene, folder: Path) -> None:
    """Have all logs written into another folder: their names are links, and the logs are opened anew."""
    folder.mkdir(exist_ok=True)
    logs = scene.gateway.folder / "logs"
    for name in _LOGS:
        (logs / name).unlink(missing_ok=True)
        (logs / name).symlink_to(folder / name)
    os.kill(scene.gateway.keeper, signal.SIGUSR1)
    keeper, front = scene.gateway.keeper, scene.front()
    wait_for("the logs to move", lambda: all(_writes(pid, folder) for pid in (keeper, front)))


def _writes(pid: int, folder: Path) -> bool:
    return str(folder / "error.log") in descriptors(pid).values()


def _disk_full(scene: Scene) -> None:
    """Full, with a reload, the end of a front and ends of sessions meanwhile; then there is room again."""
    disk = scene.gateway.folder / "disk"
    ballast = disk / "ballast"
    _fill(ballast)
    scene.load.more(100)
    if scene.turn % 2:
        scene.kill_front()
    else:
        old = scene.front()
        os.kill(scene.gateway.keeper, signal.SIGHUP)
        scene.await_another(old)
    scene.load.more(100)
    _fill(ballast)
    ballast.unlink()
    for name in _LOGS:
        (disk / name).write_bytes(b"")
    wait_for("lines in the access log again", lambda: (disk / "access.log").stat().st_size > 0)
    wait_for("lines in the session log again", lambda: (disk / "sessions.log").stat().st_size > 0)


def _fill(path: Path) -> None:
    with open(path, "ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while True:
                    file.write(b"x" * size)
            except OSError:
                continue


# ---- descriptors, processes


@contextmanager
def _limited(pid: int, what: str, most: int) -> Iterator[None]:
    """A process that lives may have no more than this of something, for a while."""
    row = next(line for line in Path(f"/proc/{pid}/limits").read_text().splitlines() if line.startswith(what))
    _limit(pid, what, str(most))
    try:
        yield
    finally:
        _limit(pid, what, row.removeprefix(what).split()[0])


def _limit(pid: int, what: str, soft: str) -> None:
    """Set the soft limit, as the process's own user: root itself may lack the right (CAP_SYS_RESOURCE)."""
    who = os.stat(f"/proc/{pid}")
    command = ["prlimit", f"--pid={pid}", f"--{_OPTIONS[what]}={soft}:"]
    if who.st_uid != os.geteuid():
        command = ["setpriv", f"--reuid={who.st_uid}", f"--regid={who.st_gid}", "--clear-groups", *command]
    subprocess.run(command, check=True)


def _newcomers_turned_away(scene: Scene) -> None:
    """Until some had to go without a session, and the others went on."""
    figures = scene.load.book.figures
    wanted = figures["turned away"] + 3
    wait_for("newcomers to be turned away", lambda: figures["turned away"] >= wanted, 30)
    scene.load.more(100)


def _front_descriptors(scene: Scene) -> None:
    with _limited(scene.front(), _FILES, 16):
        _newcomers_turned_away(scene)
    scene.load.more(100)


def _keeper_descriptors(scene: Scene) -> None:
    keeper = scene.gateway.keeper
    with _limited(keeper, _FILES, 16):
        _newcomers_turned_away(scene)
        os.kill(keeper, signal.SIGHUP)
        scene.load.more(100)
    old = scene.front()
    os.kill(keeper, signal.SIGHUP)
    scene.await_another(old)


def _processes(scene: Scene) -> None:
    """No process can be made: newcomers are told so, a reload fails, a front that dies comes back later."""
    keeper, front = scene.gateway.keeper, scene.front()
    guardian = keepers.guardian(scene)
    with _limited(keeper, _PROCESSES, 1):
        _newcomers_turned_away(scene)
        os.kill(keeper, signal.SIGHUP)
        scene.load.more(100)
        scene.load.strike(lambda: scene.end(guardian), tuple)
        if scene.turn % 2:
            scene.load.strike(lambda: scene.end(front))
            scene.load.stalled()
    wait_for("another guardian", lambda: keepers.guardian(scene) != guardian)
    if scene.turn % 2:
        scene.await_another(front)
    scene.load.more(100)


FAULTS = (
    Fault("logs-full", "no room for logs, and a reload or a crash of the front meanwhile", _disk_full,
          Rules(STOPPED, cuts=True), 10, missing=_no_mount, set_up=_small_disk),
    Fault("front-descriptors", "EMFILE in the front", _front_descriptors, _SHORT, 10),
    Fault("keeper-descriptors", "EMFILE in the keeper, and a reload", _keeper_descriptors, _SHORT, 10),
    Fault("processes", "EAGAIN: no new process, a reload, crashes of the front and the guardian", _processes,
          _SHORT._replace(ends=CRASHED | STOPPED), 10, unprivileged=True),
)  # fmt: skip
