"""A command on a terminal of its own, as somebody who types sees it."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping
from pathlib import Path

from tests.blackbox.harness import BOUND

_ROWS, _COLUMNS = 40, 400


class Terminal:
    """A command that runs on a pseudo-terminal; `shown`: what it has written that was not asked for yet."""

    def __init__(self, command: list[str], environment: Mapping[str, str], folder: Path) -> None:
        self.shown = b""
        self.pid, self._descriptor = pty.fork()
        if not self.pid:
            os.chdir(folder)
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", _ROWS, _COLUMNS, 0, 0))
            os.execvpe(command[0], command, dict(environment))

    def type(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    def until(self, text: str, times: int = 1) -> bytes:
        """What was shown up to where a text stands for the n-th time."""
        end = time.monotonic() + BOUND
        while self.shown.count(text.encode()) < times:
            assert select.select([self._descriptor], [], [], max(0.0, end - time.monotonic()))[0], self.shown
            self.shown += os.read(self._descriptor, 65536)
        found, self.shown = self.shown, b""
        return found

    def wait(self) -> int:
        """Its exit status, when it has ended by itself."""
        status = os.waitpid(self.pid, 0)[1]
        os.close(self._descriptor)
        return status

    def close(self) -> None:
        """End it."""
        os.kill(self.pid, signal.SIGKILL)
        self.wait()
