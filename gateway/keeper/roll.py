"""The processes of all instances, in memory that the keeper shares with its guardian and nobody else.

A front must not be able to name the process groups that the guardian kills with the keeper's rights.
"""

import mmap
import os


class Roll:
    """Process numbers by slot, of which there are `slots`; 0 where there is none."""

    def __init__(self, slots: int) -> None:
        self.slots = slots
        self._memory = mmap.mmap(-1, slots * 4)
        self._numbers = memoryview(self._memory).cast("I")

    def __setitem__(self, slot: int, pid: int) -> None:
        self._numbers[slot] = pid

    def pids(self) -> list[int]:
        """The processes that have not been reaped."""
        return [pid for pid in self._numbers if pid]

    def close(self) -> None:
        """Let go of the memory."""
        self._numbers.release()
        self._memory.close()


def signal_group(pid: int, number: int) -> None:
    """Signal the group of a process that has not been reaped; the process alone when a warm host has just made
    it, and it has not come to its setsid(2). Raises PermissionError."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        os.kill(pid, number)
