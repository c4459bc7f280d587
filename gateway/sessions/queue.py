"""Waiting for an instance that is busy, in order of arrival (R5, S5)."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from gateway.errors import Busy, ClientGone
from gateway.program import Program
from gateway.sessions.handles import Use
from gateway.sessions.instance import Instance


class Waits(Protocol):
    """A request: `waited` are its seconds in queues."""

    waited: float


@contextmanager
def waiting(request: Waits | None) -> Iterator[None]:
    """Count what is awaited within as time in a queue."""
    since = time.monotonic()
    try:
        yield
    finally:
        if request is not None:
            request.waited += time.monotonic() - since


async def in_turn(
    instance: Instance,
    slot: int,
    claim: Callable[[], Use | None],
    program: Program,
    most: int,
    gone: "asyncio.Future[None]",
    at_most: float,
) -> Use | None:
    """What `claim` says when its turn has come; None: look again. At most `most` wait for one `slot`; `gone`:
    the client has left; `at_most` seconds are left of PersistentCGIQueueTimeout. Raises Busy, ClientGone."""
    if instance.waiting(slot) >= most:
        raise Busy(f"{program.text}: the queue is full", retry_after=5)
    waiter = instance.enqueue(slot, claim)
    try:
        done, _ = await asyncio.wait((waiter.turn, gone), timeout=at_most, return_when=asyncio.FIRST_COMPLETED)
        if waiter.turn in done:
            return waiter.turn.result()
        if gone in done:
            raise ClientGone
        raise Busy(f"{program.text}: waited {program.queue_timeout:g} s", retry_after=program.queue_timeout)
    finally:
        if waiter in instance.queue:
            instance.queue.remove(waiter)
