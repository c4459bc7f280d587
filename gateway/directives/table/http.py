"""HTTP: what a request's head may hold, how long a connection lasts, how fast clients have to be."""

from __future__ import annotations

from gateway.directives.directive import Directive, directive
from gateway.directives.readers import lists, pace, values
from gateway.directives.readers.pace import Paces

_EARLY = (
    " It works before the name of a virtual host is known: of those with one address the first one's value "
    "counts, as in Apache."
)

LimitRequestLine: Directive[int] = directive(
    "LimitRequestLine",
    values.Size(minimum=1),
    default=8190,
    contexts="SV",
    origin="Apache",
    help="The longest request line, method and version included; a longer one is answered with 414." + _EARLY,
)
LimitRequestFieldSize: Directive[int] = directive(
    "LimitRequestFieldSize",
    values.Size(minimum=1),
    default=8190,
    contexts="SV",
    origin="Apache",
    help="The longest header line of a request; a longer one is answered with 431." + _EARLY,
)
LimitRequestFields: Directive[int] = directive(
    "LimitRequestFields",
    values.Integer(minimum=0),
    default=100,
    contexts="SV",
    origin="Apache",
    help="How many header lines a request may have; more are answered with 431. 0: as many as fit into 1 MiB."
    + _EARLY,
)
KeepAlive: Directive[str] = directive(
    "KeepAlive",
    values.Choice(("On", "Off")),
    default="On",
    contexts="SV",
    origin="Apache",
    help="Whether a connection serves more than one request." + _EARLY,
)
KeepAliveTimeout: Directive[float] = directive(
    "KeepAliveTimeout",
    values.Time(minimum=0.001),
    default=5.0,
    contexts="SV",
    origin="Apache",
    help="How long a connection is kept open for its next request (to the second)." + _EARLY,
)
MaxKeepAliveRequests: Directive[int] = directive(
    "MaxKeepAliveRequests",
    values.Integer(minimum=0),
    default=0,
    contexts="SV",
    origin="Apache",
    help="How many requests a connection serves. 0, the default here, is no limit (Apache's is 100)." + _EARLY,
)
RequestReadTimeout: Directive[Paces] = directive(
    "RequestReadTimeout",
    pace.PaceReader(),
    default=pace.PACES,
    contexts="SV",
    origin="Apache",
    merging=lists.UPDATED,
    help="How long a client may take to send a head or a body, and one second more for every MinRate bytes, up "
    "to the second time; then 408, or a mere close when nothing was sent or an answer has begun. 0 is no "
    "limit. What is not named keeps its default. Time in which the gateway does not read, since a program is "
    "slow, does not count." + _EARLY,
)
SessionLane: Directive[str] = directive(
    "SessionLane",
    values.Choice(("On", "Off")),
    default="On",
    contexts="S",
    origin="ours",
    help="Requests to living sessions, and those that start a program, are passed on between socket and pipes "
    "directly where nothing else has to be waited for, which costs a part of the way that all others take. "
    "What programs and clients see is the same; `Off` is there to find out whether it is.",
)
MaxConnections: Directive[int] = directive(
    "MaxConnections",
    values.Integer(minimum=1),
    default=4096,
    contexts="S",
    origin="ours",
    help="How many clients may be connected to a front process; more get a short 503 with Retry-After. "
    "When all are taken, idle connections of the address that has the most give way to clients from elsewhere. "
    "Lowered, with a line in the log, where the limit of open files (RLIMIT_NOFILE) does not allow as many. "
    "Sessions need no reserve: they wait in their processes, not in a connection.",
)
