"""The keeper's records of its processes."""

import fcntl
import struct
import termios
from collections import deque
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.logs.session import Ending

TAIL_LINES = 20


@dataclass(slots=True)
class Child:
    """One process: the keeper's record of it. `warm`: a host that no front knows (yet);
    `sessions`: the slots of a shared instance's sessions, beside its own; `endings`: accounts that are written
    when it has been reaped; `dismissed`: its front has asked it to end, by end of file; `untold`: the tag of a
    start that its front has not heard of yet; `heard`: whether the loop watches its stderr."""

    id: int
    pid: int
    slot: int
    about: dict[str, Any]
    grace: float
    stderr: int
    output: int
    requests: int
    warm: bool = False
    sessions: set[int] = field(default_factory=set)
    endings: list[Ending] = field(default_factory=list)
    holder: Any = None
    ending: bool = False
    dismissed: bool = False
    sweep: bool = False
    exited: bool = False
    untold: int | None = None
    heard: bool = False
    line: bytes = b""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))


def unread(pipe: int) -> int:
    """Bytes that nobody has read yet (FIONREAD); none where there is no pipe."""
    if pipe < 0:
        return 0
    return int(struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, b"\0\0\0\0"))[0])


class Pipes(NamedTuple):
    """The keeper's ends of the pipes of one process, -1 where there is none; not blocking."""

    output: int
    stderr: int
    requests: int


class Place(NamedTuple):
    """What a process that a warm host is to make will have: a slot and the keeper's pipe ends."""

    slot: int
    pipes: Pipes


@dataclass(slots=True)
class Started:
    """A new instance and the pipe ends that the front needs (the caller closes `stdin`)."""

    child: Child
    stdin: int | None
