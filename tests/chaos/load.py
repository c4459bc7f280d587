"""A steady load of sessions that come and go, beside which faults happen."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from tests.blackbox.harness import wait_for
from tests.chaos.book import Book, Rules, Visitor
from tests.chaos.connection import BOUND, Connection, Cut
from tests.chaos.programs import ALL

T = TypeVar("T")
CONNECTIONS = 16
PACE = 0.02  # seconds between two requests of a connection: a load that leaves the processors some room
LEAVES, POSTS, LONG = (
    0.02,
    0.2,
    0.05,
)  # how many of the requests end a session, have a body, ask for a long page
MOST_GOODBYES = 5  # tries to end a session
FILL = 5000  # words of a long page


class Load:
    """Visitors on some connections, in a thread of their own, until `over`."""

    def __init__(self, port: int, sessions: int, rules: Rules, seed: int) -> None:
        self._port, self._chance = port, random.Random(seed)
        self.visitors = [Visitor(number, ALL[number % len(ALL)], number % 8 < 3) for number in range(sessions)]
        self.book = Book(rules, self.visitors)
        self._loop = asyncio.new_event_loop()
        self._over = False
        self._errors: list[BaseException] = []

    # ---- for the thread that makes faults

    @contextmanager
    def running(self) -> Iterator[None]:
        """The load, from the moment when every visitor has had a session; in the end all sessions are ended."""
        thread = threading.Thread(target=self._run, name="load")
        thread.start()
        try:
            wait_for(
                "all sessions", lambda: self._done(lambda: all(one.serial > 1 for one in self.visitors)), 120
            )
            yield
        finally:
            self._over = True
            thread.join()
        if self._errors:
            raise self._errors[0]

    def more(self, count: int) -> None:
        """Wait until there have been so many more answers."""
        wanted = self.book.figures["answers"] + count
        wait_for("answers", lambda: self._done(lambda: self.book.figures["answers"] >= wanted), BOUND)

    def stalled(self) -> None:
        """Wait until a request is under way on every connection."""
        wait_for(
            "a request on each connection", lambda: self._done(lambda: self._under_way() >= self._lanes), BOUND
        )

    def strike(self, act: Callable[[], T], victims: Callable[[], Iterable[Visitor]] | None = None) -> T:
        """Do it between two steps of the load; the victims, by default who has a request under way, are exposed
        to it."""

        def now() -> T:
            met = [one for one in self.visitors if one.in_flight] if victims is None else victims()
            self.book.expose(met)
            return act()

        return self._call(now)

    def take(self, fits: Callable[[Visitor], bool] = lambda visitor: True) -> Visitor:
        """A visitor that rests, for a fault to play with; `give_back` it."""
        return wait_for("a session at rest", lambda: self._call(lambda: self._taken(fits)), BOUND)

    def give_back(self, visitor: Visitor) -> None:
        """The load goes on with it."""
        visitor.taken = False

    def _call(self, act: Callable[[], T]) -> T:
        async def run() -> T:
            return act()

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(BOUND)

    def _done(self, probe: Callable[[], bool]) -> bool:
        if self._errors:
            raise self._errors[0]
        return probe()

    def _taken(self, fits: Callable[[Visitor], bool]) -> Visitor | None:
        found = [one for one in self.visitors if one.rests and fits(one)]
        if not found:
            return None
        visitor = self._chance.choice(found)
        visitor.taken = True
        return visitor

    # ---- the load itself

    @property
    def _lanes(self) -> int:
        return min(CONNECTIONS, len(self.visitors))

    def _under_way(self) -> int:
        return sum(one.in_flight for one in self.visitors)

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.run(self._all())
            except BaseException as error:  # it ends the measurement, in the thread that waits for it
                self._errors.append(error)

    async def _all(self) -> None:
        async with asyncio.TaskGroup() as lanes:
            for number in range(self._lanes):
                lanes.create_task(self._lane(self.visitors[number :: self._lanes]))

    async def _lane(self, mine: list[Visitor]) -> None:
        connection = Connection(self._port)
        while not self._over:
            for visitor in mine:
                if not visitor.taken:
                    await self._visit(connection, visitor, bye=self._chance.random() < LEAVES)
                    if not visitor.count:
                        await self._visit(connection, visitor, bye=False)
                await asyncio.sleep(PACE)
                if self._over:
                    break
        for visitor in mine:
            visitor.taken = False
            for _ in range(MOST_GOODBYES):
                if visitor.count:
                    await self._visit(connection, visitor, bye=True)
        connection.close()

    async def _visit(self, connection: Connection, visitor: Visitor, *, bye: bool) -> None:
        body = self._chance.randbytes(self._chance.randrange(8000)) if self._chance.random() < POSTS else b""
        fill = FILL if self._chance.random() < LONG else 0
        verbs = {"fill": fill} | ({"bye": 1} if bye and visitor.count else {})
        visitor.in_flight = True
        target = visitor.target(**verbs)
        try:
            answer = await connection.ask("POST" if body else "GET", target, body)
        except ConnectionRefusedError:
            self.book.refused(visitor)
            await asyncio.sleep(PACE)
        except TimeoutError:
            self.book.fail("wrong", f"{visitor}: no answer in {BOUND} s")
        except Cut as cut:
            self.book.cut(visitor, str(cut), stale=cut.stale, bye="bye" in verbs)
        else:
            self.book.answered(visitor, answer, body, fill, bye="bye" in verbs)
        finally:
            visitor.in_flight = False
