"""CGI: which files are programs, what they are given."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.directives import environment, lists, options, values
from gateway.directives.directive import Directive, directive
from gateway.directives.environment import Environment, Mark
from gateway.directives.lists import Aliases
from gateway.directives.table.server import Timeout

HANDLERS = ("cgi-script",)

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
AddHandler: Directive[Mapping[str, str]] = directive(
    "AddHandler",
    lists.HandlerReader(HANDLERS),
    default={},
    contexts="SVDLF",
    origin="Apache",
    merging=lists.UPDATED,
    help="Files with these extensions are CGI programs (where `Options ExecCGI` is on).",
)
SetHandler: Directive[str | None] = directive(
    "SetHandler",
    values.OptionalChoice(values.Choice(HANDLERS)),
    default=None,
    contexts="SVDLF",
    origin="Apache",
    help="All files here are CGI programs (where `Options ExecCGI` is on); `None` takes that back.",
)
Options: Directive[options.Options] = directive(
    "Options",
    options.OptionsReader(),
    default=options.Options(),
    contexts="SVDL",
    origin="Apache",
    merging=options.MERGED,
    help="`ExecCGI`: programs may run here. `FollowSymLinks`: symbolic links are followed. Apache's other "
    "options are accepted and have no effect.",
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
