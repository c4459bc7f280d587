"""A warm host and what it was asked for: it makes processes, which are the keeper's children (P11)."""

import array
import os
import re
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.keeper.child import Child, Place
from gateway.keeper.children import Children
from gateway.keeper.loop import Loop
from gateway.keeper.spawn import Order

MOST_ASKED = 32  # at a time: so many messages fit into the socket
_MARK_BYTES = 16
_LONGEST_ANSWER = 32
_ANSWER = re.compile(rb"-?[1-9][0-9]{0,6}")  # PID_MAX_LIMIT of linux/threads.h is 4194304
_CONTROL = b"3"


class Asked(NamedTuple):
    """A process that was asked for: its end mark, what it will have."""

    mark: str
    place: Place


class Zygote:
    """Owns the control socket. `made(pid or -errno, asked)` is called for every process that was asked for.

    Its end is heard of by `Children.warm_gone` alone: one that does not keep to the agreement is ended. Raises
    OSError when it cannot be started.
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
        self.made_any = False
        self._control.setblocking(False)
        loop.reader(self._control.fileno(), self._readable)

    @property
    def asked(self) -> int:
        """How many processes are on the way."""
        return len(self._asked)

    @property
    def closed(self) -> bool:
        """Whether nothing can be asked any more: its exit follows."""
        return self._control.fileno() < 0

    def ask(self) -> None:
        """Ask for one more process; of a host that has gone the exit follows. Raises OSError."""
        mark = os.urandom(_MARK_BYTES).hex()
        place, theirs = self._children.place()
        try:
            self._send(mark, theirs)
        except (BrokenPipeError, ConnectionResetError):
            self._children.vacate(place)
            self.end()
        except OSError:
            self._children.vacate(place)
            raise
        else:
            self._asked.append(Asked(mark, place))
        finally:
            _close(theirs)

    def end(self) -> None:
        """End of file for the host: it exits. What it was asked for and has not told is dropped."""
        self.close()
        self._children.end(self.child, "eof")

    def close(self) -> None:
        """Let go of the socket and of the pipes of processes that were not told of; they end by end of file."""
        if not self.closed:
            self._loop.forget(self._control.fileno())
            self._control.close()
        while self._asked:
            self._children.vacate(self._asked.popleft().place)

    def _send(self, mark: str, descriptors: Sequence[int]) -> None:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        self._control.sendmsg([mark.encode()], [rights])

    def _readable(self) -> None:
        """An answer; end of file, or what is none, is the host's end."""
        try:
            answer = self._control.recv(_LONGEST_ANSWER)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        if not self._asked or not _ANSWER.fullmatch(answer):
            self.end()
            return
        pid = int(answer)
        self.made_any |= pid > 0
        self._made(pid, self._asked.popleft())


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
