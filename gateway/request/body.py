"""A request's body: taken whole into memory, spooled, or streamed (B3, P10)."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from typing import IO, Any

from gateway.errors import BodyTooLarge, ClientGone, LengthRequired

MEMORY = 1 << 20  # bytes of a body that are taken whole before a session is claimed (B3)
_PIECE = 65536
_LAST_LOOK = 0.1  # seconds: a front that stood still has not read what came meanwhile
_MOST_DIGITS = 18

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Body:
    """`length` in bytes; None until a chunked body has been spooled. `close` ends the spool file."""

    length: int | None = 0
    _limit = _missing = 0
    _memory = b""
    _spool: IO[bytes] | None = None
    _patience: float | None = None

    def __init__(self, headers: Iterable[tuple[bytes, bytes]], receive: Receive) -> None:
        """Raises LengthRequired."""
        self._receive = receive
        for name, value in headers:
            if name == b"content-length":
                self.length = self._missing = _number(value)
            elif name == b"transfer-encoding":
                self.length = None

    @classmethod
    def taken(cls, data: bytes) -> "Body":
        """One that has come whole."""
        body = cls((), _nothing)
        body._memory, body.length = data, len(data)
        return body

    def restrict(self, limit: int) -> None:
        """Set LimitRequestBody, 0 is none. Raises BodyTooLarge."""
        self._limit = limit
        self._check(self.length or 0)

    @property
    def missing(self) -> int:
        """How many bytes of the body are still with the client."""
        return self._missing

    def skip(self, count: int) -> None:
        """So many of the missing bytes went another way."""
        self._missing -= count

    async def take(self, memory: int, patience: float, *, spool: bool = False) -> None:
        """Take a body of up to `memory` bytes whole; spool one of unknown length; leave others, or (`spool`)
        spool them too. Raises BodyTooLarge, ClientGone, and TimeoutError when nothing comes for `patience`
        seconds."""
        self._patience = patience
        if self.length is None or (spool and self._missing > memory):
            await self._take_by_spool()
        elif 0 < self._missing <= memory:
            pieces = []
            while self._missing:
                pieces.append(await self._next())
            self._memory = b"".join(pieces)
        self._patience = None

    @property
    def in_memory(self) -> bytes:
        """What was taken into memory."""
        return self._memory

    @property
    def whole(self) -> bool:
        """Whether `in_memory` is all of it."""
        return self._spool is None and not self._missing

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body that is not in memory, piece by piece. Raises ClientGone."""
        if self._spool is not None:
            while piece := self._spool.read(_PIECE):
                yield piece
        while self._missing:
            yield await self._next()

    def close(self) -> None:
        """Remove the spool file."""
        if self._spool is not None:
            self._spool.close()
            self._spool = None

    async def _take_by_spool(self) -> None:
        spool = tempfile.SpooledTemporaryFile(max_size=MEMORY)  # noqa: SIM115 - closed by `close`
        self._spool = spool
        length, more = 0, True
        while more:
            message = await self._message()
            piece, more = message.get("body", b""), message.get("more_body", False)
            length += len(piece)
            self._check(length)
            spool.write(piece)
        spool.seek(0)
        self.length, self._missing = length, 0
        if length <= MEMORY:
            self._memory = spool.read()
            self.close()

    async def _next(self) -> bytes:
        message = await self._message()
        piece: bytes = message.get("body", b"")
        self._missing -= len(piece)
        if not message.get("more_body", False):
            self._missing = 0
        return piece

    async def _message(self) -> MutableMapping[str, Any]:
        try:
            async with asyncio.timeout(self._patience):
                message = await self._receive()
        except TimeoutError:
            async with asyncio.timeout(_LAST_LOOK):
                message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        return message

    def _check(self, length: int) -> None:
        if self._limit and length > self._limit:
            raise BodyTooLarge(f"a body of {length} bytes or more, LimitRequestBody is {self._limit}")


async def _nothing() -> MutableMapping[str, Any]:
    return {"type": "http.disconnect"}


NO_BODY = Body.taken(b"")  # one for all requests that have none: nothing of it changes


def _number(value: bytes) -> int:
    if not value.isdigit() or len(value) > _MOST_DIGITS:
        raise LengthRequired(f"Content-Length: expected a number, found {value[:40]!r}")
    return int(value)
