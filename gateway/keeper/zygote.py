"""A warm host and what it was asked for: it makes processes, which are the keeper's children (P11)."""

import array
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.keeper.children import Child, Children, Pipes
from gateway.keeper.loop import Loop
from gateway.keeper.spawn import Order

MOST_ASKED = 32  # at a time: so many messages fit into the socket
_MARK_BYTES = 16
_ANSWER = 32
_CONTROL = b"3"


class Asked(NamedTuple):
    """A process that was asked for: its end mark, the keeper's pipe ends."""

    mark: str
    pipes: Pipes


class Zygote:
    """Owns the control socket. `made(pid or -errno, asked)` is called for every process that was asked for.

    Its end is heard of by `Children.warm_gone` alone. Raises OSError when it cannot be started.
    """

    def __init__(
        self, order: Order, children: Children, loop: Loop, grace: float, made: Callable[[int, Asked], None]
    ) -> None:
        self._children, self._loop, self._made = children, loop, made
        self._asked: deque[Asked] = deque()
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            environ = {**order.environ, b"HTSESSION_WARM": _CONTROL}
            try:
                warm = order._replace(environ=environ)
                self.child: Child = children.start_host(warm, theirs.fileno(), grace)
            except OSError:
                self._control.close()
                raise
        self._control.setblocking(False)
        loop.reader(self._control.fileno(), self._readable)

    @property
    def asked(self) -> int:
        """How many processes are on the way."""
        return len(self._asked)

    def ask(self) -> None:
        """Ask for one more process. Raises OSError."""
        mark = os.urandom(_MARK_BYTES).hex()
        pipes, theirs = self._children.pipes()
        try:
            self._send(mark, theirs)
        except OSError:
            _close(pipes)
            raise
        finally:
            _close(theirs)
        self._asked.append(Asked(mark, pipes))

    def end(self) -> None:
        """End of file for the host: it exits. What it was asked for and has not told is dropped."""
        self.close()
        self._children.end(self.child, "eof")

    def close(self) -> None:
        """Let go of the socket and of the pipes of processes that were not told of; they end by end of file."""
        if self._control.fileno() >= 0:
            self._loop.forget(self._control.fileno())
            self._control.close()
        while self._asked:
            _close(self._asked.popleft().pipes)

    def _send(self, mark: str, descriptors: Sequence[int]) -> None:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        self._control.sendmsg([mark.encode()], [rights])

    def _readable(self) -> None:
        """An answer, or end of file: the host's exit follows."""
        try:
            answer = self._control.recv(_ANSWER)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        if self._asked and answer.lstrip(b"-").isdigit():
            self._made(int(answer), self._asked.popleft())
        else:
            self.close()


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
