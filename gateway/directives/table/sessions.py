"""Persistent CGI: sessions and their limits."""

from __future__ import annotations

from collections.abc import Mapping

from gateway import hosts
from gateway.directives.directive import Directive, directive
from gateway.directives.readers import lists, values
from gateway.directives.readers.lists import HostChoice
from gateway.directives.readers.processes import Ahead, AheadReader

_RECYCLING = "CGIRecyclePersist On has no effect yet: every session gets a process of its own"
_NO_PROFILE = "the user {} has no effect here: hosts run as the user of the programs that they start"
HOST_KINDS: Mapping[str, tuple[str, ...]] = dict.fromkeys(hosts.KINDS, hosts.OPTIONS)

MaxPersistentCGI: Directive[int] = directive(
    "MaxPersistentCGI",
    values.Integer(minimum=0),
    default=40,
    contexts="S",
    origin="IBM",
    help="How many instances may live on between two requests (L1, HTS003). 0: none.",
)
PersistentCGITimeout: Directive[float] = directive(
    "PersistentCGITimeout",
    values.Time(),
    default=300.0,
    contexts="SVD",
    origin="IBM",
    help="How long a session waits for its next request when the program sends no HTTimeout (T1, H7).",
)
MaxPersistentCGITimeout: Directive[float] = directive(
    "MaxPersistentCGITimeout",
    values.Time(),
    default=1800.0,
    contexts="SVD",
    origin="IBM",
    help="The longest time a program can ask for with HTTimeout (H7). Caps PersistentCGITimeout as well.",
)
MaxCGIJobs: Directive[int] = directive(
    "MaxCGIJobs",
    values.Integer(minimum=1),
    default=128,
    contexts="S",
    origin="IBM",
    help="How many CGI processes there may be at once, sessions included; further requests queue (L2). "
    "Should be above MaxPersistentCGI.",
)
CGIRecyclePersist: Directive[str] = directive(
    "CGIRecyclePersist",
    values.Choice(("On", "Off")),
    default="Off",
    contexts="SVD",
    origin="IBM",
    remarks=lambda value: [_RECYCLING] if value == "On" else [],
    help="Accepted. On has no effect yet: on IBM i a process whose session has ended then serves the next one.",
)
PersistentCGIQueue: Directive[int] = directive(
    "PersistentCGIQueue",
    values.Integer(minimum=0),
    default=4,
    contexts="SVD",
    origin="ours",
    help="How many requests may wait for a session that is busy; further ones get 503 (R5).",
)
PersistentCGIQueueTimeout: Directive[float] = directive(
    "PersistentCGIQueueTimeout",
    values.Time(),
    default=30.0,
    contexts="SVD",
    origin="ours",
    help="How long a request waits for a busy session or a free job; then 503 (R5, L2).",
)
PersistentCGIWarning: Directive[float] = directive(
    "PersistentCGIWarning",
    values.Time(),
    default=0.0,
    contexts="SVDLF",
    origin="ours",
    help="So long before a session ends its HTML pages warn the user and offer to stay: the clock then begins "
    "anew without a call of the program, up to MaxPersistentCGITimeout since its last one. 0: never. A page "
    "whose Content-Security-Policy forbids inline scripts shows no warning.",
)
PersistentCGIExpired: Directive[str] = directive(
    "PersistentCGIExpired",
    values.Choice(("gone", "fresh")),
    default="gone",
    contexts="SVD",
    origin="ours",
    help="What a URL of an ended session gets: `gone` is a 410 page that says why, `fresh` a new start with "
    "HTSESSION_STATUS=expired (R4).",
)
PersistentCGIPreviousHandles: Directive[int] = directive(
    "PersistentCGIPreviousHandles",
    values.Integer(minimum=0, maximum=8),
    default=0,
    contexts="SVD",
    origin="ours",
    help="How many earlier handles of a session still reach it, for programs that bear the back button (R6).",
)
PersistentCGIShared: Directive[str] = directive(
    "PersistentCGIShared",
    values.Choice(("On", "Off")),
    default="Off",
    contexts="DLF",
    origin="ours",
    help="One instance holds many sessions: whoever comes without a living handle is sent to it (S1 to S5).",
)
PersistentCGISharedSessions: Directive[int] = directive(
    "PersistentCGISharedSessions",
    values.Integer(minimum=1),
    default=1000,
    contexts="SVD",
    origin="ours",
    help="How many sessions one shared instance may hold; a further newcomer's page is delivered, its "
    "session is not kept (S5, HTS003).",
)
CGIStopGrace: Directive[float] = directive(
    "CGIStopGrace",
    values.Time(),
    default=2.0,
    contexts="SVD",
    origin="ours",
    help="How long an instance gets to exit after end of file on its request pipe, and again after TERM (T3).",
)
CGIActivationGroup: Directive[Mapping[str, HostChoice]] = directive(
    "CGIActivationGroup",
    lists.ActivationGroupReader(HOST_KINDS),
    default={},
    contexts="SVDLF",
    origin="ours",
    merging=lists.UPDATED,
    paths=lists.option_paths,
    help="Files with these extensions run in a host process that is called again and keeps their storage.",
)
StartCGI: Directive[Ahead] = directive(
    "StartCGI",
    AheadReader(),
    default=Ahead(0),
    contexts="SVD",
    origin="IBM",
    remarks=lambda value: [_NO_PROFILE.format(value.user)] if value.user else [],
    help="How many hosts of each kind are kept ready, so that a program of CGIActivationGroup starts without "
    "waiting for an interpreter (P11). 0: every start is a fresh one.",
)
