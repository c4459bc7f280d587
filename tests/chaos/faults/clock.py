"""A wall clock that jumps, for the keeper and its fronts; their monotonic clock runs on as the kernel's."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from email.utils import parsedate_to_datetime
from pathlib import Path

from tests.blackbox.harness import wait_for
from tests.blackbox.proc import alive
from tests.chaos.book import Rules
from tests.chaos.faults.fault import Fault
from tests.chaos.scene import Scene

_HOUR, _DAY, _YEAR = 3600, 86400, 365 * 86400
JUMPS = (-_HOUR, _HOUR, _DAY, -_DAY, 25 * _HOUR, -10 * _YEAR, 10 * _YEAR, 0)  # seconds away from the real time
_NEAR = 600  # seconds: less than any jump
_SHORT = "<Directory cgi-bin/brief>\n  PersistentCGITimeout 1s\n</Directory>"
_BRIEF = "/cgi-bin/brief/one?word=w&nonce=0.0"


def library() -> str:
    """Where libfaketime is, empty when it is not installed."""
    if shutil.which("faketime") is None:
        return ""
    told = subprocess.run(
        ["faketime", "now", "printenv", "LD_PRELOAD"], capture_output=True, text=True, check=False
    )
    return told.stdout.strip()


def _missing() -> str:
    return "" if library() else "libfaketime is not installed (Debian: faketime)"


def through(folder: Path) -> list[str]:
    """What starts a gateway whose wall clock is what the file `clock` says."""
    (folder / "clock").write_text("+0")
    return [
        f"LD_PRELOAD={library()}", f"FAKETIME_TIMESTAMP_FILE={folder / 'clock'}", "FAKETIME_NO_CACHE=1",
        "FAKETIME_DONT_FAKE_MONOTONIC=1", "DONT_FAKE_MONOTONIC=1",
    ]  # fmt: skip


def _jump(scene: Scene) -> None:
    """Sessions live on; short ones time out in their time; what was retired before is still known."""
    before = _ended(scene)
    clock, jump = scene.gateway.folder / "clock", JUMPS[scene.turn % len(JUMPS)]
    new = clock.with_suffix(".new")
    new.write_text(f"{jump:+d}")
    os.replace(new, clock)
    wait_for("the front to tell the new time", lambda: abs(_told(scene) - time.time() - jump) < _NEAR)
    scene.load.more(100)
    if scene.gateway.reason(before) != "timed-out":
        scene.fail("lost", "a retired handle was forgotten")
    _ended(scene)


def _told(scene: Scene) -> float:
    """The time that a response bears."""
    return parsedate_to_datetime(scene.gateway.get("/").header("date") or "").timestamp()


def _ended(scene: Scene) -> str:
    """The path of a session whose second is over."""
    answer = scene.gateway.get(_BRIEF)
    path = f"{_BRIEF.partition('?')[0]}/{answer.text.partition('handle=')[2].split()[0]}"
    wait_for("the session's end", lambda: not alive(answer.number("pid")))
    if (reason := scene.gateway.reason(path)) != "timed-out":
        scene.fail("wrong", f"a session of a second is over: {reason}")
    return path


FAULTS = (
    Fault("clock", "the system clock jumps: hours, days, ten years, forth and back", _jump, Rules(), 24,
          missing=_missing, through=through, directives=_SHORT),
)  # fmt: skip
