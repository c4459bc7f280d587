"""Who asks on and on above a limit is answered later (429): asking as fast as one is answered is slow then."""

import asyncio
from collections import deque
from functools import partial
from itertools import islice
from math import ceil

from gateway.request.incoming import Connection

_PAUSE = 0.1  # seconds between two turns
_MOST = 512
_TURNS = 20  # in about so many those of one client that wait are let go

_Turn = asyncio.Future[None]


class Brake:
    """In every turn one refused request of each client goes on, or a twentieth of its waiting ones; the first
    after a pause goes on at once. At most `most` wait. Nothing runs while nobody is refused."""

    def __init__(self) -> None:
        self.most, self._count = _MOST, 0
        self._clients: dict[int, dict[_Turn, None]] = {}  # who was let go of late, and its waiting requests
        self._going: deque[_Turn] = deque()
        self._released = False

    async def hold(self, client: int, connection: Connection) -> bool:
        """Wait for the client's turn, or until it leaves. False: too many wait already."""
        if self._released or connection.lost:
            return True
        loop, waiting = asyncio.get_running_loop(), self._clients.get(client)
        if waiting is None:
            if not self._clients:
                loop.call_later(_PAUSE, self._take_turns, loop)
            self._clients[client] = {}
            return True
        if self._count >= self.most:
            return False
        turn: _Turn = loop.create_future()
        waiting[turn] = None
        self._count += 1
        connection.on_lost = partial(_let_go, turn)
        try:
            await turn
        finally:
            connection.on_lost = None
            waiting.pop(turn, None)
            self._count -= 1
        return True

    def release(self) -> None:
        """Nobody waits any more: this front is about to leave."""
        self._released = True
        for waiting in self._clients.values():
            self._going.extend(waiting)
            waiting.clear()
        while self._going:
            _let_go(self._going.popleft())

    def _take_turns(self, loop: asyncio.AbstractEventLoop) -> None:
        idle = not self._going
        self._clients = {client: waiting for client, waiting in self._clients.items() if waiting}
        for waiting in self._clients.values():
            for turn in list(islice(waiting, ceil(len(waiting) / _TURNS))):
                del waiting[turn]
                self._going.append(turn)
        if self._clients:
            loop.call_later(_PAUSE, self._take_turns, loop)
            if idle:
                self._go_on(loop)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        """One at a time: others get their turn between two answers."""
        if self._going:
            _let_go(self._going.popleft())
            loop.call_soon(self._go_on, loop)


def _let_go(turn: _Turn) -> None:
    if not turn.done():
        turn.set_result(None)
