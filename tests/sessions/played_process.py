"""A program without a process: the test reads its requests and writes its answers, which nobody takes."""

import os
from collections.abc import Sequence
from typing import Any

from gateway.protocol.events import Event


class Process:
    """An instance as its program and as the keeper have it (what `Claims` asks of a Child)."""

    def __init__(self, number: int, slot: int, about: dict[str, Any]) -> None:
        self.facts = {"id": number, "pid": 0, "slot": slot}
        self.about = about
        self.output, self.program_output = os.pipe()
        self.program_requests, self.requests = os.pipe()
        for descriptor in (self.output, self.requests, self.program_requests):
            os.set_blocking(descriptor, False)
        self.id, self.slot = number, slot
        self.sessions: set[int] = set()
        self.how: str | None = None
        self.holder: object = None

    @property
    def ending(self) -> bool:
        """Whether T3 has begun."""
        return self.how is not None

    def take(self) -> bytes:
        """Read the frame."""
        return os.read(self.program_requests, 65536)

    def write(self, data: bytes) -> None:
        """Write to standard output."""
        os.write(self.program_output, data)

    def exit(self) -> None:
        """The program's ends close."""
        for descriptor in (self.program_output, self.program_requests):
            os.close(descriptor)
        self.program_output = self.program_requests = -1

    def close(self) -> None:
        """Reaped: the keeper's ends close too."""
        if self.program_output >= 0:
            self.exit()
        os.close(self.output)
        os.close(self.requests)


class Taker:
    """The sink of a call whose response interests nobody."""

    def events(self, events: Sequence[Event]) -> None:
        """Drop them."""

    def drained(self) -> None:
        """Nothing waits for it."""

    def backlog(self) -> int:
        """Nothing waits for it."""
        return 0

    def stalled(self) -> None:
        """There is no client that could stall."""
