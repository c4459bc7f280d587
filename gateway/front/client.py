"""The client's end of a connection: whether it is there, and how the connection ends."""

import enum
import fcntl
import select
import socket
import struct
import termios
from collections.abc import Callable
from typing import Any, ClassVar
from typing import Protocol as Shape

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from gateway.front.limits import Limits, LimitsByAddress
from gateway.front.pour import Pour
from gateway.sessions.call import Call

_NO_LINGER = struct.pack("ii", 1, 0)
_PROBE = select.poll()  # empty between two uses


class Stage(enum.Enum):
    """How much of a request was read last."""

    BETWEEN = "the whole of it, or nothing yet"
    HEAD = "a part of its head"
    BODY = "its head, and not the whole body"


class Admission(Shape):
    """Who knows all connections: a new one asks what it may do, and whether it may stay."""

    limits: LimitsByAddress

    def admit(self, connection: "Client") -> None:
        """Let it in, or turn it away."""

    def leave(self, connection: "Client") -> None:
        """It is over."""


class Client(HttpToolsProtocol):
    """A connection: tells when it is lost, can be cut, can be read away before it is closed.

    `stage`: how far a request has been read; `head` and `taken`: bytes of its head and body so far, of
    `body_length` (None: chunked). `running`: the request whose response is due. `deaf`: nothing is parsed any
    more. `lingering`: what the client still sends is read away until it closes, by now `discarded` bytes; no
    more than `patience` of one whose head was refused.
    """

    sent: int = 0  # bytes; all of them where CountingProtocol counts
    received: int = 0
    DRAINED: ClassVar[int] = 1 << 18  # bytes of an unwanted body that are read for the next request's sake
    # Slots: with more than 30 attributes instances do not share their keys, and each access is slower.
    __slots__ = (
        "body_length",
        "crowd",
        "deaf",
        "discarded",
        "head",
        "leaving",
        "limits",
        "lingering",
        "lingers_since",
        "on_lost",
        "patience",
        "reads_bare",
        "running",
        "stage",
        "taken",
    )

    def __init__(self, config: uvicorn.Config, server_state: ServerState, crowd: Admission) -> None:
        super().__init__(config, server_state, {})
        self.crowd = crowd
        self.limits: Limits
        self.on_lost: Callable[[], object] | None = None
        self.running: RequestResponseCycle | None = None
        self.stage = Stage.BETWEEN
        self.head = self.taken = self.discarded = 0
        self.body_length: int | None = 0
        self.patience = float("inf")
        self.deaf = self.leaving = self.lingering = self.reads_bare = False
        self.lingers_since = 0.0

    @property
    def lost(self) -> bool:
        """Whether the client left before it had the whole response of the request under way."""
        cycle = self.cycle
        return cycle.disconnected or (self.transport.is_closing() and not cycle.response_complete)

    @property
    def left(self) -> bool:
        """Whether the client has closed its end, although that was not read yet (POLLRDHUP, poll(2))."""
        if self.flow.read_paused:
            return False  # it may have sent more requests before
        descriptor = self.transport.get_extra_info("socket").fileno()
        _PROBE.register(descriptor, select.POLLRDHUP)
        found = _PROBE.poll(0)
        _PROBE.unregister(descriptor)
        return bool(found)

    @property
    def backlog(self) -> int:
        """Bytes that wait to be taken by the client: 0 when none are left in this process, else those of the
        kernel too, which moves when a slow client takes a little of megabytes (SIOCOUTQ, tcp(7))."""
        own = self.transport.get_write_buffer_size()
        return own and own + self._in_kernel()

    def _in_kernel(self) -> int:
        sock = self.transport.get_extra_info("socket")
        try:
            (waiting,) = struct.unpack("i", fcntl.ioctl(sock.fileno(), termios.TIOCOUTQ, bytes(4)))
        except OSError:
            return 0
        return int(waiting)

    @property
    def remaining(self) -> float:
        """Bytes of the body that are still to come; infinite when only the client knows."""
        if self.stage is not Stage.BODY:
            return 0
        return float("inf") if self.body_length is None else self.body_length - self.taken

    @property
    def full(self) -> bool:
        """Whether the client has to take something before more is written."""
        return self.flow.write_paused

    async def room(self) -> None:
        """Wait until it is no more `full`."""
        await self.flow.drain()

    def forward(self, data: memoryview) -> bool:
        """Write a part of the body of the response under way; whether the memory is still needed then."""
        transport, cycle = self.transport, self.running
        if cycle is None or transport.is_closing():
            return False
        if cycle.chunked_encoding:
            transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))
        else:
            cycle.expected_content_length -= len(data)
            transport.write(data)
        return transport.get_write_buffer_size() > 0

    def hold(self, count: int) -> bool:
        """Read no more, if the last `count` bytes of the body under way can be poured."""
        cycle = self.cycle
        there = self.running is cycle and self.remaining == count and not (cycle.body or self.deaf)
        if there and self.transport.get_extra_info("sslcontext") is None:
            self.flow.pause_reading()
            return True
        return False

    async def pour(self, call: Call) -> int:
        """Have nearly all of the body that is held go to the program unread; returns how many bytes went."""
        pipe, event = call.instance.intake(call.exchange), self.cycle.message_event
        if pipe < 0 or self.lost or self.deaf:
            return 0
        try:
            pour = Pour(self, pipe, call)
        except OSError:
            return 0
        event.clear()
        try:
            await event.wait()
        finally:
            pour.close()
        return pour.moved

    def cut(self) -> None:
        """Close without a clean end of the response. A chunked or counted one then shows that it is not
        whole; one that ends with the connection (HTTP/1.0) needs a reset."""
        if self.running is not None and self.running.scope["http_version"] == "1.0":
            self.abort()
        else:
            self.transport.close()  # the sweeper sees to it when the client does not take the rest

    def abort(self) -> None:
        """Close at once, by a reset, whatever the client has not taken yet."""
        sock = self.transport.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.transport.abort()

    def linger(self) -> None:
        """Close when the client does, or soon: a reset because of what it still sends would eat the answer
        (RFC 9112, section 9.6)."""
        self.leaving = self.lingering = self.deaf = True
        self.lingers_since = self.loop.time()
        self.pipeline.clear()
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()

    def turn_away(self, answer: bytes) -> None:
        """Answer without a request, and leave."""
        self.transport.write(answer)
        self.linger()

    def unread(self, cycle: RequestResponseCycle) -> bool:
        """Whether the client may still be sending behind the response of this request."""
        return cycle is not self.cycle or self.stage is Stage.BODY

    def late(self) -> None:
        """The client was too slow with a head or a body."""
        self.abort()

    def is_idle(self) -> bool:
        """Whether no request is under way, and no answer on its way."""
        return not self.lingering and (self.cycle is None or self.cycle.response_complete)

    def connection_made(self, transport: Any) -> None:
        """Turned away where there are too many."""
        super().connection_made(transport)
        self.limits = self.crowd.limits.find(self.server)
        self.crowd.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell whoever answers a request of this client."""
        self.crowd.leave(self)
        waiting = [self.running, *(cycle for cycle, _ in self.pipeline)]
        super().connection_lost(exc)
        for cycle in waiting:
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        if self.on_lost is not None:
            self.on_lost()
