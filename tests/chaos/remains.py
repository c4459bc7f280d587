"""What a gateway has, and what it leaves behind: processes, descriptors, slots, temporary files."""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from tests.blackbox.commands import asked
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.proc import descriptors

_WHOLE = 30.0  # seconds within which everything must have gone


class Held(NamedTuple):
    """Descriptors, the keeper's children, slots of MaxPersistentCGI and MaxCGIJobs, temporary files."""

    keeper: int
    front: int
    children: int
    persistent: int
    jobs: int
    files: int


def held(gateway: Gateway) -> Held:
    """What a gateway has while nobody asks for anything. Raises Unreachable between two fronts."""
    facts = asked(gateway, "status")
    limits = facts["limits"]
    return Held(
        len(descriptors(gateway.keeper)),
        len(descriptors(facts["front"]["pid"])),
        len(gateway.children()),
        limits["MaxPersistentCGI"]["used"],
        limits["MaxCGIJobs"]["used"],
        sum(1 for _ in (gateway.folder / "tmp").rglob("*")),
    )


def difference(gateway: Gateway, before: Held) -> str:
    """Wait until a gateway has no more than before; what it has too much after the bound, empty for nothing."""
    try:
        wait_for("what it had before", lambda: held(gateway) == before, _WHOLE)
    except AssertionError:
        return f"{held(gateway)} instead of {before}"
    return ""


def end_unknown(gateway: Gateway) -> int:
    """End the sessions whose visitors never got their first answer; how many there were."""
    left = asked(gateway, "sessions")["sessions"]
    for session in left:
        asked(gateway, "end", session["id"])
    return len(left)


def processes(folder: Path) -> dict[int, str]:
    """Every process of this machine whose working directory is in the folder: a gateway's, its programs', their
    children's. Pid -> name."""
    found = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            place = os.readlink(f"/proc/{name}/cwd")
            if place == str(folder) or place.startswith(f"{folder}/"):
                found[int(name)] = Path(f"/proc/{name}/comm").read_text().strip()
        except OSError:  # it has ended meanwhile
            continue
    return found


def told_twice(gateway: Gateway) -> list[str]:
    """Sessions that have more than one line in SessionLog. Where its disk was full, half lines are left out."""
    told: Counter[str] = Counter()
    for path in gateway.folder.glob("*/sessions.log"):
        for text in path.read_text().splitlines() if not path.is_symlink() else ():
            with suppress(ValueError):
                line = json.loads(text)
                told[f"{line['cgi_name']} {line['id']} of {line['start']}"] += 1
    return [f"{session}: {count} accounts" for session, count in told.items() if count > 1]


_DEFECT = re.compile(r"Traceback|Exception in callback|exception was never retrieved")
_OF_PROGRAMS = " [cgi:"


def complaints(gateway: Gateway) -> list[str]:
    """Errors of the gateway's own code in its log, not those that programs wrote."""
    return [line for line in gateway.log.splitlines() if _DEFECT.search(line) and _OF_PROGRAMS not in line]
