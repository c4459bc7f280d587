"""Files: where a URL path leads."""

from __future__ import annotations

from gateway.directives.directive import Directive, directive
from gateway.directives.readers import lists, substitution, types, values
from gateway.directives.readers.lists import Aliases
from gateway.directives.readers.redirects import DocumentReader, Documents, Redirections, RedirectReader
from gateway.directives.readers.substitution import AliasPatterns
from gateway.directives.readers.types import ByExtension

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
    help="The files to look for when a URL names a folder, in this order. A name that begins with `/` is a URL "
    "path of this server, of a program for example.",
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
AliasMatch: Directive[AliasPatterns] = directive(
    "AliasMatch",
    substitution.AliasMatchReader(scripted=False),
    default=(),
    contexts="SV",
    origin="Apache",
    merging=lists.IN_FRONT,
    help="Serves files under URL paths that match; `$1` to `$9` in the target are what the groups matched. "
    "Patterns are tried after `Alias` and `ScriptAlias`, in order of the file.",
)
AddType: Directive[ByExtension] = directive(
    "AddType",
    types.TypeReader(),
    default={},
    contexts="SVDLF",
    origin="Apache",
    merging=lists.UPDATED,
    help="The Content-Type of files with these extensions. `application/x-httpd-cgi` makes them CGI programs "
    "(where `Options ExecCGI` is on).",
)
RemoveType: Directive[ByExtension] = directive(
    "RemoveType",
    types.RemovalReader(),
    default={},
    contexts="SVDLF",
    origin="Apache",
    merging=lists.UPDATED,
    into=AddType,
    help="Takes back what `AddType` said of these extensions.",
)
ForceType: Directive[str | None] = directive(
    "ForceType",
    types.ForcedTypeReader(),
    default=None,
    contexts="DLF",
    origin="Apache",
    help="The Content-Type of all files here; `None` takes that back.",
)
ErrorDocument: Directive[Documents] = directive(
    "ErrorDocument",
    DocumentReader(),
    default={},
    contexts="SVDLF",
    origin="Apache",
    merging=lists.UPDATED,
    help="What is sent in place of the gateway's own page of an error: a text, a file or program of this "
    "server by its URL path (the status stays unless the program sends another; it gets "
    "REDIRECT_STATUS, REDIRECT_URL and the like), or a redirect to a URL elsewhere. `default` is the "
    "gateway's own page.",
)
Redirect: Directive[Redirections] = directive(
    "Redirect",
    RedirectReader(),
    default=(),
    contexts="SVDLF",
    origin="Apache",
    merging=lists.IN_FRONT,
    help="Sends clients elsewhere for a URL path and all below it: what follows the path, and the query, are"
    " appended. The status is a number from 300 to 599, `permanent`, `temp` (302, the default), "
    "`seeother` or `gone`; those from 400 take no URL. Living sessions are reached first.",
)
RedirectMatch: Directive[Redirections] = directive(
    "RedirectMatch",
    RedirectReader(regex=True),
    default=(),
    contexts="SVDLF",
    origin="Apache",
    merging=lists.IN_FRONT,
    into=Redirect,
    help="The same for URL paths that match; `$1` to `$9` in the URL are what the groups matched.",
)
RedirectPermanent: Directive[Redirections] = directive(
    "RedirectPermanent",
    RedirectReader(fixed=301),
    default=(),
    contexts="SVDLF",
    origin="Apache",
    merging=lists.IN_FRONT,
    into=Redirect,
    help="`Redirect permanent`.",
)
RedirectTemp: Directive[Redirections] = directive(
    "RedirectTemp",
    RedirectReader(fixed=302),
    default=(),
    contexts="SVDLF",
    origin="Apache",
    merging=lists.IN_FRONT,
    into=Redirect,
    help="`Redirect temp`.",
)
