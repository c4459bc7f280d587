"""Who comes next when many connections wait: real sockets, and the loop that fronts run on."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack
from typing import Any, TypeVar

import pytest
import uvloop

from gateway.front.acceptor import Acceptor, Relieved, ShutsOut

GREEDY, OTHER = "127.0.0.9", "127.0.0.1"
MANY = 200
FIRST = 40  # a place far before that of its arrival
LIMIT = 20
T = TypeVar("T")


def nobody(address: str | None) -> bool:
    """None is shut out."""
    return False


class Greeted(asyncio.Protocol):
    """Notes from where it was connected to."""

    def __init__(self, met: asyncio.Queue[str]) -> None:
        self._met = met

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._met.put_nowait(transport.get_extra_info("peername")[0])
        transport.close()


@pytest.fixture
def crowded() -> Iterator[socket.socket]:
    """A listening socket that MANY connections of one address wait at, and then one of another."""
    with ExitStack() as stack:
        sock = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=2048))
        for source in [GREEDY] * MANY + [OTHER]:
            stack.enter_context(socket.create_connection(sock.getsockname(), 10, (source, 0)))
        yield sock


def _run(act: Callable[[], Coroutine[Any, Any, T]]) -> T:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(asyncio.wait_for(act(), 30))


async def _next(met: asyncio.Queue[str], count: int) -> list[str]:
    return [await met.get() for _ in range(count)]


def test_the_loops_server_is_relieved_when_many_wait_and_every_address_gets_its_turn(
    crowded: socket.socket,
) -> None:
    async def act() -> list[str]:
        loop, met = asyncio.get_running_loop(), asyncio.Queue[str]()

        async def begin(sock: socket.socket) -> None:
            await loop.connect_accepted_socket(lambda: Greeted(met), sock)

        relieved = Relieved(crowded.dup(), begin, MANY + 1, nobody, lambda: Greeted(met))
        await relieved.listen(2048)
        order = await _next(met, MANY + 1)
        relieved.close()
        return order

    order = _run(act)
    assert order.count(OTHER) == 1
    assert order.index(OTHER) < FIRST


def test_handshakes_begin_in_turn_too(crowded: socket.socket) -> None:
    order = _run(lambda: _begun(crowded, MANY + 1))
    assert len(order) == MANY + 1
    assert order.index(OTHER) < FIRST


def test_who_has_most_that_wait_loses_those_above_the_limit(crowded: socket.socket) -> None:
    order = _run(lambda: _begun(crowded, LIMIT))
    assert LIMIT <= len(order) < MANY // 2
    assert order.count(OTHER) == 1


def test_who_is_shut_out_is_closed_before_anything_is_made(crowded: socket.socket) -> None:
    assert _run(lambda: _begun(crowded, MANY + 1, lambda address: address == GREEDY)) == [OTHER]


async def _begun(listening: socket.socket, most: int, shuts_out: ShutsOut = nobody) -> list[str]:
    """The addresses of those whose turn came, by the time that nobody waits any more."""
    order, seen = list[str](), asyncio.Event()

    async def begin(sock: socket.socket) -> None:
        order.append(sock.getpeername()[0])
        sock.close()
        seen.set()

    accepting = Acceptor(listening, begin, most, shuts_out)
    while OTHER not in order or accepting.busy:  # the other was the last to connect
        seen.clear()
        await seen.wait()
        await asyncio.sleep(0)
    accepting.close()
    return order
