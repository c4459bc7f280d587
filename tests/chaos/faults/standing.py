"""Processes that stand still for a moment: on a machine with too much to do each of them does, at any point."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack, suppress

from tests.chaos.faults.fault import Fault
from tests.chaos.remains import processes
from tests.chaos.scene import Scene

_MOMENTS = 20
_AT_ONCE = 4
_SHORT, _LONG = (0.02, 0.2), (0.3, 1.5)  # seconds


def _any(scene: Scene) -> None:
    """Keeper, guardian, fronts, hosts and programs, one to four of them together."""
    for _ in range(_MOMENTS):
        with ExitStack() as standing:
            found = list(processes(scene.gateway.folder))
            for pid in scene.chance.sample(found, min(scene.chance.randint(1, _AT_ONCE), len(found))):
                _stand(pid, standing)
            time.sleep(scene.chance.uniform(*(_SHORT if scene.chance.random() < 0.9 else _LONG)))
    scene.load.more(50)


def _reloading(scene: Scene) -> None:
    """The same while one front follows the other."""
    old = scene.front()
    os.kill(scene.gateway.keeper, signal.SIGHUP)
    _any(scene)
    scene.await_another(old)


def _stand(pid: int, standing: ExitStack) -> None:
    """A process stands still until the end; one that ends meanwhile is left alone."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    standing.callback(os.close, process)
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGSTOP)
        standing.callback(_go_on, process)


def _go_on(process: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, signal.SIGCONT)


FAULTS = (
    Fault("standing", "SIGSTOP of any processes for a moment, twenty times", _any, times=15),
    Fault("standing-reload", "the same during a reload", _reloading, times=15, smoke=0),
)
