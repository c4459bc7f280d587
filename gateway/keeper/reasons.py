"""Why a handle was retired (R4): the numbers of the shared table and the words of the answer."""

from enum import IntEnum


class Reason(IntEnum):
    """The reason's number in the rings; `word` is what clients see."""

    TIMED_OUT = 1
    ENDED = 2
    CRASHED = 3
    REPLACED = 4
    PROTOCOL = 5
    STOPPED = 6
    LIMIT = 7

    @property
    def word(self) -> str:
        """The word of `X-HTSession-Ended`."""
        return self.name.lower().replace("_", "-")
