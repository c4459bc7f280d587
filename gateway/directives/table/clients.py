"""Persistent CGI: whose sessions they are, and how many one user or client may have."""

from __future__ import annotations

from gateway.directives.directive import Directive, directive
from gateway.directives.readers import lists, values
from gateway.directives.readers.agents import BOTS, Agents, AgentsReader
from gateway.directives.readers.rates import Rate, RateReader

_CLIENT = (
    " A client is an IPv4 address or the first 64 bits of an IPv6 address, behind RemoteIPTrustedProxy the one "
    "that the proxy names; who comes by a Unix socket without such a header is not counted."
)
_LATER = " A client that is refused again and again waits up to some seconds for each answer."

MaxPersistentCGIPerUser: Directive[int] = directive(
    "MaxPersistentCGIPerUser",
    values.Integer(minimum=0),
    default=0,
    contexts="SV",
    origin="ours",
    help="How many sessions one user (REMOTE_USER) of a virtual host may have; the page of a further one is "
    "delivered, its session is not kept (L2, HTS003). 0: no limit.",
)
MaxPersistentCGIPerClient: Directive[int] = directive(
    "MaxPersistentCGIPerClient",
    values.Integer(minimum=0),
    default=0,
    contexts="SV",
    origin="ours",
    help="How many sessions one client may have, in all virtual hosts together; the page of a further one is "
    "delivered, its session is not kept (L2, HTS003). 0: no limit." + _CLIENT,
)
PersistentCGIClientRate: Directive[Rate | None] = directive(
    "PersistentCGIClientRate",
    RateReader(),
    default=None,
    contexts="SV",
    origin="ours",
    help="How many sessions one client may begin in a second or a minute, and how many at once after a rest "
    "(the burst; without it n). Beyond that a program that is known to persist is not even started: 429 with "
    "Retry-After; the page of one that is not known yet is delivered and its session not kept (HTS003). Living "
    "sessions and programs that do not persist are not concerned; a session that is asked for and not kept "
    "counts. 0: no limit." + _LATER + _CLIENT,
)
PersistentCGILookupLimit: Directive[int] = directive(
    "PersistentCGILookupLimit",
    values.Integer(minimum=0),
    default=60,
    contexts="SV",
    origin="ours",
    help="How many pages about sessions that are over (R4) one client gets in a minute; then 429 with "
    "Retry-After (W4). Living sessions always pass. 0: no limit." + _LATER + _CLIENT,
)
PersistentCGIBind: Directive[str] = directive(
    "PersistentCGIBind",
    values.Choice(("user", "cookie", "none")),
    default="user",
    contexts="SVD",
    origin="ours",
    help="To what a session is bound besides its handle: `user`, the REMOTE_USER who began it (W1); `cookie`, "
    "that and a cookie of the browser, so that a URL that has leaked opens nothing (W2); `none`, nothing: "
    "whoever has the URL and passes Require. Others get 403 (HTS005), the session goes on. The cookie is "
    "the gateway's own: HttpOnly, SameSite=Lax, under TLS Secure, for its URLs only, never shown to it.",
)
PersistentCGIDeny: Directive[Agents] = directive(
    "PersistentCGIDeny",
    AgentsReader(),
    default=BOTS,
    contexts="SVD",
    origin="ours",
    merging=lists.COLLECTED,
    help="Clients whose User-Agent matches one of these regular expressions, in any letter case, begin no "
    "session: their page is delivered, the process not kept; at a living session they get 403, and it goes on "
    "(L3). Without this line: common robots. `none`: everybody may.",
)
