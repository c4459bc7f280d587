"""A large response on its way to the client, without a task's turn and without a copy for each of its parts."""

import asyncio
import os

from gateway.request.incoming import Connection
from gateway.sessions.call import Call
from gateway.sessions.instance import BULK_SIZE


class Buffer:
    """What all large responses of a process are read into, one part at a time."""

    def __init__(self) -> None:
        self.renew()

    def renew(self) -> None:
        """Somebody keeps what was read: go on with other memory."""
        self.data = bytearray(BULK_SIZE)
        self.view = memoryview(self.data)


_BUFFER = Buffer()


class Forward:
    """Reads the output of a call until `close`, and writes what is of the body and nothing else to the client.

    `ended` is done when the parser has to go on (end mark, end of file, end of the promised length), when the
    client takes no more for now (then the call is `paused`), or when either end is gone. `sent`: bytes.
    """

    def __init__(self, call: Call, connection: Connection, ended: "asyncio.Future[None]") -> None:
        self.sent, self.paused = 0, False
        self._call, self._connection, self._ended = call, connection, ended
        self._reader = call.exchange.reader
        call.instance.divert(self._move)

    def close(self) -> None:
        """Give the output back."""
        self._call.instance.divert(None)

    def _move(self) -> None:
        if self._ended.done():
            return
        call, connection, buffer = self._call, self._connection, _BUFFER
        try:
            size = os.readv(call.instance.output, (buffer.view,))
        except BlockingIOError:
            return
        if not size or not self._reader.is_body(buffer.data, size):
            self._ended.set_result(None)
            call.received(bytes(buffer.view[:size]))
            return
        call.passed(size)
        self.sent += size
        if connection.forward(buffer.view[:size]):
            buffer.renew()
        if connection.full:
            self.paused = True
            call.pause()
            self._ended.set_result(None)
