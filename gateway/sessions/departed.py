"""Whether a process has exited, asked of the kernel: the keeper's news of it may be late."""

import os
import select

BOUND = 0.5  # seconds that a program has to exit after the end of file of its output


def has_departed(pid: int) -> bool:
    """Whether a process is over, reaped or not. False also when it cannot be told (no descriptor is free)."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)  # readable once it is a zombie: pidfd_open(2)
        return bool(poll.poll(0))
    finally:
        os.close(descriptor)
