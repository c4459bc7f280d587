"""What a shared instance and its sessions are, in the words of S1 to S5: the model of test_shared_model.py."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from gateway.sessions.call import Call
from gateway.sessions.handles import Use
from tests.sessions.model import Model


@dataclass(eq=False)
class Face(Model):
    """One session; `stood`: when its clock stopped, or began anew."""

    stood: float = 0.0
    user: bytes | None = None
    __eq__, __hash__ = object.__eq__, object.__hash__

    def head(self, handle: bytes) -> list[bytes]:
        """The running response gives this new handle; returns what it retires at once."""
        unused = [self.accepted.pop(0)] if self.lost else []
        self.accepted.insert(0, handle)
        self.lost = False
        return unused

    def settle(self, *, delivered: bool) -> list[bytes]:
        """The response with the new handle is over."""
        self.lost = not delivered
        return self._trim()


@dataclass(eq=False)
class Waiter:
    """A request that waits: of a session by a handle, or of a newcomer (`face` None)."""

    face: Face | None
    handle: bytes
    task: "asyncio.Task[Any]"
    gone: "asyncio.Future[None]"
    until: float

    def use(self) -> Use | None:
        """How it was handed out."""
        use: Use | None = self.task.result()
        return use


@dataclass(eq=False)
class Running:
    """The call that runs. After its head has come (`headed`): `face` is its session, None if it has none (any
    more), `fresh` whether it got a new handle; `seconds` its next time."""

    call: Call
    face: Face | None
    newcomer: bool
    first: bool
    head_only: bool = False
    user: bytes | None = None
    headed: bool = False
    keeps: bool = False
    fresh: bool = False
    refused: bytes | None = None
    told: bool = True
    seconds: float = 0.0


@dataclass(eq=False)
class Shared:
    """The living shared instance. `untold`: handles of sessions that are over and were not named yet;
    `refused`: of newcomers that became no session; `behind`: who waits behind a recall (None: there is none);
    `borrowing`: newcomers who wait until the other front gives it; `naming`: how many its call names."""

    number: int
    faces: list[Face] = field(default_factory=list)
    running: Running | None = None
    here: bool = True
    queue: list[Waiter] = field(default_factory=list)
    behind: list[Waiter] | None = None
    borrowing: list[Waiter] = field(default_factory=list)
    untold: list[bytes] = field(default_factory=list)
    refused: list[bytes] = field(default_factory=list)
    naming: int = 0
    persistent: bool = False

    @property
    def waiters(self) -> list[Waiter]:
        """Everybody who waits, in order."""
        return [*self.queue, *(self.behind or ())]

    def called(self, face: Face) -> bool:
        """Whether a request of it runs or waits."""
        runs = self.running is not None and self.running.face is face
        return runs or any(waiter.face is face for waiter in self.waiters)
