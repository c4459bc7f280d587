"""Files: where a URL path leads."""

from __future__ import annotations

from gateway.directives import lists, values
from gateway.directives.directive import Directive, directive
from gateway.directives.lists import Aliases

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
