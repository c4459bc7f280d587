"""Log files, and the error log in Apache's line format (stdlib only: the keeper writes with it too).

`[Sun Nov 22 03:02:01.123456 2026] [cgi:error] [pid 7] [client 192.0.2.1:4711] HTS001: …`
"""

import os
import re
import time
from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple

_NAMES = ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"]
LEVELS = {name: rank for rank, name in enumerate([*_NAMES, *(f"trace{n}" for n in range(1, 9))])}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# Controls, line ends of Unicode, and what turns the direction of a text or does not show
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
LINE_LIMIT = 8192
STDERR = "stderr"
_STANDARD = {"stdout": 1, "/dev/stdout": 1, STDERR: 2, "/dev/stderr": 2}


def escape(text: str) -> str:
    """Controls as `\\xNN` (`\\uNNNN`), so that no text can begin a line of its own in the log."""
    return _CONTROL.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    number = ord(found[0])
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}"


def stamp(now: float) -> str:
    """The time in the form of Apache's error log, in local time with microseconds."""
    whole = time.localtime(now)
    return (
        f"{_DAYS[whole.tm_wday]} {_MONTHS[whole.tm_mon]} {whole.tm_mday:02d} {whole.tm_hour:02d}:"
        f"{whole.tm_min:02d}:{whole.tm_sec:02d}.{int(now % 1 * 1e6):06d} {whole.tm_year}"
    )


class LogFile:
    """One append-only file (mode 0640), `stdout` or `stderr`; what is written is one write, so that several
    processes may share the file. `on_failure` is told once that nothing can be written, until it goes again."""

    def __init__(self, path: str, on_failure: "Callable[[LogFile, OSError], None]") -> None:
        """Raises OSError when it cannot be opened."""
        self.path = path
        self._on_failure = on_failure
        self._failed = self._torn = False
        self._descriptor = _open(path)

    def write(self, data: bytes) -> None:
        """Append one or more lines. A full disk loses them, never the server."""
        try:
            written = os.write(self._descriptor, b"\n" + data if self._torn else data)
        except OSError as error:
            if not self._failed:
                self._failed = True
                self._on_failure(self, error)
            return
        self._failed, self._torn = False, written < len(data)

    @property
    def size(self) -> int:
        """Bytes that the file has now."""
        return os.fstat(self._descriptor).st_size

    def reopen(self) -> None:
        """Open the path anew (the file was renamed). Raises OSError, then the old file stays."""
        descriptor = _open(self.path)
        self.close()
        self._descriptor = descriptor

    def close(self) -> None:
        """Close the file; standard output and error stay."""
        if self._descriptor > 2:
            os.close(self._descriptor)


def _open(path: str) -> int:
    if path in _STANDARD:
        return _STANDARD[path]
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)


class LogFiles:
    """Every log of a process by path: each is open once, whoever writes to it."""

    def __init__(self) -> None:
        self._open: dict[str, LogFile] = {}
        self.on_failure: Callable[[LogFile, OSError], None] = lambda file, error: None

    def open(self, path: str) -> LogFile:
        """The file of a path. Raises OSError."""
        if path not in self._open:
            self._open[path] = LogFile(path, lambda file, error: self.on_failure(file, error))
        return self._open[path]

    def reopen(self) -> list[tuple[LogFile, OSError]]:
        """Open all anew (SIGUSR1, after the logs were rotated); those that cannot be stay as they are."""
        failed = []
        for file in self._open.values():
            try:
                file.reopen()
            except OSError as error:
                failed.append((file, error))
        return failed

    def keep_only(self, paths: Collection[str]) -> None:
        """Close what is not used any more."""
        for path in set(self._open) - set(paths):
            self._open.pop(path).close()

    @property
    def paths(self) -> set[str]:
        """What is open."""
        return set(self._open)


class Target(NamedTuple):
    """Where the messages of a host go: ErrorLog and LogLevel (level by module, "" for all others)."""

    path: str
    levels: Mapping[str, str]


class _Channel(NamedTuple):
    file: LogFile
    thresholds: Mapping[str, int]


class ErrorLog:
    """The error logs of the main server (host "") and of the virtual hosts that have their own."""

    def __init__(self, path: str = STDERR, level: str = "info", files: LogFiles | None = None) -> None:
        """Raises OSError when the file cannot be opened."""
        self.files = LogFiles() if files is None else files
        self.files.on_failure = self._cannot_write
        self._channels: dict[str, _Channel] = {}
        self.configure({"": Target(path, {"": level})})

    def configure(self, targets: Mapping[str, Target]) -> None:
        """Other files and levels, by host. Raises OSError; then those of before stay."""
        before = self.files.paths
        try:
            channels = {host: self._channel(target) for host, target in targets.items()}
        except OSError:
            self.files.keep_only(before)
            raise
        self._channels = channels

    def _channel(self, target: Target) -> _Channel:
        thresholds = {module: LEVELS[level] for module, level in target.levels.items()}
        return _Channel(self.files.open(target.path), thresholds)

    def keep_only_own(self) -> None:
        """Close every file that no host's messages go to."""
        self.files.keep_only({channel.file.path for channel in self._channels.values()})

    def reopen(self) -> None:
        """Open all files anew (SIGUSR1); one that cannot be stays as it is, and the log says so."""
        for file, error in self.files.reopen():
            self("error", f"cannot reopen {file.path}: {error.strerror}", module="core")

    def __call__(
        self,
        level: str,
        text: str,
        *,
        module: str = "cgi",
        pid: int | None = None,
        client: str | None = None,
        host: str = "",
    ) -> None:
        """Write one line if its host wants `level` of `module`; an unknown host is the main server."""
        channel = self._channels.get(host) or self._channels[""]
        if LEVELS[level] > channel.thresholds.get(module, channel.thresholds[""]):
            return
        who = f" [client {client}]" if client else ""
        head = f"[{stamp(time.time())}] [{module}:{level}] [pid {pid or os.getpid()}]{who} "
        line = head + escape(text)[:LINE_LIMIT] + "\n"
        channel.file.write(line.encode("utf-8", "replace"))

    def _cannot_write(self, file: LogFile, error: OSError) -> None:
        main = self._channels[""].file
        if file is not main:
            self("error", f"cannot write to {file.path}: {error.strerror}", module="core")
