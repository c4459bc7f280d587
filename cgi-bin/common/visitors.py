"""Who is present in a shared instance: one process that holds many sessions (S2), each known by its handle."""

import os
import time
from typing import Generic, TypeVar

Visitor = TypeVar("Visitor")
MOST = 1000  # as many as PersistentCGISharedSessions allows unless it is set
SLACK = 120.0  # seconds; a request that came in time may have waited for its turn


class Visitors(Generic[Visitor]):
    """The gateway names sessions that timed out (S4), but not those that never began: a first page that got
    lost, or was one too many. Therefore each visitor has a deadline here too, a little after the gateway's."""

    def __init__(self) -> None:
        self._present: dict[str, tuple[Visitor, float]] = {}

    def __len__(self) -> int:
        return len(self._present)

    def all(self) -> list[Visitor]:
        """Those who are here, in order of arrival."""
        return [visitor for visitor, _ in self._present.values()]

    def is_full(self) -> bool:
        """Whether nobody else can come in."""
        return len(self._present) >= MOST

    def caller(self) -> Visitor | None:
        """The one whose session this request came by."""
        return self._present.get(os.environ.get("HTSESSION_HANDLE", ""), (None, 0.0))[0]

    def keep(self, handle: str, visitor: Visitor, seconds: int) -> None:
        """Let somebody in, or stay, for so long a silence."""
        self._present[handle] = visitor, time.monotonic() + seconds + SLACK

    def leave(self) -> Visitor | None:
        """The caller goes."""
        return self._present.pop(os.environ.get("HTSESSION_HANDLE", ""), (None, 0.0))[0]

    def drop_gone(self) -> list[Visitor]:
        """Forget those whose sessions are over, and return them. To be called first thing in every call."""
        ended, now = os.environ.get("HTSESSION_ENDED", "").split(), time.monotonic()
        caller = os.environ.get("HTSESSION_HANDLE")
        late = [name for name, (_, deadline) in self._present.items() if deadline < now and name != caller]
        found = [self._present.pop(handle, None) for handle in dict.fromkeys([*ended, *late])]
        return [entry[0] for entry in found if entry is not None]
