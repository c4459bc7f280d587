"""Who is above a limit and asks on and on has to wait for each answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

import uvloop

from gateway.request.brake import Brake
from gateway.request.incoming import Connection

GREEDY, OTHER = 1, 2
MANY = 100


class Line:
    """The part of a connection that the brake looks at."""

    def __init__(self) -> None:
        self.on_lost: Callable[[], object] | None = None
        self.lost = False


class Clients:
    """Refused requests, and who of them went on, in order."""

    def __init__(self) -> None:
        self.brake, self.on = Brake(), list[int]()
        self.lines: list[Line] = []
        self.tasks: list[asyncio.Task[bool]] = []

    def ask(self, client: int = GREEDY) -> int:
        """One more request; its number."""
        number, line = len(self.tasks), Line()

        async def held() -> bool:
            answered = await self.brake.hold(client, cast(Connection, line))
            self.on.append(number)
            return answered

        self.lines.append(line)
        self.tasks.append(asyncio.create_task(held()))
        return number

    async def all(self) -> list[bool]:
        """What all are told, when they go on."""
        return await asyncio.gather(*self.tasks)


def run(scene: Callable[[Clients], Coroutine[Any, Any, None]]) -> None:
    async def acts() -> None:
        await asyncio.wait_for(scene(Clients()), 30)

    uvloop.run(acts())


async def _settled() -> None:
    for _ in range(3):  # turns of the loop, far fewer than until a timer
        await asyncio.sleep(0)


def test_the_first_goes_on_at_once_the_next_ones_wait_in_order_and_others_pass() -> None:
    async def scene(clients: Clients) -> None:
        greedy = [clients.ask() for _ in range(MANY)]
        await _settled()
        other = clients.ask(OTHER)
        await _settled()
        assert clients.on == [greedy[0], other]
        assert await clients.all() == [True] * (MANY + 1)
        assert clients.on == [greedy[0], other, *greedy[1:]]

    run(scene)


def test_of_many_several_are_let_go_in_a_turn() -> None:
    async def scene(clients: Clients) -> None:
        greedy = {clients.ask() for _ in range(MANY)}
        others = [clients.ask(OTHER) for _ in range(10)]  # one in a turn
        await clients.all()
        before = clients.on[: clients.on.index(others[-1])]
        assert len(greedy.intersection(before)) > 3 * len(others)

    run(scene)


def test_after_a_pause_the_first_goes_on_at_once_again() -> None:
    async def scene(clients: Clients) -> None:
        clients.ask()
        for _ in range(3):
            clients.ask(OTHER)
        await clients.all()
        clients.ask()
        await _settled()
        assert len(clients.on) == 5

    run(scene)


def test_who_leaves_waits_no_more_and_leaves_nothing() -> None:
    async def scene(clients: Clients) -> None:
        clients.brake.most = MANY
        for _ in range(MANY):
            clients.ask()
        await _settled()
        for line in clients.lines[1:]:
            assert line.on_lost is not None
            line.on_lost()
        await _settled()
        assert len(clients.on) == MANY and clients.brake._count == 0
        assert not any(clients.brake._clients.values())
        assert all(line.on_lost is None for line in clients.lines)

    run(scene)


def test_who_has_left_already_does_not_wait() -> None:
    async def scene(clients: Clients) -> None:
        clients.ask()
        clients.ask()
        clients.lines[1].lost = True
        await _settled()
        assert clients.on == [0, 1]

    run(scene)


def test_beyond_the_bound_nobody_waits() -> None:
    async def scene(clients: Clients) -> None:
        clients.brake.most = 3
        for _ in range(6):
            clients.ask()
        await _settled()
        assert clients.on == [0, 4, 5]
        assert await clients.all() == [True] * 4 + [False] * 2

    run(scene)


def test_released_all_go_on_at_once_and_nobody_waits_any_more() -> None:
    async def scene(clients: Clients) -> None:
        for _ in range(MANY):
            clients.ask()
        await _settled()
        clients.brake.release()
        clients.ask()
        clients.ask()
        await _settled()
        assert len(clients.on) == MANY + 2 and all(await clients.all())

    run(scene)
