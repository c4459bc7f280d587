"""Variables that depend on a request."""

from __future__ import annotations

from gateway.directives.directive import Directive, Merging, directive
from gateway.directives.readers import lists, setenvif
from gateway.directives.readers.setenvif import Conditions

_MERGED: Merging[Conditions] = Merging(
    "lines add up in order of reading, those of outer sections first",
    lists.COLLECTED.within,
    lambda outer, inner: outer + inner,
)

SetEnvIf: Directive[Conditions] = directive(
    "SetEnvIf",
    setenvif.ConditionReader("SetEnvIf"),
    default=(),
    contexts="SVDLF",
    origin="Apache",
    merging=_MERGED,
    remarks=setenvif.remarks,
    help="Variables for the programs (and for CustomLog) if the attribute of the request matches: a header by "
    "its name (or by a regular expression of names), Remote_Addr, Server_Addr, Request_Method, "
    "Request_Protocol, Request_URI (decoded), or a variable that an earlier line set. A header that is missing "
    "is an empty text. The value is 1, or what follows `=`, with `$0` to `$9` for what matched; `!` takes a "
    "variable back. Variables of SetEnv and of the request itself go before these. Names that only steer "
    "Apache (`nokeepalive`) have no effect.",
)
SetEnvIfNoCase: Directive[Conditions] = directive(
    "SetEnvIfNoCase",
    setenvif.ConditionReader("SetEnvIfNoCase"),
    default=(),
    contexts="SVDLF",
    origin="Apache",
    merging=_MERGED,
    into=SetEnvIf,
    remarks=setenvif.remarks,
    help="SetEnvIf without regard to letter case.",
)
BrowserMatch: Directive[Conditions] = directive(
    "BrowserMatch",
    setenvif.ConditionReader("BrowserMatch"),
    default=(),
    contexts="SVDLF",
    origin="Apache",
    merging=_MERGED,
    into=SetEnvIf,
    remarks=setenvif.remarks,
    help="SetEnvIf for the header User-Agent.",
)
BrowserMatchNoCase: Directive[Conditions] = directive(
    "BrowserMatchNoCase",
    setenvif.ConditionReader("BrowserMatchNoCase"),
    default=(),
    contexts="SVDLF",
    origin="Apache",
    merging=_MERGED,
    into=SetEnvIf,
    remarks=setenvif.remarks,
    help="The same without regard to letter case.",
)
