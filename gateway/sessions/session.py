"""What a handle leads to."""

from gateway.program import Name, Program
from gateway.protocol.events import Advice
from gateway.sessions.handles import Handles
from gateway.sessions.instance import Instance


class Session:
    """(Virtual host, cgi-name, handle) -> instance, with its deadline, counters and program.

    `renewed`: the advice that was honoured last, and the seconds granted; `user`: REMOTE_USER of the request
    that created it, the only one who may use it (W1).
    """

    __slots__ = ("deadline", "handles", "instance", "name", "program", "renewed", "requests", "timeout", "user")

    def __init__(self, name: Name, handles: Handles, instance: Instance, program: Program) -> None:
        self.name = name
        self.handles = handles
        self.instance = instance
        self.program = program
        self.user: bytes | None = None
        self.deadline = 0.0
        self.timeout = 0.0
        self.requests = 1
        self.renewed: tuple[Advice | None, float] = None, 0.0
