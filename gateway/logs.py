"""The error log in Apache's line format (stdlib only: the keeper writes with it too).

`[Sun Nov 22 03:02:01.123456 2026] [cgi:error] [pid 7] [client 192.0.2.1:4711] HTS001: …`
"""

import os
import re
import time

_NAMES = ["emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"]
LEVELS = {name: rank for rank, name in enumerate([*_NAMES, *(f"trace{n}" for n in range(1, 9))])}
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
LINE_LIMIT = 8192


def escape(text: str) -> str:
    """Controls as `\\xNN`, so that no text can begin a line of its own in the log."""
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def stamp(now: float) -> str:
    """The time in the form of Apache's error log, in local time with microseconds."""
    whole = time.localtime(now)
    return (
        f"{_DAYS[whole.tm_wday]} {_MONTHS[whole.tm_mon]} {whole.tm_mday:02d} {whole.tm_hour:02d}:"
        f"{whole.tm_min:02d}:{whole.tm_sec:02d}.{int(now % 1 * 1e6):06d} {whole.tm_year}"
    )


class ErrorLog:
    """One append-only log; every line is one write, so several processes may share the file."""

    def __init__(self, path: str | None = None, level: str = "info") -> None:
        """`path` None is standard error. Raises OSError when the file cannot be opened."""
        self.path = path
        self.threshold = LEVELS[level]
        self._descriptor = _open(path)

    def reconfigure(self, path: str | None, level: str) -> None:
        """Another file or level (after a reload); the old file stays when the new one cannot be opened."""
        self.threshold = LEVELS[level]
        if path != self.path:
            descriptor = _open(path)
            self._close()
            self.path, self._descriptor = path, descriptor

    def reopen(self) -> None:
        """Open the path anew (SIGUSR1, after the log was rotated)."""
        descriptor = _open(self.path)
        self._close()
        self._descriptor = descriptor

    def __call__(
        self, level: str, text: str, *, module: str = "cgi", pid: int | None = None, client: str | None = None
    ) -> None:
        """Write one line if `level` is wanted. A full disk loses the line, never the server."""
        if LEVELS[level] > self.threshold:
            return
        who = f" [client {client}]" if client else ""
        head = f"[{stamp(time.time())}] [{module}:{level}] [pid {pid or os.getpid()}]{who} "
        line = head + escape(text)[:LINE_LIMIT] + "\n"
        try:
            os.write(self._descriptor, line.encode("utf-8", "replace"))
        except OSError:
            pass

    def _close(self) -> None:
        if self.path is not None:
            os.close(self._descriptor)


def _open(path: str | None) -> int:
    if path is None:
        return 2
    return os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o640)
