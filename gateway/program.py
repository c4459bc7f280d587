"""What is known of a CGI program under one cgi-name: made by `programs`, used by the session engine."""

from dataclasses import dataclass, field
from typing import NamedTuple

from gateway.directives.settings import Settings
from gateway.protocol.environ import Variables, lasting
from gateway.protocol.scgi import block

Name = tuple[str, bytes]  # virtual host key, cgi-name


class Limits(NamedTuple):
    """Seconds: PersistentCGITimeout and MaxPersistentCGITimeout."""

    timeout: float
    max_timeout: float


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A CGI program under one cgi-name. Times in seconds; `environ` is what only a new process gets,
    `variables` what is the same for every request (`block`: encoded for a frame); `hosted`: run by a host."""

    name: Name
    settings: Settings
    text: str
    file: str
    argv: tuple[bytes, ...]
    directory: bytes
    environ: Variables
    variables: Variables
    limits: Limits
    previous_handles: int
    queue: int
    queue_timeout: float
    script_timeout: float
    timeout: float
    grace: float
    fresh_when_expired: bool
    body_limit: int
    hosted: bool
    nph: bool
    block: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "block", block(lasting(self.variables)))

    @property
    def cgi_name(self) -> bytes:
        """The name as written in the URL: SCRIPT_NAME."""
        return self.name[1]
