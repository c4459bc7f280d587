"""Sessions as facts for people: plain values, handles masked (W3)."""

import asyncio
import os
import time
from collections.abc import Iterable, Iterator
from functools import cache
from types import ModuleType
from typing import Any

from gateway.logs.access.masks import Masks
from gateway.sessions.handle import mask
from gateway.sessions.lifecycle import State
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.sessions.tally import Ending

Facts = dict[str, Any]


@cache
def processes() -> ModuleType:
    """psutil, loaded when it is first asked for, as a front without starts a tenth sooner; or before the front
    becomes another user, while its files may be read."""
    import psutil

    return psutil


def living(registry: Registry) -> Iterator[Session]:
    """The sessions of this front, by number."""
    for number in sorted(registry.sessions):
        yield from sorted(registry.sessions[number], key=lambda session: session.slot)


def state(session: Session) -> str:
    """`idle`, `busy` (a request runs), or `waiting` (one waits: another session's runs in its process)."""
    instance = session.instance
    if instance.shared is None:
        return "idle" if instance.state is State.IDLE else "busy"
    if instance.shared.running == session.slot and instance.state is not State.IDLE:
        return "busy"
    return "waiting" if instance.waiting(session.slot) else "idle"


def of_session(session: Session, masks: Masks) -> Facts:
    """Seconds, bytes, and times as seconds since 1970; None where there is nothing to tell. `left`: until it
    times out, None while its clock stands (T1). `last`: the last request's URL without handle and query."""
    program, instance, now = session.program, session.instance, time.monotonic()
    doing = state(session)
    rests = doing == "idle"
    return {
        "id": session.id,
        "host": session.name[0],
        "cgi_name": program.text,
        "handle": mask(session.handles.current),
        "user": None if session.user is None else session.user.decode("utf-8", "backslashreplace"),
        "pid": instance.pid,
        "shared": instance.shared is not None,
        "state": doing,
        "requests": session.requests,
        "began": session.began,
        "age": max(0.0, time.time() - session.began),
        "idle": max(0.0, now - session.rested) if rests else 0.0,
        "left": max(0.0, session.deadline - now) if rests else None,
        "timeout": session.timeout,
        "most": program.limits.max_timeout,
        "queue": instance.waiting(session.slot),
        "queue_most": program.queue,
        "file": shown(program.file),
        "bytes_in": session.bytes_in,
        "bytes_out": session.bytes_out,
        "busy": session.busy,
        "last": program.text + masks.text(session.last, tuple(session.handles.accepted)).decode("latin-1"),
    }


def shown(path: str) -> str:
    """A path as text that has a form in UTF-8, whatever bytes it has."""
    return os.fsencode(path).decode("utf-8", "backslashreplace")


def of_ending(ending: Ending) -> Facts:
    """One of the newest endings."""
    return ending._asdict() | {"user": ending.user or None, "state": "ended"}


async def with_processes(sessions: list[Facts]) -> list[Facts]:
    """The same with `memory` (bytes, resident) and `cpu` (seconds, user and system) of the processes, those of
    the whole process for a session of a shared instance. Beside the event loop: each takes several files."""
    found = await asyncio.to_thread(usage, {one["pid"] for one in sessions})
    nothing = {"memory": None, "cpu": None}
    return [one | found.get(one["pid"], nothing) for one in sessions]


def usage(pids: Iterable[int]) -> dict[int, Facts]:
    """Memory and processor time by pid, without those that are over or may not be looked at."""
    found = {}
    for pid in pids:
        try:
            process = processes().Process(pid)
            with process.oneshot():
                times = process.cpu_times()
                found[pid] = {"memory": process.memory_info().rss, "cpu": times.user + times.system}
        except processes().Error:
            continue
    return found
