"""What is known of a CGI program under one cgi-name: made by `programs`, used by the session engine."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gateway.directives.access import Access
from gateway.directives.readers.rates import Rate
from gateway.directives.readers.setenvif import Conditions
from gateway.directives.settings import Settings
from gateway.keeper.identity import Identity
from gateway.protocol.environ import Variables, lasting
from gateway.protocol.scgi import block

Name = tuple[str, bytes]  # virtual host key, cgi-name
USER, COOKIE, NONE = "user", "cookie", "none"  # PersistentCGIBind
ProcessLimits = tuple[
    tuple[str, int | None, int | None], ...
]  # cpu, memory or processes; soft, hard; None: most


class HostGroup(NamedTuple):
    """Hosts that are kept ready (StartCGI): a name; command and environment of the host, as whom, within which
    limits; how many."""

    id: str
    argv: tuple[bytes, ...]
    environ: Variables
    identity: Identity | None
    limits: ProcessLimits
    number: int


class Limits(NamedTuple):
    """Seconds: PersistentCGITimeout and MaxPersistentCGITimeout."""

    timeout: float
    max_timeout: float


@dataclass(frozen=True, slots=True, eq=False)
class Program:
    """A CGI program under one cgi-name. Times in seconds; `environ` is what only a new process gets,
    `variables` what is the same for every request (`block`: encoded for a frame); `hosted`: run by a host,
    `ahead`: one that is ready;
    `path_info`: taken from a URL; `context`: CONTEXT_PREFIX and CONTEXT_DOCUMENT_ROOT (None: DOCUMENT_ROOT);
    `translate`: PATH_TRANSLATED of a path info; `called`: SERVER_NAME of a Host header (None: it is fixed, or
    any); `keeps_output`: for ScriptLog; `pass_auth`: CGIPassAuth;
    `steady`: equal requests have equal variables, but for UNIQUE_ID and the next handle;
    `binding`: to what its sessions are bound (W1, W2); `denied`: whether a User-Agent begins no session (L3),
    None: nobody is denied; `most_per_user`, `most_per_client` (0: no limit) and `rate` of sessions (L2);
    `warning`: seconds before a session's end, 0: none; `access`: who may call it, None: everybody; `shared`:
    one instance for at most `most_sessions` (S1)."""

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
    ahead: HostGroup | None
    identity: Identity | None
    process_limits: ProcessLimits
    keeps_output: bool = False
    conditions: Conditions = ()
    path_info: bool = True
    steady: bool = False
    shared: bool = False
    most_sessions: int = 1
    warning: float = 0.0
    binding: str = USER
    denied: Callable[[bytes], bool] | None = None
    most_per_user: int = 0
    most_per_client: int = 0
    rate: Rate | None = None
    context: tuple[str, str | None] = ("", None)
    translate: Callable[[bytes], bytes] | None = None
    called: Callable[[bytes], bytes] | None = None
    pass_auth: bool = False
    access: Access | None = None
    block: bytes = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "block", block(lasting(self.variables)))

    @property
    def about(self) -> dict[str, Any]:
        """What a front needs to know that adopts one of its instances."""
        return {"host": self.name[0], "cgi_name": self.text, "shared": self.shared}

    @property
    def cgi_name(self) -> bytes:
        """The name as written in the URL: SCRIPT_NAME."""
        return self.name[1]
