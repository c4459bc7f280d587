"""Starting a process: fork, owner's wishes, exec. Nothing is inherited that is not named."""

import ctypes
import os
import signal
from collections.abc import Callable, Sequence
from typing import NamedTuple, NoReturn

_PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None, use_errno=True).prctl
REQUEST_DESCRIPTOR = 3


class Order(NamedTuple):
    """What to start: argument vector, environment (bytes), working directory."""

    argv: list[bytes]
    environ: dict[bytes, bytes]
    directory: bytes | None


def spawn(
    order: Order, descriptors: Sequence[int], *, failed: Callable[[int], None], dies_with_us: bool
) -> int:
    """Start a process whose descriptors 0, 1, 2, … are `descriptors`; its own session and process group.

    Returns its pid. When exec fails the child calls `failed(errno)` and exits with 127. With
    `dies_with_us` the kernel kills it when this process dies. Raises OSError when fork fails.
    """
    parent = os.getpid()
    pid = os.fork()
    if not pid:
        _become(order, descriptors, failed, parent if dies_with_us else 0)
    return pid


def _become(order: Order, descriptors: Sequence[int], failed: Callable[[int], None], parent: int) -> NoReturn:
    try:
        os.setsid()
        if parent:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != parent:
                os._exit(127)
        for wanted, descriptor in enumerate(descriptors):
            os.dup2(descriptor, wanted, inheritable=True)
        if order.directory is not None:
            os.chdir(order.directory)
        # Python ignores these two; an ignored signal would stay ignored in the program
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.execve(order.argv[0], order.argv, order.environ)
    except OSError as error:
        failed(error.errno or 255)
    finally:
        os._exit(127)


def occupy_low_descriptors(up_to: int) -> None:
    """Open /dev/null on every free descriptor up to `up_to`, so that no pipe can get a number that
    a child's descriptors are moved to."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        if descriptor > up_to:
            os.close(descriptor)
            return
