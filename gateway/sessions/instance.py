"""One instance as its front sees it: two pipe ends, a state, who waits for it."""

import asyncio
import contextlib
import fcntl
import os
import termios
from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from gateway.sessions.departed import BOUND, has_departed
from gateway.sessions.exchange import Exchange
from gateway.sessions.handles import Use
from gateway.sessions.lifecycle import Event, State, advance
from gateway.sessions.shared import Shared

READ_SIZE = 65536  # bytes: what a pipe holds
BULK_SIZE = 1 << 18  # bytes that it holds, and that are read at a time, once it was full
_NOTHING = b"\0\0\0\0"


class Running(Protocol):
    """The call that an instance carries out."""

    exchange: Exchange
    reading: bool

    def received(self, data: bytes, *, last: bool = False) -> None:
        """Bytes of the program, or its end of file, which may follow them at once (`last`)."""

    def touched(self) -> None:
        """The program has taken something."""

    def drained(self) -> None:
        """The program has taken everything."""


NEWCOMER, RECALL = -1, -2  # no slots


class Waiter(NamedTuple):
    """Who waits in the queue (R5): a request of the session in this slot, one without a session yet (S1), or a
    recall by the keeper. When its turn comes `claim` is called; the turn's result is how the instance was
    handed out, or None: look again, the handle may be retired."""

    slot: int
    claim: Callable[[], Use | None]
    turn: asyncio.Future[Use | None]


