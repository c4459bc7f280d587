"""The rest of the table: what steers the reading and leaves no setting behind, and the sections."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.directives.directive import Container, Control, Row
from gateway.directives.methods import LIMITS
from gateway.directives.readers.requirements import GROUPS
from gateway.directives.table import DIRECTIVES

CONTROLS = (
    Control(
        "Include",
        syntax="file|directory|glob",
        contexts="SVDLF",
        origin="Apache",
        help="Reads other files in this place, in order of name. One that is missing is an error.",
    ),
    Control(
        "IncludeOptional",
        syntax="file|directory|glob",
        contexts="SVDLF",
        origin="Apache",
        help="The same; nothing happens if there is no such file.",
    ),
    Control(
        "Define",
        syntax="name [value]",
        contexts="SVDLF",
        origin="Apache",
        help="A value for ${name} and for IfDefine, from this line on. ${name} is otherwise taken from the "
        "environment, and left as it is (with a notice) if it is not there either.",
    ),
    Control("UnDefine", syntax="name", contexts="SVDLF", origin="Apache", help="Takes back a Define."),
    Control(
        "LoadModule",
        syntax="name file",
        contexts="SV",
        origin="Apache",
        help="Accepted and ignored: nothing is loaded at run time. A notice lists the modules whose work is "
        "not done here.",
    ),
    Control(
        "RemoteIPTrustedProxyList",
        syntax="file",
        contexts="SV",
        origin="Apache",
        help="RemoteIPTrustedProxy for every network in a file that is read with this one: one or more a line, "
        "comments begin with `#`.",
    ),
    Control(
        "RemoteIPInternalProxyList",
        syntax="file",
        contexts="SV",
        origin="Apache",
        help="The same for RemoteIPInternalProxy.",
    ),
    Control(
        "Error",
        syntax="text",
        contexts="SVDLF",
        origin="Apache",
        help="Refuses the file with this text; for use within a condition.",
    ),
)


def _container(name: str, syntax: str, contexts: str, inside: str, text: str, regex: bool = False) -> Container:
    return Container(
        name, syntax=syntax, contexts=contexts, inside=inside, origin="Apache", help=text, regex=regex
    )


CONTAINERS = (
    _container(
        "VirtualHost",
        "addr[:port] …",
        "S",
        "V",
        "A host of its own by address (`*`, `_default_`, `192.0.2.1:80`, `[::1]:8080`) and name. Of those with "
        "the best address the one with the request's Host, else the first.",
    ),
    _container(
        "Directory",
        "path|~ regex",
        "SV",
        "D",
        "For the files below a folder; `*`, `?`, `[…]` do not match `/`.",
    ),
    _container("DirectoryMatch", "regex", "SV", "D", "For the files in folders that match.", regex=True),
    _container("Location", "url-path|~ regex", "SV", "L", "For URLs at and below a path."),
    _container("LocationMatch", "regex", "SV", "L", "For URLs that match.", regex=True),
    _container("Files", "name|~ regex", "SVD", "F", "For files with this name; `*`, `?`, `[…]` are wildcards."),
    _container("FilesMatch", "regex", "SVD", "F", "For files whose names match.", regex=True),
    _container("IfDefine", "[!]name", "SVDLF", "", "Read only if the name is (not) defined."),
    _container(
        "IfModule", "[!]module", "SVDLF", "", "Read only if the gateway does (not) do this module's work."
    ),
    _container(
        "IfVersion",
        "[[!]=|>|>=|<|<=|~] version",
        "SVDLF",
        "",
        "Read only if this holds for the version of Apache whose syntax the gateway reads, 2.4.58.",
    ),
    _container("IfFile", "[!]path", "SVDLF", "", "Read only if there is (no) such file or folder."),
    _container("IfDirective", "[!]name", "SVDLF", "", "Read only if there is (no) such directive."),
    _container("IfSection", "[!]name", "SVDLF", "", "Read only if there is (no) such section."),
)

_ROWS: tuple[Row, ...] = (*DIRECTIVES, *CONTROLS, *CONTAINERS, *GROUPS, *LIMITS)
ROWS: Mapping[str, Row] = {row.name.lower(): row for row in _ROWS}
