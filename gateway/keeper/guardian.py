"""The guardian: a child of the keeper that waits for its end, and then kills what it has left behind.

No orphans: PR_SET_PDEATHSIG would need a fork for every program, and spares a program's own children.
"""

import os
import signal
from contextlib import suppress
from typing import NoReturn

from gateway.keeper.roll import Roll, signal_group

_DEAF = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGUSR1)


class Guardian:
    """Owned by the keeper: `restart` it when it was killed, `close` it at the end."""

    def __init__(self, roll: Roll) -> None:
        self._roll = roll
        self.pid, self._pipe = _fork(roll)

    def restart(self) -> None:
        """Another one in its place. Raises OSError when there can be none now."""
        pid, pipe = _fork(self._roll)
        os.close(self._pipe)
        self.pid, self._pipe = pid, pipe

    def close(self) -> None:
        """Let it go, and reap it, unless it was killed and had no successor."""
        os.close(self._pipe)
        with suppress(ChildProcessError):
            os.waitpid(self.pid, 0)


def _fork(roll: Roll) -> tuple[int, int]:
    reading, writing = os.pipe2(os.O_CLOEXEC)
    try:
        pid = os.fork()
        if not pid:
            _guard(reading, roll)
    except OSError:
        os.close(writing)
        raise
    finally:
        os.close(reading)
    return pid, writing


def _guard(reading: int, roll: Roll) -> NoReturn:
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        for number in _DEAF:
            signal.signal(number, signal.SIG_IGN)
        with open("/proc/self/comm", "w") as name:
            name.write("gateway-guard")
        # Nothing may be kept open: a pipe end here would hide an end of file from a program.
        os.closerange(0, reading)
        os.closerange(reading + 1, os.sysconf("SC_OPEN_MAX"))
        while os.read(reading, 1):
            pass
        for pid in roll.pids():
            try:
                signal_group(pid, signal.SIGKILL)
            except OSError:
                pass
    finally:
        os._exit(0)
