"""Starting a process by fork, for what posix_spawn cannot do: another user, limits. Each step has a name."""

import errno
import os
import resource
import signal
from collections.abc import Sequence
from typing import NoReturn

from gateway.keeper.identity import Step, steps
from gateway.keeper.spawn import RESTORED, Limit, Order, StartError, spawn

_REPORT_LIMIT = 1000


def launch(order: Order, descriptors: Sequence[int]) -> int:
    """Start a process in the cheapest way that does what is asked; see `spawn` and `fork`."""
    if order.identity is None and not order.limits:
        return spawn(order, descriptors)
    return fork(order, descriptors)


def fork(order: Order, descriptors: Sequence[int]) -> int:
    """Start a process as `spawn` does, as another user and within limits. Returns its pid, once the program
    has taken the place of the keeper's image. Raises StartError with the step that failed."""
    reading, writing = os.pipe2(os.O_CLOEXEC)
    prepared = _steps(order, descriptors, writing)
    # A signal that reaches the child too early would be written to the keeper's loop
    before = signal.pthread_sigmask(signal.SIG_SETMASK, RESTORED)
    try:
        pid = os.fork()
        if not pid:
            _run(prepared, writing)
    except OSError as error:
        os.close(reading)
        raise StartError(error.errno or errno.EAGAIN, "fork") from error
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        os.close(writing)
    with open(reading, "rb") as reports:
        report = reports.read(_REPORT_LIMIT)
    if report:
        os.waitpid(pid, 0)
        number, _, step = report.decode().partition(" ")
        raise StartError(int(number), step)
    return pid


def _run(prepared: Sequence[Step], report: int) -> NoReturn:
    """In the child: take the steps; what fails is told to the keeper."""
    number, name = errno.ENOMEM, "fork"
    try:
        for step in prepared:
            name = step[0]
            step[1]()
    except OSError as error:
        number = error.errno or errno.EINVAL
    except ValueError:  # a NUL within an argument
        number = errno.EINVAL
    finally:
        os.write(report, f"{number} {name}".encode())
        os._exit(127)


def _steps(order: Order, descriptors: Sequence[int], report: int) -> list[Step]:
    """Memory is limited last: whatever comes before may need some."""
    who = order.identity
    as_whom = f" as user {who.uid}" if who is not None else ""
    return [
        ("setsid", os.setsid),
        ("signals", _restore_signals),
        ("descriptors", lambda: _place(descriptors, report)),
        ("raising the limits", lambda: _raise(order.limits)),
        *(steps(who) if who is not None else ()),
        (f"chdir to {os.fsdecode(order.directory)}{as_whom}", lambda: os.chdir(order.directory)),
        ("setrlimit", lambda: _limit(order.limits)),
        (f"execve{as_whom}", lambda: os.execve(order.argv[0], order.argv, order.environ)),
    ]


def _restore_signals() -> None:
    for number in RESTORED:
        if signal.getsignal(number) is not signal.SIG_DFL:
            signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _place(descriptors: Sequence[int], report: int) -> None:
    """Give the descriptors their numbers, and close all others now: another user must not find them."""
    for number, descriptor in enumerate(descriptors):
        os.dup2(descriptor, number)
    os.closerange(len(descriptors), report)
    os.closerange(report + 1, os.sysconf("SC_OPEN_MAX"))


def _raise(limits: Sequence[Limit]) -> None:
    """Raise hard limits while this is still root's."""
    for number, _, wanted in limits:
        soft, hard = resource.getrlimit(number)
        if wanted is not None and _above(wanted, hard) and not os.geteuid():
            resource.setrlimit(number, (soft, wanted))


def _limit(limits: Sequence[Limit]) -> None:
    """Soft and hard limits, never above what is allowed."""
    for number, wanted_soft, wanted_hard in limits:
        most = resource.getrlimit(number)[1]
        hard = most if wanted_hard is None or _above(wanted_hard, most) else wanted_hard
        soft = hard if wanted_soft is None or _above(wanted_soft, hard) else wanted_soft
        resource.setrlimit(number, (soft, hard))


def _above(limit: int, other: int) -> bool:
    return other != resource.RLIM_INFINITY and limit > other
