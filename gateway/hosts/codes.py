"""What a warm host remembers of files: compiled scripts, and folders without modules that the host has as well.
Who had to compile a script, or to list a folder, tells it before the script runs."""

from __future__ import annotations

import marshal
import os
import select
import socket
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

    Sign = tuple[int, ...]
    Code = tuple[CodeType, CodeType, bytes]  # of the first call, of later ones; the source

MOST = 256
_LARGEST = 128 << 10  # bytes of a message
_YOUNG = 2_000_000_000  # nanoseconds in which a file may change again without a sign of it


class Codes:
    """What this host knows, by path and the sign of the file's state; of a folder, that it is as it was."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Sign, Code | None]] = {}
        ends = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._inbox, self._outbox = (end.detach() for end in ends)
        for end in (self._inbox, self._outbox):
            os.set_blocking(end, False)
        told = select.poll()
        told.register(self._inbox, select.POLLIN)
        self._told = told.poll

    def learn(self) -> None:
        """In the host: take what processes have told."""
        while self._told(0):
            path, sign, *code = marshal.loads(os.read(self._inbox, _LARGEST))
            self.keep(path, sign, tuple(code) or None)

    def keep(self, path: str, sign: Sign, code: Code | None) -> None:
        """In the host: remember the code of a script, or a folder."""
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[path] = sign, code

    def find(self, path: str) -> Code | None:
        """In a process: the code of a script whose file is as it was. Raises OSError."""
        known = self._known.get(path)
        return known[1] if known is not None and known[0] == sign_of(os.stat(path)) else None

    def is_as_told(self, folder: str) -> bool:
        """In a process: whether a folder that somebody has told of is as it was. Raises OSError."""
        known = self._known.get(folder)
        return known is not None and known[0] == sign_of(os.stat(folder))

    def tell(self, path: str, status: os.stat_result, code: Code | None) -> None:
        """In a process, before the script runs: what others need not compile again, or the folder that they
        need not list."""
        if time.time_ns() - status.st_ctime_ns > _YOUNG:
            message = marshal.dumps((path, sign_of(status), *(code or ())))
            if len(message) <= _LARGEST:
                try:
                    os.write(self._outbox, message)
                except OSError:
                    pass  # others compile it themselves

    def close(self) -> None:
        """In a process: nothing of the script can reach the host."""
        os.close(self._inbox)
        os.close(self._outbox)


def sign_of(status: os.stat_result) -> Sign:
    """What changes with a file's content."""
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
