"""Large bodies of known length: between pipe and socket by splice(2), without a copy in this process."""

import asyncio
import os

from gateway.request.incoming import Connection
from gateway.sessions.call import Call

LARGE = 1 << 18  # bytes of a body that are still to come
_LEAST = 16384  # bytes that are worth a splice
_FLAGS = os.SPLICE_F_MOVE | os.SPLICE_F_NONBLOCK | os.SPLICE_F_MORE


class Download:
    """The body of a response on its way to a bare socket, as far as its Content-Length promises bytes.

    All but the last bytes in the pipe go unread: an end mark that comes too early is the last thing that a
    program writes, so it is looked for there (P1, P4). `ended` is done when the parser has to go on, or when
    nothing more can go. Owns the descriptor until `close`.
    """

    def __init__(
        self, call: Call, connection: Connection, descriptor: int, ended: "asyncio.Future[None]"
    ) -> None:
        self._call, self._connection, self._descriptor = call, connection, descriptor
        self._ended, self._loop = ended, ended.get_loop()
        self._reader = call.exchange.reader
        self._moved, self._rest, self._waits = 0, b"", False
        call.instance.divert(self._move)

    def close(self) -> int:
        """Give pipe and socket back; returns how many bytes went."""
        self._call.instance.divert(None)
        if self._waits:
            self._loop.remove_writer(self._descriptor)
            self._call.resume()
        os.close(self._descriptor)
        self._connection.covered(self._rest)
        return self._moved

    def _move(self) -> None:
        if self._ended.done():
            return
        try:
            self._write()
            there = min(self._call.instance.available(), self._reader.promised)
            if there > _LEAST:
                there -= self._splice(there - self._reader.tail)
            if there <= _LEAST:
                self._read(there)
        except BlockingIOError:
            self._waits = True
            self._call.pause()
            self._loop.add_writer(self._descriptor, self._writable)
        except OSError:
            self._connection.abort()
            self._end()

    def _writable(self) -> None:
        self._waits = False
        self._loop.remove_writer(self._descriptor)
        self._call.resume()
        self._move()

    def _splice(self, count: int) -> int:
        moved = os.splice(self._call.instance.output, self._descriptor, count, flags=_FLAGS)
        self._connection.sent += moved
        self._count(moved)
        return moved

    def _read(self, count: int) -> None:
        """Read so many bytes, and send them when they are of the body; at the end of file, of the body or at
        an end mark it is the parser's turn."""
        data = os.read(self._call.instance.output, count) if count else b""
        if data and self._reader.is_body(data):
            self._count(len(data))
            self._rest = data
            self._write()
            return
        self._end()
        if data:
            self._call.received(data)

    def _write(self) -> None:
        if self._rest:
            written = os.write(self._descriptor, self._rest)
            self._connection.sent += written
            self._rest = self._rest[written:]

    def _count(self, count: int) -> None:
        self._moved += count
        self._call.passed(count)

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)
