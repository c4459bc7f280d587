"""What an instance with many sessions knows beyond one with one (S1 to S5)."""

from typing import NamedTuple

from gateway.program import Name

MOST_WAITING = 64  # requests without a handle (S5)
NO_SLOT = -1
MOST_TOLD = 65536  # bytes of HTSESSION_ENDED


class Ended(NamedTuple):
    """A session that is over and has not been named to its program (S4): its slot (NO_SLOT: it was refused at
    its beginning) and its last handle."""

    slot: int
    handle: bytes


class Shared:
    """`running`: the slot of the session whose request runs, -1 for none; `answered`: requests of all."""

    __slots__ = ("_told", "_untold", "answered", "name", "running")

    def __init__(self, name: Name) -> None:
        self.name = name
        self.running = -1
        self.answered = 0
        self._untold: list[Ended] = []
        self._told: list[Ended] = []

    def over(self, ended: Ended) -> None:
        """A session is over of which the program does not know."""
        self._untold.append(ended)

    def will_name(self, handle: bytes) -> bool:
        """Whether a frame to come names this handle."""
        return any(ended.handle == handle for ended in self._untold)

    def tell(self) -> bytes:
        """HTSESSION_ENDED of the next frame: the last handles of sessions that are over; the rest of very
        many is for the frame after it."""
        size = 0
        while self._untold and size + len(self._untold[0].handle) < MOST_TOLD:
            size += len(self._untold[0].handle) + 1
            self._told.append(self._untold.pop(0))
        return b" ".join(ended.handle for ended in self._told)

    def heard(self) -> list[int]:
        """The call is over; the slots of the sessions that it named."""
        slots = [ended.slot for ended in self._told if ended.slot != NO_SLOT]
        self._told.clear()
        return slots
