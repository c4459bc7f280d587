"""What /proc tells about processes."""

from __future__ import annotations

import os
import re
from pathlib import Path

_OPEN = ("01", "08")  # ESTABLISHED, CLOSE_WAIT: the states of /proc/net/tcp


def alive(pid: int) -> bool:
    """Whether a process exists and is not a zombie."""
    return _stat(pid)[:1] not in ([], ["Z"])


def stopped(pid: int) -> bool:
    """Whether a process has stopped (SIGSTOP)."""
    return _stat(pid)[:1] == ["T"]


def children(pid: int) -> list[int]:
    """The living children of a process."""
    found = ((int(name), _stat(int(name))) for name in os.listdir("/proc") if name.isdigit())
    return [other for other, fields in found if fields[1:2] == [str(pid)] and fields[0] != "Z"]


def comm(pid: int) -> str:
    """A process's own name; empty when it has gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text(errors="replace").removesuffix("\n")
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descriptors(pid: int) -> dict[int, str]:
    """The open descriptors of a process: number -> what it is; none when it has gone."""
    folder, found = f"/proc/{pid}/fd", {}
    try:
        numbers = os.listdir(folder)
    except (FileNotFoundError, ProcessLookupError):
        return {}
    for number in numbers:
        try:
            found[int(number)] = os.readlink(f"{folder}/{number}")
        except (FileNotFoundError, ProcessLookupError):  # closed since it was listed
            continue
    return found


def pipes(pid: int) -> int:
    """How many ends of pipes a process has."""
    return sum(what.startswith("pipe:") for what in descriptors(pid).values())


def peers(port: int) -> set[int]:
    """The ports of clients whose connection the server of this port has not closed."""
    found = set()
    with open("/proc/net/tcp") as file:
        for line in file.read().splitlines()[1:]:
            local, remote, state = line.split()[1:4]
            if int(local.partition(":")[2], 16) == port and state in _OPEN:
                found.add(int(remote.partition(":")[2], 16))
    return found


def status(pid: int, field: str) -> int:
    """A number of /proc/PID/status: Threads, VmHWM (KiB), VmRSS (KiB)."""
    found = re.search(rf"^{field}:\s*(\d+)", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE)
    assert found is not None, f"{field} of {pid}"
    return int(found[1])


def started(pid: int) -> int:
    """When a process was started, in ticks since the machine's start; 0 when it has gone. (Numbers of processes
    begin again at their maximum: they tell nothing of age.)"""
    fields = _stat(pid)
    return int(fields[3].split()[16]) if fields else 0


def _stat(pid: int) -> list[str]:
    """State, parent, group, ... of a process; empty when it does not exist."""
    try:
        with open(f"/proc/{pid}/stat", "rb", buffering=0) as file:
            return file.read().decode(errors="replace").rpartition(")")[2].split(maxsplit=3)
    except (FileNotFoundError, ProcessLookupError):
        return []
