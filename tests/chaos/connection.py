"""One keep-alive connection of a visitor; h11 reads HTTP, which is strict and not the gateway's own parser."""

from __future__ import annotations

import asyncio

import h11

from tests.chaos.book import Answer

BOUND = 60.0  # seconds after which an answer counts as missing


class Cut(Exception):
    """The connection ended before the answer was whole; `stale`: it had been kept alive, and nothing came."""

    def __init__(self, text: str, *, stale: bool) -> None:
        super().__init__(text)
        self.stale = stale


class Connection:
    """Made when it is needed, kept as long as the server keeps it."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._http = h11.Connection(h11.CLIENT)
        self._writer: asyncio.StreamWriter | None = None
        self._reader = asyncio.StreamReader()

    async def ask(self, method: str, target: str, body: bytes = b"") -> Answer:
        """One request and its whole answer. Raises Cut, ConnectionRefusedError, TimeoutError."""
        used = self._writer is not None
        heads = [("Host", "localhost"), ("Content-Length", str(len(body)))]
        got: list[h11.Event] = []
        try:
            async with asyncio.timeout(BOUND):
                writer = self._writer or await self._connect()
                writer.write(self._sent(h11.Request(method=method, target=target, headers=heads)))
                writer.write(self._sent(h11.Data(data=body)) + self._sent(h11.EndOfMessage()))
                await writer.drain()
                await self._read(got)
        except (OSError, h11.RemoteProtocolError) as error:
            self.close()
            if isinstance(error, TimeoutError | ConnectionRefusedError):
                raise
            raise Cut(f"{target}: {error!r} after {got[:1]}", stale=used and not got) from None
        if self._http.our_state is h11.MUST_CLOSE:
            self.close()
        else:
            self._http.start_next_cycle()
        head = next(event for event in got if isinstance(event, h11.Response))
        reason = dict(head.headers).get(b"x-htsession-ended")
        page = b"".join(bytes(event.data) for event in got if isinstance(event, h11.Data))
        return Answer(head.status_code, None if reason is None else reason.decode(), page)

    def close(self) -> None:
        """Let the connection go."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    async def _connect(self) -> asyncio.StreamWriter:
        self._http = h11.Connection(h11.CLIENT)
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self._writer

    def _sent(self, event: h11.Event) -> bytes:
        return self._http.send(event) or b""

    async def _read(self, got: list[h11.Event]) -> None:
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(65536))
            elif isinstance(event, h11.EndOfMessage):
                return
            elif isinstance(event, h11.ConnectionClosed):
                raise ConnectionResetError("end of file")
            elif isinstance(event, h11.Event):
                got.append(event)
