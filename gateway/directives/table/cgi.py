"""CGI: which files are programs, what they are given."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.directives.directive import Directive, directive
from gateway.directives.foreign import handlers
from gateway.directives.readers import environment, lists, options, substitution, types, values
from gateway.directives.readers.environment import Environment, Mark
from gateway.directives.readers.lists import Aliases
from gateway.directives.readers.substitution import AliasPatterns
from gateway.directives.table.files import AliasMatch
from gateway.directives.table.server import Timeout

ScriptAlias: Directive[Aliases] = directive(
    "ScriptAlias",
    lists.AliasReader(),
    default=(),
    contexts="SV",
    origin="Apache",
    merging=lists.IN_FRONT,
    paths=lists.targets,
    help="Serves a folder of CGI programs, or one program, under a URL path.",
)
ScriptAliasMatch: Directive[AliasPatterns] = directive(
    "ScriptAliasMatch",
    substitution.AliasMatchReader(scripted=True),
    default=(),
    contexts="SV",
    origin="Apache",
    merging=lists.IN_FRONT,
    into=AliasMatch,
    help="Serves CGI programs under URL paths that match; `$1` to `$9` in the target are what the groups "
    "matched.",
)
AddHandler: Directive[Mapping[str, str | None]] = directive(
    "AddHandler",
    lists.HandlerReader(),
    default={},
    contexts="SVDLF",
    origin="Apache",
    merging=lists.UPDATED,
    remarks=handlers.remarks,
    help="Files with these extensions are CGI programs (where `Options ExecCGI` is on).",
)
RemoveHandler: Directive[Mapping[str, str | None]] = directive(
    "RemoveHandler",
    types.RemovalReader(),
    default={},
    contexts="SVDLF",
    origin="Apache",
    merging=lists.UPDATED,
    into=AddHandler,
    help="Takes back what `AddHandler` said of these extensions.",
)
SetHandler: Directive[str | None] = directive(
    "SetHandler",
    handlers.HandlerChoice(),
    default=None,
    contexts="SVDLF",
    origin="Apache",
    remarks=handlers.remarks,
    help="`cgi-script`: files here are CGI programs (where `Options ExecCGI` is on). The others answer every "
    "URL here, whether there is a file or not: `server-metrics` with the gateway's measures for Prometheus, "
    "`server-health` with 200 as long as the gateway answers, `server-ready` with 200 while it takes requests, "
    "else 503 and why. Say in the same place who may ask (`Require local`). `None` takes it back.",
)
Options: Directive[options.Options] = directive(
    "Options",
    options.OptionsReader(),
    default=options.Options(),
    contexts="SVDL",
    origin="Apache",
    merging=options.MERGED,
    remarks=options.remarks,
    help="`ExecCGI`: programs may run here. `FollowSymLinks`: symbolic links are followed. "
    "`SymLinksIfOwnerMatch`: those whose owner owns the target too. Apache's other options are accepted"
    " and have no effect.",
)
AcceptPathInfo: Directive[str] = directive(
    "AcceptPathInfo",
    values.Choice(("On", "Off", "Default")),
    default="Default",
    contexts="SVDLF",
    origin="Apache",
    help="Whether something may follow the name of a program or file in a URL. `Default`: programs take it, "
    "files do not (404). With `Off` a living session is still reached by its handle.",
)
SetEnv: Directive[Environment] = directive(
    "SetEnv",
    environment.SetReader(),
    default=Environment(),
    contexts="SVDL",
    origin="Apache",
    merging=environment.MERGED,
    help="A variable for the programs. Their environment is built from nothing: PATH and what is named.",
)
UnsetEnv: Directive[Environment] = directive(
    "UnsetEnv",
    environment.MarkReader(Mark.UNSET),
    default=Environment(),
    contexts="SVDL",
    origin="Apache",
    merging=environment.MERGED,
    into=SetEnv,
    help="Takes back variables of SetEnv and PassEnv.",
)
PassEnv: Directive[Environment] = directive(
    "PassEnv",
    environment.MarkReader(Mark.PASSED),
    default=Environment(),
    contexts="SVDL",
    origin="Apache",
    merging=environment.MERGED,
    into=SetEnv,
    help="Variables of the gateway's own environment that the programs get.",
)
CGIScriptTimeout: Directive[float] = directive(
    "CGIScriptTimeout",
    values.Time(minimum=0.001),
    default=Timeout,
    contexts="SV",
    origin="Apache",
    help="A program that neither reads nor writes for so long while a request runs is ended: 504 (T4, HTS009).",
)
