"""A large body of known length on its way from the client's socket to the program's pipe by splice(2): this
process does not read it."""

import asyncio
import fcntl
import os
import termios
from typing import Any, Protocol

import httptools

from gateway.sessions.call import Call

_LEFT = 16384  # bytes at the end of the body: they come as all others do
_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK
_NOTHING = b"\0\0\0\0"


class Sender(Protocol):
    """The client's connection, as far as a body on its way needs it: `remaining` bytes of it are still to come,
    `taken` came; `received` counts those of the connection. `reads_bare`: its socket is read by somebody else
    than the transport."""

    loop: asyncio.AbstractEventLoop
    transport: Any
    parser: Any
    cycle: Any
    taken: int
    received: int
    reads_bare: bool

    @property
    def remaining(self) -> float:
        """Infinite when only the client knows."""

    def on_body(self, body: bytes) -> None:
        """A part of it came."""

    def on_message_complete(self) -> None:
        """The whole of it came."""


class Pour:
    """Moves what comes, until `close`; the transport must not read meanwhile. The request's event is set when
    the rest has to be read, or nobody sends or takes any more. Owns its descriptors, which outlive those that
    the transport or the instance may close before.

    `pipe`: what the program reads the body from; `call`: whose clock is told who has to move (T4).
    """

    def __init__(self, connection: Sender, pipe: int, call: Call) -> None:
        """Raises OSError when there are no more descriptors."""
        self.moved = 0
        self._connection, self._call, self._loop = connection, call, connection.loop
        self._event = connection.cycle.message_event
        self._socket = os.dup(connection.transport.get_extra_info("socket").fileno())
        try:
            self._pipe = os.dup(pipe)
        except OSError:
            os.close(self._socket)
            raise
        connection.parser = _Rest(connection)
        self._listen()

    def close(self) -> None:
        """Give socket and pipe back."""
        self._rest()
        os.close(self._socket)
        os.close(self._pipe)

    def _listen(self) -> None:
        """It is the client's turn."""
        self._call.waits_for_body = self._connection.reads_bare = True
        self._loop.add_reader(self._socket, self._move)

    def _rest(self) -> None:
        if self._connection.reads_bare:
            self._call.waits_for_body = self._connection.reads_bare = False
            self._loop.remove_reader(self._socket)
        else:
            self._loop.remove_writer(self._pipe)

    def _taken(self) -> None:
        """The program has taken something."""
        self._loop.remove_writer(self._pipe)
        self._listen()
        self._move()

    def _move(self) -> None:
        connection = self._connection
        count = int(connection.remaining) - _LEFT
        try:
            moved = os.splice(self._socket, self._pipe, count, flags=_FLAGS) if count > 0 else 0
        except BlockingIOError:
            if fcntl.ioctl(self._socket, termios.FIONREAD, _NOTHING) != _NOTHING:  # the pipe is full
                self._rest()
                self._loop.add_writer(self._pipe, self._taken)
            return
        except OSError:  # as the end of file: who left will be seen by whoever reads or writes next
            moved = 0
        self.moved += moved
        connection.taken += moved
        connection.received += moved
        self._call.touched()
        if not moved or connection.cycle.response_complete:
            self._event.set()


class _Rest:
    """Stands for the parser until the last of such a body has come."""

    def __init__(self, connection: Sender) -> None:
        self._connection = connection

    def feed_data(self, data: bytes) -> None:
        """Count the body; what follows it is for a parser again. Raises what that raises."""
        connection = self._connection
        rest = int(connection.remaining)
        connection.on_body(data[:rest])
        if len(data) < rest:
            return
        connection.on_message_complete()
        parser: Any = httptools.HttpRequestParser(connection)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)
        connection.parser = parser
        try:
            parser.feed_data(data[rest:])
        except httptools.HttpParserUpgrade as upgrade:
            raise httptools.HttpParserUpgrade(rest + upgrade.args[0]) from None