class Instance:
    """Owns its descriptors: `close` ends them. `on_idle` is told what happens between two calls. `framed`: the
    next request is a frame, because it is not the first, or the instance was ready before it (P11); `shared`:
    None for an instance of one session; `ordered`: when the keeper was asked for it (monotonic), `warm`: from a
    host that was ready."""

    __slots__ = (
        "_left",
        "_loop",
        "_on_idle",
        "_paused",
        "_reader",
        "_size",
        "_wide",
        "_writing",
        "call",
        "exited",
        "framed",
        "id",
        "mark",
        "mute",
        "ordered",
        "output",
        "persistent",
        "pid",
        "queue",
        "requests",
        "shared",
        "slot",
        "state",
        "stdin",
        "warm",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        state: State,
        fields: dict[str, Any],
        descriptors: tuple[int, ...],
        on_idle: "Callable[[Instance, bool], None]",
    ) -> None:
        """`fields`: id, pid, slot, and `gone` if the process is over: then nothing is read before `ended`.
        `descriptors`: output, requests, and stdin or not."""
        self.output, self.requests, *stdin = descriptors
        self.stdin = stdin[0] if stdin else -1
        self.id: int = fields["id"]
        self.pid: int = fields["pid"]
        self.slot: int = fields["slot"]
        self.mark = b""
        self.state = state
        self.call: Running | None = None
        self.queue: deque[Waiter] = deque()
        self.exited: asyncio.Future[dict[str, Any]] = loop.create_future()
        self.persistent = self.mute = self.framed = self.warm = False
        self.ordered = 0.0
        self.shared: Shared | None = None
        self._writing = self._wide = False
        self._size = READ_SIZE
        self._reader: Callable[[], None] | None = None
        self._loop, self._on_idle = loop, on_idle
        self._paused = self._left = "gone" in fields
        if not self._paused:
            loop.add_reader(self.output, self._readable)

    def enqueue(self, slot: int, claim: Callable[[], Use | None]) -> Waiter:
        """Somebody waits from now on."""
        waiter = Waiter(slot, claim, self._loop.create_future())
        self.queue.append(waiter)
        return waiter

    def waiting(self, slot: int) -> int:
        """How many wait for the session in a slot (or NEWCOMER); for that of an unshared instance all do."""
        if self.shared is None:
            return len(self.queue)
        return sum(waiter.slot == slot for waiter in self.queue)

    def advance(self, event: Event) -> None:
        """Move on in the life cycle."""
        self.state = advance(self.state, event)

    # ---- reading

    def _readable(self) -> None:
        if self.call is None and self.state is not State.IDLE:
            self.pause()  # handed out: what comes now is for the call that is about to begin
            return
        try:
            data = os.read(self.output, self._size)
        except BlockingIOError:
            return
        if len(data) == READ_SIZE == self._size:
            self._size = BULK_SIZE
            _widen(self.output)
        call = self.call
        if call is None:
            self._on_idle(self, not data)
            return
        if self.framed or not data or len(data) >= READ_SIZE:
            call.received(data)
            return
        more = self._more()
        call.received(data + more if more else data, last=more == b"")

    def _more(self) -> bytes | None:
        """A program that lives for one request may have ended by now: then its response is known whole, and
        goes in one write."""
        try:
            return os.read(self.output, READ_SIZE)
        except BlockingIOError:
            return None

    def ended(self) -> None:
        """The process is gone: all that it has written can be read."""
        left, self._left = self._left, False
        if self.call is None or self.output < 0 or (self._paused and not left):
            return
        (self._reader or self._readable)()
        if left and self.call is not None and self.call.reading:
            self.resume()

    async def exit(self) -> None:
        """Wait for the news that the process is gone; if it lives on, for BOUND at most."""
        while not self.exited.done():
            await self._news()
            if not has_departed(self.pid):
                return

    async def _news(self) -> None:
        done: asyncio.Future[None] = self._loop.create_future()

        def release(_: object = None) -> None:
            if not done.done():
                done.set_result(None)

        timer = self._loop.call_later(BOUND, release)
        self.exited.add_done_callback(release)
        try:
            await done
        finally:
            timer.cancel()
            self.exited.remove_done_callback(release)

    def pause(self) -> None:
        """Read no more for now: the client is slower than the program."""
        if not self._paused and self.output >= 0:
            self._paused = True
            self._loop.remove_reader(self.output)

    def resume(self) -> None:
        """Read on."""
        if self._paused and self.output >= 0 and not self._left:
            self._paused = False
            self._loop.add_reader(self.output, self._reader or self._readable)

    def divert(self, reader: Callable[[], None] | None) -> None:
        """Have somebody else read the output from now on; None: nobody else any more."""
        self._reader = reader
        if not self._paused and self.output >= 0:
            self._loop.add_reader(self.output, reader or self._readable)

    def is_silent(self) -> bool:
        """Whether nothing was written since the end mark (P5)."""
        return fcntl.ioctl(self.output, termios.FIONREAD, _NOTHING) == _NOTHING

    def unread(self) -> int:
        """Bytes in the request pipe that the program has not taken (B3)."""
        if self.requests < 0:
            return 0
        found = fcntl.ioctl(self.requests, termios.FIONREAD, _NOTHING)
        return 0 if found == _NOTHING else int.from_bytes(found, "little")

    # ---- writing

    def intake(self, exchange: Exchange) -> int:
        """What the program reads the request of this exchange from; -1: it is closed."""
        return self.requests if exchange.framed else self.stdin

    def put(self, frame: bytes) -> bytes:
        """Write to the request pipe; what it did not take."""
        try:
            return frame[os.write(self.requests, frame) :]
        except OSError:
            return frame

    def write(self, call: Running) -> None:
        """Write what the call has for the program, as far as the pipe takes it."""
        descriptor, exchange = self.intake(call.exchange), call.exchange
        while descriptor >= 0 and (piece := exchange.outgoing) is not None:
            try:
                exchange.written(os.write(descriptor, piece))
            except BlockingIOError:
                if not self._wide:
                    self._wide = True
                    _widen(descriptor)
                    continue
                if not self._writing:
                    self._writing = True
                    self._loop.add_writer(descriptor, self.write, call)
                return
            except OSError:
                exchange.refused()
            call.touched()
        if descriptor < 0:
            exchange.refused()
        self._stop_writing(descriptor)
        if not exchange.framed and not exchange.body_open:
            self.close_stdin()
        call.drained()

    def _stop_writing(self, descriptor: int) -> None:
        if self._writing:
            self._writing = False
            self._loop.remove_writer(descriptor)

    def close_stdin(self) -> None:
        """End of file on the first request's body; what was not read is dropped (B3)."""
        if self.stdin >= 0:
            self._stop_writing(self.stdin)
            os.close(self.stdin)
            self.stdin = -1

    def close(self) -> None:
        """Leave the loop and close the pipe ends; the keeper's own ones are not touched."""
        if self.output < 0:
            return
        self.close_stdin()
        self._stop_writing(self.requests)
        if not self._paused:
            self._loop.remove_reader(self.output)
        os.close(self.output)
        os.close(self.requests)
        self.output = self.requests = -1


def _widen(pipe: int) -> None:
    """Let a pipe hold more. What a user's pipes may hold is bounded: some stay as they are."""
    with contextlib.suppress(OSError):
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, BULK_SIZE)
