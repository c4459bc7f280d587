"""The places in the shared table: one an instance, and one more for each session of a shared instance."""

import errno
import heapq
from collections.abc import Sequence
from typing import Any

from gateway.keeper.table import IDLE, Table


class Slots:
    """Gives out the lowest free place of each kind: `instances` of them are for instances, the others for
    sessions of shared instances (S5)."""

    def __init__(self, table: Table, instances: int) -> None:
        self._table, self._instances = table, instances
        self._free = list(range(instances))
        self._free_for_sessions = list(range(instances, table.slots))
        self._held: dict[int, tuple[Any, Sequence[int]]] = {}  # by instance

    def take(self) -> int:
        """A place for an instance. Raises OSError (EAGAIN)."""
        return _lowest(self._free)

    def take_for_session(self, instance: int) -> int:
        """A place for one more session of an instance, open. Raises OSError (EAGAIN)."""
        slot = _lowest(self._free_for_sessions)
        self._table.open_slot(slot, instance)
        self._table.set_state(slot, IDLE)
        return slot

    def release(self, *places: int) -> None:
        """The places are free again."""
        for slot in places:
            self._table.free_slot(slot)
            heapq.heappush(self._free if slot < self._instances else self._free_for_sessions, slot)

    def hold(self, holder: Any, instance: int, places: Sequence[int]) -> None:
        """An instance has been reaped. Its front may not know that yet, and still write into its places: they
        are empty, but nobody else's until it is `done`, or lost."""
        for slot in places:
            self._table.free_slot(slot)
        self._held[instance] = holder, places

    def done(self, holder: Any, instance: int) -> None:
        """The front of a reaped instance writes no more."""
        known, places = self._held.get(instance, (None, ()))
        if known is holder:
            del self._held[instance]
            self.release(*places)

    def holder_lost(self, holder: Any) -> None:
        """A front is gone."""
        for instance in [instance for instance, held in self._held.items() if held[0] is holder]:
            self.done(holder, instance)


def _lowest(free: list[int]) -> int:
    if not free:
        raise OSError(errno.EAGAIN, "the shared table is full")
    return heapq.heappop(free)
