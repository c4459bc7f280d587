"""Accepts connections, and gives every address its turn when they come faster than they can be served."""

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable

_AT_ONCE = 128  # connections that are accepted before others get their turn
_MADE_AT_ONCE = 4  # of those, how many begin before others get their turn
_MOST_WAITING = 1024  # beyond these whoever has the most loses one
_CROWDED = 16  # connections that the kernel holds ready
_PAUSE = 0.5  # seconds, when no descriptor is free
_READY = slice(24, 28)  # tcpi_unacked within struct tcp_info: of a listening socket, who waits to be accepted

Begin = Callable[[socket.socket], Awaitable[object]]
ShutsOut = Callable[[str | None], bool]


class Turns:
    """Those who were accepted from one socket and wait; `begin` makes each a connection, in a task. They are
    taken address by address, so that nobody's thousand connections stand before another's one.
    """

    def __init__(self, sock: socket.socket, begin: Begin, most: int, shuts_out: ShutsOut) -> None:
        """`most`: how many more connections than are made there are descriptors for. `shuts_out`: whether a
        connection from an address would only be cut."""
        self._most = min(most, _MOST_WAITING)
        self._shuts_out = shuts_out
        self._sock, self._begin = sock, begin
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[object, deque[socket.socket]] = {}
        self._count = 0
        self._beginning: set[asyncio.Task[None]] = set()
        sock.setblocking(False)

    @property
    def busy(self) -> bool:
        """Whether there are connections that are not made yet."""
        return bool(self._waiting or self._beginning)

    def accept(self) -> bool:
        """Take all who are there; False when no descriptor is free (accept(2))."""
        begins = not self._waiting  # else it has a turn already
        enough = self._accept_all()
        if begins and self._waiting:
            self._take_turns()
        return enough

    def _accept_all(self) -> bool:
        for _ in range(_AT_ONCE):
            try:
                sock, address = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return True  # another front was quicker, or the client has left
            except OSError:
                return False
            origin = address[0] if address else None
            if self._shuts_out(origin):
                sock.close()
                continue
            self._waiting.setdefault(origin, deque()).append(sock)
            self._count += 1
            if self._count > self._most:
                self._refuse_one()
        return True

    def _refuse_one(self) -> None:
        greediest = max(self._waiting, key=lambda address: len(self._waiting[address]))
        self._waiting[greediest].pop().close()
        self._count -= 1

    def _take_turns(self) -> None:
        """Begin one connection of each address, round after round."""
        for _ in range(_MADE_AT_ONCE):
            address = next(iter(self._waiting))
            queue = self._waiting.pop(address)
            task = self._loop.create_task(self._made(queue.popleft()))
            self._beginning.add(task)
            task.add_done_callback(self._beginning.discard)
            self._count -= 1
            if queue:
                self._waiting[address] = queue  # behind the others
            if not self._waiting:
                return
        self._loop.call_soon(self._take_turns)

    async def _made(self, sock: socket.socket) -> None:
        try:
            sock.setblocking(False)
            await self._begin(sock)
        except OSError:  # the client has left
            sock.close()


class Acceptor(Turns):
    """Accepts everybody itself, from now on."""

    def __init__(self, sock: socket.socket, begin: Begin, most: int, shuts_out: ShutsOut) -> None:
        super().__init__(sock, begin, most, shuts_out)
        self._closed = False
        self._listen()

    def close(self) -> None:
        """Accept no more; what was accepted goes on."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._sock)

    def _listen(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._sock, self._readable)

    def _readable(self) -> None:
        if not self.accept():  # other connections give some back
            self._loop.remove_reader(self._sock)
            self._loop.call_later(_PAUSE, self._listen)


class Relieved(Turns):
    """The loop's own server, which is quicker for each connection but takes one a turn of the loop, first come,
    first served: when many wait they are taken from it, and served in turn."""

    def __init__(
        self,
        sock: socket.socket,
        begin: Begin,
        most: int,
        shuts_out: ShutsOut,
        made: Callable[[], asyncio.Protocol],
    ) -> None:
        super().__init__(sock, begin, most, shuts_out)
        self._made_by_loop, self._is_tcp = made, sock.family != socket.AF_UNIX
        self._server: asyncio.Server | None = None

    async def listen(self, backlog: int) -> "Relieved":
        """Accept from now on."""
        self._server = await self._loop.create_server(self._next, sock=self._sock, backlog=backlog)
        return self

    def close(self) -> None:
        """Accept no more; what was accepted goes on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def _next(self) -> asyncio.Protocol:
        if self._is_tcp and self._server is not None and self._crowded():
            self.accept()
        return self._made_by_loop()

    def _crowded(self) -> bool:
        info = self._sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _READY.stop)
        return int.from_bytes(info[_READY], "little") > _CROWDED
