"""Server: where it listens, its names, its clocks."""

from __future__ import annotations

from gateway.directives.directive import Directive, directive
from gateway.directives.readers import lists, values
from gateway.directives.readers.addresses import Listener, ListenReader

Listen: Directive[tuple[Listener, ...]] = directive(
    "Listen",
    ListenReader(),
    default=(Listener("127.0.0.1", 8080, None, "http"),),
    contexts="S",
    origin="Apache",
    merging=lists.COLLECTED,
    help="An address and port, or a Unix socket, on which requests arrive; repeatable. A port alone is every "
    "address. `https` is TLS, as `SSLEngine On` in a host of the address is. The umask with which the gateway "
    "was started says who may connect to a Unix socket, and the folder does. Handles travel in URLs: beyond "
    "loopback use TLS.",
)
ControlSocket: Directive[str | None] = directive(
    "ControlSocket",
    values.Path("path|none", words=("none",)),
    default=None,
    contexts="S",
    origin="ours",
    paths=values.folder_of,
    help="The Unix socket by which `gateway status` and its like reach a gateway that runs; only the user who "
    "started it (and root) may. Without this line: `control` in the state directory. `none`: there is none.",
)
ServerRoot: Directive[str] = directive(
    "ServerRoot",
    values.Path("directory"),
    default="",
    contexts="S",
    origin="Apache",
    paths=values.path_itself,
    help="Where relative paths start. Without it: the folder above the directives file's.",
)
ServerName: Directive[str | None] = directive(
    "ServerName",
    values.HostName(),
    default=None,
    contexts="SV",
    origin="Apache",
    help="The name by which this (virtual) host is known. A virtual host answers requests with this Host.",
)
ServerAlias: Directive[tuple[str, ...]] = directive(
    "ServerAlias",
    lists.NameListReader(),
    default=(),
    contexts="SV",
    origin="Apache",
    merging=lists.COLLECTED,
    help="More names of a virtual host; `*` and `?` are wildcards.",
)
ServerAdmin: Directive[str | None] = directive(
    "ServerAdmin",
    values.Text("address or URL"),
    default=None,
    contexts="SV",
    origin="Apache",
    help="Whom to tell of errors: what programs get as SERVER_ADMIN.",
)
Timeout: Directive[float] = directive(
    "Timeout",
    values.Time(minimum=0.001),
    default=60.0,
    contexts="SV",
    origin="Apache",
    help="A client that gives and takes nothing for so long counts as gone (T4).",
)
GracefulShutdownTimeout: Directive[float] = directive(
    "GracefulShutdownTimeout",
    values.Time(),
    default=10.0,
    contexts="S",
    origin="Apache",
    help="How long running requests may go on when the gateway is told to stop (T5).",
)
LimitRequestBody: Directive[int] = directive(
    "LimitRequestBody",
    values.Size(),
    default=1 << 30,
    contexts="SVDL",
    origin="Apache",
    help="The longest body a request may have; more is answered with 413. 0 is no limit.",
)
