"""A session's handles: which are accepted, which one is current, which are retired when (pure).

H5, R6 and R7 in one place. The current handle comes first, then the previous ones; while `lost` (the
response that issued the current one never reached its client) the second one is still in use until the
first is.
"""

from typing import NamedTuple


class Use(NamedTuple):
    """How a request's handle stands: `stale` R6, `retry` R7; `retired`: handles that this use retires."""

    stale: bool
    retry: bool
    retired: list[bytes]


class Handles:
    """The accepted handles of one session; `keep` is PersistentCGIPreviousHandles."""

    __slots__ = ("accepted", "issued", "keep", "lost")

    def __init__(self, accepted: list[bytes], keep: int, *, lost: bool = False) -> None:
        self.accepted = accepted
        self.keep = keep
        self.lost = lost
        self.issued = False

    @property
    def current(self) -> bytes:
        """The handle that the newest page carries."""
        return self.accepted[0]

    def use(self, handle: bytes) -> Use:
        """A request came by this accepted handle."""
        if handle == self.accepted[0]:
            if not self.lost:
                return _PLAIN
            self.lost = False
            return Use(False, False, self._trim(self.keep))
        if self.lost and handle == self.accepted[1]:
            return Use(False, True, [])
        return Use(True, False, [])

    def issue(self, handle: bytes) -> list[bytes]:
        """The running response asks for this handle; returns those it retires at once (R7)."""
        if handle in self.accepted:
            return []
        unused = []
        if self.lost:
            unused.append(self.accepted.pop(0))
            self.lost = False
        self.accepted.insert(0, handle)
        self.issued = True
        return unused

    def settle(self, *, delivered: bool) -> list[bytes]:
        """The response is over; returns the handles that are retired now."""
        if not self.issued:
            return []
        self.issued = False
        if delivered:
            return self._trim(self.keep)
        self.lost = True
        return self._trim(self.keep + 1)

    def _trim(self, previous: int) -> list[bytes]:
        retired = self.accepted[1 + previous :]
        del self.accepted[1 + previous :]
        return retired


_PLAIN = Use(False, False, [])
