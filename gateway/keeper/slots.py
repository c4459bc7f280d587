"""The places in the shared table: one an instance, and one more for each session of a shared instance."""

import errno
import heapq

from gateway.keeper.table import IDLE, Table


class Slots:
    """Gives out the lowest free place of each kind: `instances` of them are for instances, the others for
    sessions of shared instances (S5)."""

    def __init__(self, table: Table, instances: int) -> None:
        self._table, self._instances = table, instances
        self._free = list(range(instances))
        self._free_for_sessions = list(range(instances, table.slots))

    def take(self) -> int:
        """A place for an instance. Raises OSError (EAGAIN)."""
        return _lowest(self._free)

    def take_for_session(self, instance: int) -> int:
        """A place for one more session of an instance, open. Raises OSError (EAGAIN)."""
        slot = _lowest(self._free_for_sessions)
        self._table.open_slot(slot, instance)
        self._table.set_state(slot, IDLE)
        return slot

    def release(self, slot: int) -> None:
        """The place is free again."""
        self._table.free_slot(slot)
        heapq.heappush(self._free if slot < self._instances else self._free_for_sessions, slot)


def _lowest(free: list[int]) -> int:
    if not free:
        raise OSError(errno.EAGAIN, "the shared table is full")
    return heapq.heappop(free)
