"""Why a handle was retired (R4): the numbers of the shared table and the words of the answer."""

from enum import IntEnum


class Reason(IntEnum):
    """The reason's number in the rings; `word` is what clients see. those behind LIMIT are
    `ended` too, by others than the program: people are told so in other words."""

    TIMED_OUT = 1
    ENDED = 2
    CRASHED = 3
    REPLACED = 4
    PROTOCOL = 5
    STOPPED = 6
    LIMIT = 7
    CLOSED = 8  # by the administrator
    STOPPING = 9  # the gateway stops (T5)
    UNSEEN = 10  # nobody got its first page (R7)

    @property
    def word(self) -> str:
        """The word of `X-HTSession-Ended`."""
        reason = Reason.ENDED if self in BY_OTHERS else self
        return reason.name.lower().replace("_", "-")


NO_ENDINGS = frozenset((Reason.REPLACED, Reason.LIMIT))  # of handles: a session goes on, or never began
BY_OTHERS = frozenset((Reason.CLOSED, Reason.STOPPING, Reason.UNSEEN))
NORMAL = BY_OTHERS | {Reason.TIMED_OUT, Reason.ENDED}  # nothing went wrong
