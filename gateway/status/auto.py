"""`?auto`: one `Key: value` a line, as Apache's mod_status gives to machines, and keys of our own.

What mod_status calls workers are programs here: a busy one answers a request, an idle one waits for the next
request of its session, and an open slot is one that MaxCGIJobs still allows. What is not known is left out.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import NamedTuple

from gateway.control.facts import Facts

_MOST_SLOTS = 1024  # characters of the scoreboard
_MARKS = {"idle": "_", "busy": "W", "first": "W", "starting": "S", "elsewhere": "G", "ending": "G", "gone": "G"}
_DATE = "%A, %d-%b-%Y %H:%M:%S %Z"
_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


class Work(NamedTuple):
    """What the front has done since it began: requests of any kind and bytes sent (None: not counted), user and
    system CPU in seconds; connections that there are."""

    accesses: int | None
    sent: int | None
    user: float
    system: float
    connections: int


def text(snapshot: Facts, work: Work, load: tuple[float, float, float] | None) -> str:
    """The whole answer; `snapshot` as the JSON has it, `load` of the last 1, 5 and 15 minutes."""
    pairs = [*_server(snapshot, load), *_work(snapshot, work), *_workers(snapshot, work), *_own(snapshot)]
    return "".join(f"{key}: {value}\n" for key, value in pairs)


def load_average() -> tuple[float, float, float] | None:
    """Of the machine; None where it does not tell."""
    try:
        return os.getloadavg()
    except OSError:
        return None


Pairs = Iterator[tuple[str, object]]


def _server(snapshot: Facts, load: tuple[float, float, float] | None) -> Pairs:
    uptime = _uptime(snapshot)
    yield "ServerVersion", f"persistent-cgi/{snapshot['version']}"
    yield "CurrentTime", time.strftime(_DATE, time.localtime(snapshot["at"]))
    yield "RestartTime", time.strftime(_DATE, time.localtime(snapshot["front"]["since"]))
    yield "ServerUptimeSeconds", uptime
    yield "ServerUptime", _spoken(uptime)
    if load is not None:
        yield from ((f"Load{minutes}", f"{value:.2f}") for minutes, value in zip((1, 5, 15), load, strict=True))


def _work(snapshot: Facts, work: Work) -> Pairs:
    uptime = max(1, _uptime(snapshot))
    if work.accesses is not None:
        yield "Total Accesses", work.accesses
        yield "ReqPerSec", f"{work.accesses / uptime:.6g}"
    if work.sent is not None:
        yield "Total kBytes", work.sent // 1024
        yield "BytesPerSec", f"{work.sent / uptime:.6g}"
    if work.sent is not None and work.accesses:
        yield "BytesPerReq", f"{work.sent / work.accesses:.6g}"
    yield "CPUUser", f"{work.user:.2f}"
    yield "CPUSystem", f"{work.system:.2f}"
    yield "CPULoad", f"{100 * (work.user + work.system) / uptime:.6g}"
    yield "Uptime", _uptime(snapshot)


def _workers(snapshot: Facts, work: Work) -> Pairs:
    marks = [_MARKS[one["state"]] for one in (*snapshot["instances"], *snapshot["oneshots"])]
    most = snapshot["limits"]["MaxCGIJobs"]["most"]
    yield "BusyWorkers", marks.count("W") + marks.count("S")
    yield "GracefulWorkers", marks.count("G")
    yield "IdleWorkers", marks.count("_")
    yield "Processes", len(marks)
    yield "Stopping", marks.count("G")
    yield "ConnsTotal", work.connections
    yield "Scoreboard", "".join(marks).ljust(most, ".")[:_MOST_SLOTS]


def _own(snapshot: Facts) -> Pairs:
    states = [one["state"] for one in snapshot["sessions"]]
    yield "State", snapshot["state"]
    yield "Sessions", len(states)
    yield from ((f"Sessions{name.capitalize()}", states.count(name)) for name in ("idle", "busy", "waiting"))
    yield "SessionsCreated", snapshot["created"]
    yield from ((f"SessionsEnded-{reason}", count) for reason, count in sorted(snapshot["ended"].items()))
    yield "SessionRequests", snapshot["requests"]
    yield "Starts", snapshot["starts"]
    yield "Oneshots", len(snapshot["oneshots"])
    yield "QueuedForStart", snapshot["queue"]["start"]
    yield "QueuedForSession", snapshot["queue"]["session"]
    yield from _warm(snapshot["warm"])
    for name, limit in snapshot["limits"].items():
        yield f"{name}Used", limit["used"]
        yield name, limit["most"]


def _warm(rows: list[Facts]) -> Pairs:
    known = [row["ready"] for row in rows if row["ready"] is not None]
    if known:
        yield "WarmReady", sum(known)
        yield "WarmWanted", sum(row["wanted"] for row in rows)


def _uptime(snapshot: Facts) -> int:
    return max(0, int(snapshot["at"] - snapshot["front"]["since"]))


def _spoken(seconds: int) -> str:
    """As mod_status: `2 hours 1 minute 5 seconds`."""
    parts = []
    for name, size in _UNITS:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(f"{number} {name}{'s' if number > 1 else ''}")
    return " ".join(parts) or "0 seconds"
