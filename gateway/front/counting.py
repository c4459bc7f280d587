"""Connections whose bytes are counted, for access logs that ask for them (`%I`, `%O`, `%S`)."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from gateway.front.lane import Lane


class _Counted:
    """A transport that counts what is written to it."""

    def __init__(self, transport: asyncio.Transport, connection: "CountingProtocol") -> None:
        self._transport, self._connection = transport, connection

    def write(self, data: bytes) -> None:
        """Write, and count."""
        self._connection.sent += len(data)
        self._transport.write(data)

    def writelines(self, parts: Sequence[bytes | memoryview]) -> None:
        """Write in one piece, and count."""
        self._connection.sent += sum(map(len, parts))
        self._transport.writelines(parts)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)


class CountingProtocol(Lane):
    """Counts both ways; everything that is written goes through `write` of the transport. `all_received` and
    `all_sent` are of the connections that are closed."""

    all_received: ClassVar[int] = 0
    all_sent: ClassVar[int] = 0

    def connection_made(self, transport: Any) -> None:
        """Put the counting transport in between."""
        super().connection_made(_Counted(transport, self))

    def connection_lost(self, exc: Exception | None) -> None:
        """Add to those that are closed."""
        super().connection_lost(exc)
        CountingProtocol.all_received += self.received
        CountingProtocol.all_sent += self.sent

    def data_received(self, data: bytes) -> None:
        """Count before it is parsed."""
        self.received += len(data)
        super().data_received(data)
