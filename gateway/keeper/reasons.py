"""Why a handle was retired (R4): the numbers of the shared table and the words of the answer."""

from enum import IntEnum


class Reason(IntEnum):
    """The reason's number in the rings; `word` is what clients see. CLOSED is `ended` too, by the
    administrator's hand: people are told so in other words."""

    TIMED_OUT = 1
    ENDED = 2
    CRASHED = 3
    REPLACED = 4
    PROTOCOL = 5
    STOPPED = 6
    LIMIT = 7
    CLOSED = 8

    @property
    def word(self) -> str:
        """The word of `X-HTSession-Ended`."""
        reason = Reason.ENDED if self is Reason.CLOSED else self
        return reason.name.lower().replace("_", "-")
