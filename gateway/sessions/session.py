"""What a handle leads to."""

from collections.abc import Sequence
from typing import NamedTuple

from gateway.program import Name, Program
from gateway.protocol.events import Head
from gateway.sessions.handles import Handles
from gateway.sessions.instance import Instance
from gateway.sessions.lifecycle import State
from gateway.sessions.quotas import NOBODY, Holders
from gateway.sessions.stencil import Stencil

Headers = Sequence[tuple[bytes, bytes]]


class Granted(NamedTuple):
    """The head of a response that was honoured, the seconds granted, the headers that were added (W3)."""

    head: Head
    seconds: float
    extra: Headers


class Session:
    """(Virtual host, cgi-name, handle) -> instance, with its deadline, counters and program.

    `rested`: when its program had answered last (monotonic); `stood`: when the clock of a session of a shared
    instance stopped last, or began anew (T1);
    `granted`: what its last response asked for and got; `user`: REMOTE_USER of the request
    that created it, the only one who may use it (W1); `bind`: the value of the cookie that its requests need
    (W2), None: none; `holders`: the user and the client who have it (L2); `slot`: its place in the shared
    table, which is the instance's own unless that is shared; `stencil`: of the frame of a request that comes
    again.

    For people: `began` (seconds since 1970), `bytes_in` (of its requests' bodies), `bytes_out` (what its
    program wrote), `busy` (seconds in which a request of it ran; one that runs is added when it is over),
    `last` (what the URL of its last request had behind the handle, of its first one behind the cgi-name,
    without query).
    """

    __slots__ = (
        "began",
        "bind",
        "busy",
        "bytes_in",
        "bytes_out",
        "deadline",
        "granted",
        "handles",
        "holders",
        "instance",
        "last",
        "name",
        "program",
        "requests",
        "rested",
        "slot",
        "stencil",
        "stood",
        "timeout",
        "user",
    )

    def __init__(self, name: Name, handles: Handles, instance: Instance, program: Program, slot: int) -> None:
        self.name = name
        self.handles = handles
        self.instance = instance
        self.program = program
        self.slot = slot
        self.user: bytes | None = None
        self.bind: bytes | None = None
        self.holders: Holders = (NOBODY, NOBODY)
        self.deadline = 0.0
        self.rested = self.stood = 0.0
        self.timeout = 0.0
        self.requests = 1
        self.granted: Granted | None = None
        self.stencil: Stencil | None = None
        self.began = self.busy = 0.0
        self.bytes_in = self.bytes_out = 0
        self.last = b""

    @property
    def id(self) -> str:
        """What people call it: the number of its instance; of a shared one with the session's slot."""
        instance = self.instance
        return str(instance.id) if instance.shared is None else f"{instance.id}.{self.slot}"

    @property
    def called(self) -> bool:
        """Whether a request of it runs or waits: its clock stands (T1)."""
        instance = self.instance
        if instance.shared is None:
            return instance.state is not State.IDLE
        return instance.shared.running == self.slot or instance.waiting(self.slot) > 0
