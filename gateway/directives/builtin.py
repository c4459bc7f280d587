"""What holds without a word in the file: the status page, written in directives itself (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from gateway.directives import table
from gateway.directives.assemble import Assembler, Scope
from gateway.directives.expand import Statement
from gateway.directives.foreign.handlers import STATUS
from gateway.directives.grammar import logical_lines, parse_line, section_arguments
from gateway.directives.problems import BUILT_IN, Place
from gateway.directives.sections import Section
from gateway.directives.settings import collect

_URL = "/server-status"
_OTHERS = ("/", "/index.html")  # a section for these too is not one for that URL
# A proxy on the same machine makes everybody local: what RemoteIPHeader did not take is not believed here. So
# does a site whose name is led to this machine (DNS rebinding): only addresses, and names that nobody else can
# have, are taken as Host: those without a dot, below localhost (RFC 6761), or of the server itself.
_HOSTS = r"[^.:\[\]]*|([^.:]+\.)+localhost|[0-9]+(\.[0-9]+){3}|\[[0-9a-f:.]+\]"
_TEXT = f"""\
<Location {_URL}>
  SetHandler {STATUS}
  SetEnvIf X-Forwarded-For . came-through-a-proxy
  SetEnvIf X-Real-IP . came-through-a-proxy
  SetEnvIf Forwarded . came-through-a-proxy
  SetEnvIf Via . came-through-a-proxy
  SetEnvIfNoCase Host ^(HOSTS)\\.?(:[0-9]*)?$ asked-by-its-own-name
  Satisfy all
  <RequireAll>
    Require local
    Require not env came-through-a-proxy
    Require env asked-by-its-own-name
  </RequireAll>
</Location>
"""


def status_locations(main: Scope, root: str) -> dict[int, list[Section]]:
    """The section of the status page by the identity of the scopes that get it: none where a SetHandler names
    the page anywhere, nor a host with a section of its own for the URL, whatever that says."""
    if any(STATUS in _handlers(scope) for scope in (main, *main.hosts)):
        return {}
    if _names(main):
        return {}
    scopes = [scope for scope in (main, *main.hosts) if not _names(scope)]
    return {id(scope): [_section(root, _called(main) | _called(scope))] for scope in scopes}


def _called(scope: Scope) -> set[str]:
    """Its names; `*` and `?` in them are wildcards."""
    settings = collect(scope.assignments)
    return {name for name in (settings[table.ServerName], *settings[table.ServerAlias]) if name}


def _section(root: str, names: Iterable[str]) -> Section:
    assembler = Assembler(Place(BUILT_IN, 0), root)
    patterns = (re.escape(name).replace(r"\*", ".*").replace(r"\?", ".") for name in sorted(names))
    assembler.run(_statements(_TEXT.replace("HOSTS", "|".join((_HOSTS, *patterns)))))
    return assembler.main.locations[0]


def _statements(lines: str) -> Iterator[Statement]:
    for number, text in logical_lines(lines):
        line = parse_line(number, text)
        arguments = section_arguments(line) if line.mark else line.arguments
        yield Statement(Place(BUILT_IN, number), line.mark, line.name, "" if line.mark == "</" else arguments)


def _names(scope: Scope) -> bool:
    """Whether one of its sections is for the URL of the page, and not for others too."""
    return any(
        one.pattern.matches(_URL) and not any(map(one.pattern.matches, _OTHERS)) for one in scope.locations
    )


def _handlers(scope: Scope) -> Iterable[str | None]:
    sections = (*scope.directories, *scope.files, *scope.locations)
    inner = (one for section in sections for one in section.files)
    assigned = (value for row, value, _ in scope.assignments if row is table.SetHandler)
    return (*assigned, *(one.settings[table.SetHandler] for one in (*sections, *inner)))
