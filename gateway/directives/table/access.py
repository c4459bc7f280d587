"""Access: who may come in, and whose address a request has."""

from __future__ import annotations

from gateway.directives.directive import Directive, directive
from gateway.directives.readers import controlling, hostrules, proxies, requirements, requiring, users, values
from gateway.directives.readers.hostrules import HostRules
from gateway.directives.readers.requirements import Rules

Require: Directive[Rules] = directive(
    "Require",
    requiring.RequireReader(),
    default=Rules(),
    contexts="DLF",
    origin="Apache",
    merging=requirements.MERGED,
    help="Who is let in; one of several lines is enough, unless they stand in `<RequireAll>`. Without any: "
    "everybody. `ip`: `10.1`, `10.1.0.0/16`, `2001:db8::/32`; `local`: from this machine; `method GET` is HEAD "
    "too; `env`: one of these variables is set for the request, by SetEnvIf or BrowserMatch (SetEnv comes too "
    "late, as in Apache).",
)
AuthMerging: Directive[Rules] = directive(
    "AuthMerging",
    requiring.MergingReader(),
    default=Rules(),
    contexts="DLF",
    origin="Apache",
    merging=requirements.MERGED,
    into=Require,
    help="How the Require lines of this section join those of the outer one: `Off` (so it is without this "
    "line) they replace them, `And` both must let in, `Or` one of them.",
)
AuthType: Directive[str | None] = directive(
    "AuthType",
    users.AuthTypeReader(),
    default=None,
    contexts="DLF",
    origin="Apache",
    help="`Basic`: users say who they are with name and password where a Require asks for it. Use TLS: both "
    "travel in plain text. `None` takes it back.",
)
AuthName: Directive[str | None] = directive(
    "AuthName",
    users.RealmReader(),
    default=None,
    contexts="DLF",
    origin="Apache",
    help="What the browser shows when it asks for name and password.",
)
AuthUserFile: Directive[str | None] = directive(
    "AuthUserFile",
    values.Path("file"),
    default=None,
    contexts="DLF",
    origin="Apache",
    paths=values.path_itself,
    help="The names and passwords, as Apache's `htpasswd` writes them: bcrypt, apr1, SHA-1, SHA-256, SHA-512, "
    "crypt. A change counts from the next request on.",
)
AuthGroupFile: Directive[str | None] = directive(
    "AuthGroupFile",
    values.Path("file"),
    default=None,
    contexts="DLF",
    origin="Apache",
    paths=values.path_itself,
    help="The groups of `Require group`: lines `group: user user`. A change counts from the next request on.",
)
AuthBasicProvider: Directive[str] = directive(
    "AuthBasicProvider",
    users.ProviderReader(),
    default="file",
    contexts="DLF",
    origin="Apache",
    help="Where the passwords are: `file` is the one that there is.",
)
Order: Directive[HostRules] = directive(
    "Order",
    hostrules.OrderReader(),
    default=hostrules.NOTHING,
    contexts="DLF",
    origin="Apache",
    merging=hostrules.MERGED,
    help="Apache 2.2's access by address: which of Deny and Allow has the last word, and what holds for those "
    "whom neither names (`deny,allow`: let in). Stands beside Require: both must let in (Satisfy).",
)
Allow: Directive[HostRules] = directive(
    "Allow",
    hostrules.FromReader(denies=False),
    default=hostrules.NOTHING,
    contexts="DLF",
    origin="Apache",
    merging=hostrules.MERGED,
    into=Order,
    help="Addresses that are let in (Order). `env=name`: requests with this variable, `env=!name`: without; "
    "SetEnvIf or BrowserMatch set it (SetEnv comes too late, as in Apache).",
)
Deny: Directive[HostRules] = directive(
    "Deny",
    hostrules.FromReader(denies=True),
    default=hostrules.NOTHING,
    contexts="DLF",
    origin="Apache",
    merging=hostrules.MERGED,
    into=Order,
    help="Addresses, and requests with or without a variable, that are kept out (Order, Allow).",
)
Satisfy: Directive[HostRules] = directive(
    "Satisfy",
    hostrules.SatisfyReader(),
    default=hostrules.NOTHING,
    contexts="DLF",
    origin="Apache",
    merging=hostrules.MERGED,
    into=Order,
    help="`any`: either Order, Allow and Deny or Require let in. `all`, and without this line: both must.",
)
ServerStatusControl: Directive[Rules] = directive(
    "ServerStatusControl",
    controlling.ControlReader(),
    default=controlling.NOBODY,
    contexts="SVDL",
    origin="ours",
    merging=controlling.MERGED,
    help="Who may end and extend sessions on the status page (`SetHandler server-status`), of those whom "
    "Require lets see it; `none`: nobody. One of several lines is enough; an inner section's replace the "
    "outer's. For `user`, `group` and `valid-user` the place has AuthType, AuthName and AuthUserFile. Without "
    "a `SetHandler server-status` in the file, and without a section of its own for it, `/server-status` is "
    "that page, for requests from this machine that came through no proxy (`gateway dump` shows the lines); a "
    "program at this URL is not reached. `SetHandler None` in `<Location /server-status>` switches it off.",
)
CGIPassAuth: Directive[str] = directive(
    "CGIPassAuth",
    values.Choice(("On", "Off")),
    default="Off",
    contexts="DLF",
    origin="Apache",
    help="`On`: programs see the header Authorization, as HTTP_AUTHORIZATION, and check it themselves.",
)
RemoteIPHeader: Directive[str | None] = directive(
    "RemoteIPHeader",
    proxies.HeaderReader(),
    default=None,
    contexts="SV",
    origin="Apache",
    help="The header in which a trusted proxy names the client (X-Forwarded-For): REMOTE_ADDR, the logs and "
    "`Require ip` then see that one. Of several addresses the last counts that is not a trusted proxy's.",
)
RemoteIPTrustedProxy: Directive[proxies.Proxies] = directive(
    "RemoteIPTrustedProxy",
    proxies.ProxyReader(internal=False),
    default=proxies.Proxies(),
    contexts="SV",
    origin="Apache",
    merging=proxies.MERGED,
    help="Proxies whose RemoteIPHeader is believed, but for private addresses. Without this line and "
    "RemoteIPInternalProxy only a proxy on a Unix socket is believed.",
)
RemoteIPInternalProxy: Directive[proxies.Proxies] = directive(
    "RemoteIPInternalProxy",
    proxies.ProxyReader(internal=True),
    default=proxies.Proxies(),
    contexts="SV",
    origin="Apache",
    merging=proxies.MERGED,
    into=RemoteIPTrustedProxy,
    help="Proxies whose RemoteIPHeader is believed, private addresses included.",
)
