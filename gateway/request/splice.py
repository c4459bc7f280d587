"""Large responses of known length: from pipe to socket by splice(2), without a copy in this process."""

import asyncio
import contextlib
import fcntl
import os

from gateway.request.incoming import Connection
from gateway.sessions.call import Call
from gateway.sessions.instance import BULK_SIZE

LARGE = 1 << 18  # bytes of a body that are still to come
_LEAST = 16384  # bytes that are worth a splice
_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK


class Download:
    """The body of a response on its way to a bare socket, as far as its Content-Length promises bytes.

    All but the last bytes in the pipe go unread: an end mark that comes too early is the last thing that a
    program writes, so it is looked for there (P1, P4). `ended` is done when the parser has to go on, or when
    nothing more can go. Owns the socket's descriptor until `close`, and a pipe in between: the program can
    write while the socket takes, which has the pipe that it takes from for itself.
    """

    def __init__(
        self, call: Call, connection: Connection, descriptor: int, ended: "asyncio.Future[None]"
    ) -> None:
        """Raises OSError."""
        self._call, self._connection, self._socket = call, connection, descriptor
        self._ended, self._loop = ended, ended.get_loop()
        self._reader = call.exchange.reader
        self._held = self._sent = 0
        self._waits = False
        self._out, self._in = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        with contextlib.suppress(OSError):
            fcntl.fcntl(self._in, fcntl.F_SETPIPE_SZ, BULK_SIZE)
        call.instance.divert(self._move)

    def close(self) -> int:
        """Give pipe and socket back; returns how many bytes went."""
        self._call.instance.divert(None)
        if self._waits:
            self._loop.remove_writer(self._socket)
            self._call.resume()
        for descriptor in (self._out, self._in, self._socket):
            os.close(descriptor)
        self._connection.covered()
        return self._sent

    def _move(self) -> None:
        if self._ended.done():
            return
        try:
            if not self._held:
                self._pull()
            if self._held:
                sent = os.splice(self._out, self._socket, self._held, flags=_FLAGS)
                self._held -= sent
                self._sent += sent
                self._connection.sent += sent
        except BlockingIOError:
            self._waits = True
            self._call.pause()
            self._loop.add_writer(self._socket, self._writable)
        except OSError:
            self._connection.abort()
            self._end()

    def _writable(self) -> None:
        self._waits = False
        self._loop.remove_writer(self._socket)
        self._call.resume()
        self._move()

    def _pull(self) -> None:
        """Take what the program has written; at an end mark, and at the end of the body or of the file, it is
        the parser's turn."""
        call, output = self._call, self._call.instance.output
        there = min(call.instance.available(), self._reader.promised)
        if there > _LEAST:
            self._take(os.splice(output, self._in, there - self._reader.tail, flags=_FLAGS))
            return
        data = os.read(output, there) if there else b""
        if data and self._reader.is_body(data):
            self._take(os.write(self._in, data))
            return
        self._end()
        if data:
            call.received(data)

    def _take(self, count: int) -> None:
        self._held += count
        self._call.passed(count)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
