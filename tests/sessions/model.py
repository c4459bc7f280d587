"""What a session is, in the words of H5, R6 and R7: the simple model that the registry is compared with."""

import asyncio
import os
from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.sessions.call import Call
from gateway.sessions.handles import Use
from tests.sessions.world import PREVIOUS, TIMEOUT

EXAMPLES = int(os.environ.get("MODEL_EXAMPLES", "40"))  # `make fuzz` runs many more


def seconds_of(minutes: int | None) -> float:
    """What HTTimeout, or its absence, means."""
    return TIMEOUT if minutes is None else minutes * 60.0


def response(handle: bytes, minutes: int | None) -> bytes:
    """A response that asks for a handle, without its end mark."""
    timeout = b"" if minutes is None else b"HTTimeout: %d\n" % minutes
    return b"Accept-HTSession: %s\n%sContent-Type: text/plain\n\nbody" % (handle, timeout)


class Waiting(NamedTuple):
    """A request in the queue (R5)."""

    handle: bytes
    task: "asyncio.Task[Use | None]"
    until: float


@dataclass
class Model:
    """One living session; `accepted` has the current handle first; methods return what they retire."""

    accepted: list[bytes]
    deadline: float
    call: Call | None = None
    lost: bool = False
    here: bool = True
    wanted: bool = False
    queue: list[Waiting] = field(default_factory=list)

    @property
    def idle(self) -> bool:
        """Whether a request would be served at once."""
        return self.call is None and self.here

    def use(self, handle: bytes, use: Use | None) -> list[bytes]:
        """A request came by this handle, and was claimed so."""
        assert use is not None
        current, second = self.accepted[0], self.accepted[1] if self.lost else None
        assert (use.stale, use.retry) == (handle not in (current, second), handle == second)
        if handle != current or not self.lost:
            return []
        self.lost = False
        return self._trim()

    def issue(self, handle: bytes, *, delivered: bool) -> list[bytes]:
        """A response gave this new handle, and came to the client or not."""
        unused = [self.accepted.pop(0)] if self.lost else []
        self.accepted.insert(0, handle)
        self.lost = not delivered
        return unused + self._trim()

    def _trim(self) -> list[bytes]:
        most = 1 + PREVIOUS + self.lost
        retired, self.accepted = self.accepted[most:], self.accepted[:most]
        return retired
