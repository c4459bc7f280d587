"""SessionLog: a line of JSON for each session that is over (stdlib only: the keeper writes it)."""

import json
from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.logs.access.moments import iso
from gateway.logs.error import LogFile, LogFiles

_encode = json.JSONEncoder(separators=(",", ":")).encode


class Ending(NamedTuple):
    """One session that is over. `at` and `began`: seconds since 1970; `handle` is masked; `user` is "" for
    none; `reason`: the word of R4; `text`: the error log's, with its HTS id; `id`: what people call it;
    `bytes_in` of its requests' bodies, `bytes_out` of what the program wrote; `busy`: seconds in which a
    request of it ran."""

    at: float
    host: str
    cgi_name: str
    handle: str
    user: str
    reason: str
    text: str
    requests: int
    began: float
    id: str = ""
    bytes_in: int = 0
    bytes_out: int = 0
    busy: float = 0.0


class Used(NamedTuple):
    """What a process has used in all: seconds of CPU, user and system, and the most memory in KiB."""

    cpu: float
    peak_kib: int


def mask(handle: bytes) -> str:
    """A handle for people to tell apart: the first 4 characters, of short ones at most half."""
    return handle[: min(4, len(handle) // 2)].decode("ascii", "backslashreplace") + "…"


def line(ending: Ending, pid: int, used: Used | None) -> bytes:
    """The line. `used` None: the process lives on, with other sessions."""
    wall = max(0.0, ending.at - ending.began)
    facts = {
        "id": ending.id,
        "host": ending.host,
        "cgi_name": ending.cgi_name,
        "user": ending.user or None,
        "handle": ending.handle,
        "start": iso(ending.began),
        "end": iso(ending.at),
        "reason": ending.reason,
        "text": ending.text,
        "requests": ending.requests,
        "bytes_in": ending.bytes_in,
        "bytes_out": ending.bytes_out,
        "busy_seconds": round(min(ending.busy, wall), 6),
        "idle_seconds": round(max(0.0, wall - ending.busy), 6),
        "cpu_seconds": None if used is None else round(used.cpu, 6),
        "peak_memory_kib": None if used is None else used.peak_kib,
        "pid": pid,
    }
    return _encode(facts).replace("\x7f", "\\u007f").encode("ascii") + b"\n"


class SessionLog:
    """The files of all hosts, the main server's under "". `on_failure` as in LogFiles."""

    def __init__(self, on_failure: Callable[[LogFile, OSError], None]) -> None:
        self._files = LogFiles()
        self._files.on_failure = on_failure
        self._by_host: dict[str, LogFile | None] = {}

    def configure(self, paths: Mapping[str, str | None]) -> None:
        """Other files, by host; None: none. Raises OSError; then those of before stay."""
        before = self._files.paths
        try:
            opened = {host: None if path is None else self._files.open(path) for host, path in paths.items()}
        except OSError:
            self._files.keep_only(before)
            raise
        self._by_host = opened
        self._files.keep_only({file.path for file in opened.values() if file is not None})

    def reopen(self) -> list[tuple[LogFile, OSError]]:
        """Open all anew (the files were renamed); those that cannot be stay as they are."""
        return self._files.reopen()

    def write(self, ending: Ending, pid: int, used: Used | None) -> None:
        """Write the line of a session, if its host wants it; one that is gone counts as the main server."""
        file = self._by_host[ending.host] if ending.host in self._by_host else self._by_host.get("")
        if file is not None:
            file.write(line(ending, pid, used))
