"""Visitors: each begins sessions, one after another, and checks every answer against its own count."""

import asyncio
import random
import time
from collections import Counter, deque
from typing import NamedTuple

from bench.soak import programs

TIMEOUT = 1.0  # seconds: PersistentCGITimeout
_LATE = 3.0  # seconds beyond it after which a session that was left must be over
_BOUND = 30.0  # seconds for an answer
_ENDS = {"left": 0.45, "ended": 0.45, "crashed": 0.1}
_WORDS = {"left": "timed-out", "ended": "ended", "crashed": "crashed"}
_SHOWN = 10
_PACE = 0.97  # of the time: the last visits are whole ones


class Answer(NamedTuple):
    """Status, header fields in lower case, body."""

    status: int
    fields: dict[str, str]
    body: str


class Over(NamedTuple):
    """A session that is, or will be, over: its path, how, and when that may be asked for (monotonic)."""

    path: str
    how: str
    at: float


class Plan:
    """How much is to be done, and how fast: `count` requests spread over `seconds`; `longest`: of a visit."""

    def __init__(self, count: int, seconds: float, programs: list[str], seed: int, longest: int = 300) -> None:
        self.count, self.seconds, self.programs, self.longest = count, seconds, programs, longest
        self.random = random.Random(seed)
        self.begin = time.monotonic()
        self.done = 0
        self.sessions: Counter[str] = Counter()
        self.ends: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.mistakes = 0

    @property
    def over(self) -> bool:
        """Whether the time, or the count, is reached."""
        return self.done >= self.count or time.monotonic() - self.begin >= self.seconds

    @property
    def ahead(self) -> float:
        """Seconds that the work is ahead of its time."""
        return self.begin + self.done * _PACE * self.seconds / self.count - time.monotonic()

    def mistake(self, text: str) -> None:
        """An answer that is not the one that was expected."""
        self.mistakes += 1
        if len(self.wrong) < _SHOWN:
            self.wrong.append(text)


class Visitor:
    """One connection that is kept alive."""

    def __init__(self, plan: Plan, port: int) -> None:
        self._plan, self._port = plan, port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self._over: deque[Over] = deque()

    async def run(self) -> None:
        """Sessions until the plan is fulfilled; then those that were left are asked for."""
        try:
            while not self._plan.over:
                await self._visit()
                await self._look_back()
            while self._over:
                await asyncio.sleep(max(0.0, self._over[0].at - time.monotonic()))
                await self._look_back()
        finally:
            self._close()

    async def _visit(self) -> None:
        plan = self._plan
        program = plan.random.choice(plan.programs)
        how = plan.random.choices(list(_ENDS), list(_ENDS.values()))[0]
        if how == "crashed" and program == programs.SHARED:  # others' sessions would end with it
            how = "ended"
        path, handle = f"/cgi-bin/{program}", ""
        for count in range(1, plan.random.randint(2, plan.longest) + 1):
            await asyncio.sleep(max(0.0, plan.ahead))
            answer = await self._get(path)
            number, _, given = answer.body.partition(" ")
            if answer.status != 200 or number != str(count) or (handle and given != handle):
                plan.mistake(f"{path}: expected {count} {handle}, found {answer.status} {answer.body[:80]!r}")
                return
            path, handle = f"/cgi-bin/{program}/{given}", given
        plan.sessions[program] += 1
        if how == "ended":
            answer = await self._get(f"{path}?end")
            self._expect(answer, path, 200, f"{count + 1} {handle}")
        elif how == "crashed":
            answer = await self._get(f"{path}?die")
            self._expect(answer, path, 502, "")
        plan.ends[how] += 1
        self._over.append(Over(path, how, time.monotonic() + (TIMEOUT + _LATE if how == "left" else 0.0)))

    async def _look_back(self) -> None:
        """Sessions that are over answer with the reason (R4), and no other one answers in their place."""
        while self._over and self._over[0].at <= time.monotonic():
            path, how, _ = self._over.popleft()
            answer = await self._get(path)
            reason = answer.fields.get("x-htsession-ended")
            if answer.status != 410 or reason != _WORDS[how]:
                found = f"{answer.status} {reason} {answer.body[:80]!r}"
                self._plan.mistake(f"{path}: expected 410 {_WORDS[how]}, found {found}")

    def _expect(self, answer: Answer, path: str, status: int, body: str) -> None:
        if answer.status != status or (body and answer.body != body):
            found = f"{answer.status} {answer.body[:80]!r}"
            self._plan.mistake(f"{path}: expected {status} {body}, found {found}")

    async def _get(self, path: str) -> Answer:
        self._plan.done += 1
        try:
            async with asyncio.timeout(_BOUND):
                return await self._ask(path)
        except (OSError, EOFError, TimeoutError, ValueError) as error:
            self._close()
            return Answer(0, {}, f"{type(error).__name__}: {error}")

    async def _ask(self, path: str) -> Answer:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        writer.write(f"GET {path} HTTP/1.1\r\nHost: soak\r\n\r\n".encode())
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        pairs = (line.partition(":") for line in lines if line)
        fields = {name.lower(): value.strip() for name, _, value in pairs}
        body = await reader.readexactly(int(fields.get("content-length", "0")))
        if fields.get("connection") == "close":
            self._close()
        return Answer(int(first.split()[1]), fields, body.decode())

    def _close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None
