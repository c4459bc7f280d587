"""Starting a process by posix_spawn (vfork underneath): several times cheaper than fork from Python, and the
error of exec comes back at once. Nothing is inherited that is not named."""

import errno
import os
import signal
from collections.abc import Sequence
from typing import NamedTuple

from gateway.keeper.identity import Identity

# What the gateway was started with, or Python ignores (SIGPIPE, SIGXFSZ), would stay ignored in the program
RESTORED = tuple(sorted(signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}))
# What is short of room now may have some later: such an error says nothing of what was to be started
NO_ROOM = frozenset((errno.EAGAIN, errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM, errno.ETOOMANYREFS))


class Limit(NamedTuple):
    """A resource by its number, soft and hard limit; None is the most that the keeper may use."""

    resource: int
    soft: int | None
    hard: int | None


class Order(NamedTuple):
    """What to start: argument vector, environment (bytes), working directory; as whom, within which limits."""

    argv: list[bytes]
    environ: dict[bytes, bytes]
    directory: bytes
    identity: Identity | None = None
    limits: tuple[Limit, ...] = ()


class StartError(OSError):
    """A process that could not be started; `step` is what failed."""

    def __init__(self, number: int, step: str) -> None:
        super().__init__(number, os.strerror(number))
        self.step = step


def spawn(order: Order, descriptors: Sequence[int]) -> int:
    """Start a process whose descriptors 0, 1, 2, … are `descriptors`, in a session and group of its own.

    Returns its pid. Raises OSError when it cannot be started: no such directory, not executable, ….
    The keeper's own working directory is where the last program was started: it uses none itself.
    """
    os.chdir(order.directory)
    actions = [(os.POSIX_SPAWN_DUP2, descriptor, number) for number, descriptor in enumerate(descriptors)]
    return os.posix_spawn(
        order.argv[0],
        order.argv,
        order.environ,
        file_actions=actions,
        setsid=True,
        setsigmask=(),
        setsigdef=RESTORED,
    )


def occupy_low_descriptors(up_to: int) -> None:
    """Open /dev/null on every free descriptor up to `up_to`, so that no pipe can get a number that
    a child's descriptors are moved to."""
    while True:
        descriptor = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
        if descriptor > up_to:
            os.close(descriptor)
            return
