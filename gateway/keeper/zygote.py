"""A warm host and what it was asked for: it makes processes, which are the keeper's children (P11)."""

import array
import os
import re
import socket
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from gateway.keeper.child import Child, Place
from gateway.keeper.children import Children
from gateway.keeper.loop import Loop
from gateway.keeper.spawn import Order

MOST_ASKED = 32  # at a time: so many messages fit into the socket
MOST_IN_MESSAGE = 8  # the hosts have room for so many
_MARK_BYTES = 16
_LONGEST_ANSWER = 256
_ANSWER = re.compile(rb"-?[1-9][0-9]{0,6}( -?[1-9][0-9]{0,6})*")  # PID_MAX_LIMIT of linux/threads.h is 4194304
_CONTROL = b"3"


class Asked(NamedTuple):
    """A process that was asked for: its end mark, what it will have."""

    mark: str
    place: Place


Made = tuple[int, Asked]


class Zygote:
    """Owns the control socket. `made` gets what the host has told at a time: a pid or -errno for each process
    that was asked for.

    Its end is heard of by `Children.warm_gone` alone: one that does not keep to the agreement is ended. Raises
    OSError when it cannot be started.
    """

    def __init__(
        self, order: Order, children: Children, loop: Loop, grace: float, made: Callable[[list[Made]], None]
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

    def ask(self, number: int) -> None:
        """Ask for so many more processes, as far as there is room, MOST_IN_MESSAGE at the most; of a host that
        has gone the exit follows. Raises OSError when there is room for none."""
        asked: list[Asked] = []
        theirs: list[int] = []
        try:
            self._find_room(min(number, MOST_IN_MESSAGE), asked, theirs)
            self._send(" ".join(one.mark for one in asked), theirs)
        except (BrokenPipeError, ConnectionResetError):
            self._vacate(asked)
            self.end()
        except OSError:
            self._vacate(asked)
            raise
        else:
            self._asked.extend(asked)
        finally:
            _close(theirs)

    def _find_room(self, number: int, asked: list[Asked], theirs: list[int]) -> None:
        for _ in range(number):
            try:
                place, ends = self._children.place()
            except OSError:
                if asked:
                    return
                raise
            asked.append(Asked(os.urandom(_MARK_BYTES).hex(), place))
            theirs += ends

    def _vacate(self, asked: Iterable[Asked]) -> None:
        for one in asked:
            self._children.vacate(one.place)

    def end(self) -> None:
        """End of file for the host: it exits. What it was asked for and has not told is dropped."""
        self.close()
        self._children.end(self.child, "eof")

    def close(self) -> None:
        """Let go of the socket and of the pipes of processes that were not told of; they end by end of file."""
        if not self.closed:
            self._loop.forget(self._control.fileno())
            self._control.close()
        self._vacate(self._asked)
        self._asked.clear()

    def _send(self, marks: str, descriptors: Sequence[int]) -> None:
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))
        self._control.sendmsg([marks.encode()], [rights])

    def _readable(self) -> None:
        """An answer: numbers with blanks between them. End of file, or what is none, is the host's end."""
        try:
            answer = self._control.recv(_LONGEST_ANSWER)
        except BlockingIOError:
            return
        except OSError:
            answer = b""
        pids = [int(number) for number in answer.split()] if _ANSWER.fullmatch(answer) else []
        if not 0 < len(pids) <= len(self._asked):
            self.end()
            return
        self.made_any |= max(pids) > 0
        self._made([(pid, self._asked.popleft()) for pid in pids])


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
