"""The one table: every setting the gateway obeys (spec 3). Parser, checker, dump and reference read it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gateway.directives import environment, lists, options, values
from gateway.directives.addresses import Listener, ListenReader
from gateway.directives.directive import Directive, directive
from gateway.directives.environment import Environment, Mark
from gateway.directives.lists import Aliases, HostChoice

HANDLERS = ("cgi-script",)
HOST_KINDS: Mapping[str, tuple[str, ...]] = {"python": ("interpreter",)}
LOG_LEVELS = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug")


# Server

Listen: Directive[tuple[Listener, ...]] = directive(
    "Listen",
    ListenReader(),
    default=(Listener("127.0.0.1", 8080, None, "http"),),
    contexts="S",
    origin="Apache",
    merging=lists.COLLECTED,
    help="An address and port, or a Unix socket, on which requests arrive; repeatable. A port alone is every "
    "address. Handles travel in URLs: beyond loopback use TLS.",
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
ErrorLog: Directive[str] = directive(
    "ErrorLog",
    values.Path("file|stderr", words=("stderr",)),
    default="stderr",
    contexts="SV",
    origin="Apache",
    paths=values.folder_of,
    help="Where errors, notices and the programs' standard error go.",
)
LogLevel: Directive[str] = directive(
    "LogLevel",
    values.Choice(LOG_LEVELS),
    default="info",
    contexts="SV",
    origin="Apache",
    help="The least important messages that are still logged.",
)

# Files

DocumentRoot: Directive[str | None] = directive(
    "DocumentRoot",
    values.Path("directory"),
    default=None,
    contexts="SV",
    origin="Apache",
    paths=values.path_itself,
    help="The folder of the static files. Without it there are none but those of Alias.",
)
DirectoryIndex: Directive[tuple[str, ...]] = directive(
    "DirectoryIndex",
    lists.IndexReader(),
    default=("index.html",),
    contexts="SVD",
    origin="Apache",
    merging=lists.COLLECTED,
    help="The files to look for when a URL names a folder, in this order.",
)
Alias: Directive[Aliases] = directive(
    "Alias",
    lists.AliasReader(),
    default=(),
    contexts="SV",
    origin="Apache",
    merging=lists.IN_FRONT,
    paths=lists.targets,
    help="Serves a file, or a folder, under a URL path.",
)

# CGI

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

# Persistent CGI

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

DIRECTIVES: tuple[Directive[Any], ...] = tuple(
    row for row in list(globals().values()) if isinstance(row, Directive)
)
