"""What holds without a word in the file: the status page, written in directives itself (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.directives import table
from gateway.directives.assemble import Assembler, Scope
from gateway.directives.expand import Statement
from gateway.directives.foreign.handlers import STATUS
from gateway.directives.grammar import logical_lines, parse_line, section_arguments
from gateway.directives.problems import BUILT_IN, Place
from gateway.directives.sections import Section

_URL = "/server-status"
_OTHERS = ("/", "/index.html")  # a section for these too is not one for that URL
# A proxy on the same machine makes everybody local: what RemoteIPHeader did not take is not believed here.
_TEXT = f"""\
<Location {_URL}>
  SetHandler {STATUS}
  SetEnvIf X-Forwarded-For . came-through-a-proxy
  SetEnvIf X-Real-IP . came-through-a-proxy
  SetEnvIf Forwarded . came-through-a-proxy
  SetEnvIf Via . came-through-a-proxy
  Satisfy all
  <RequireAll>
    Require local
    Require not env came-through-a-proxy
  </RequireAll>
</Location>
"""


def status_locations(main: Scope, root: str) -> dict[int, list[Section]]:
    """The section of the status page by the identity of the scopes that get it: none where a SetHandler names
    the page anywhere, nor a host with a section of its own for the URL, whatever that says."""
    if any(STATUS in _handlers(scope) for scope in (main, *main.hosts)):
        return {}
    own = _names(main)
    section = _section(root)
    return {id(scope): [section] for scope in (main, *main.hosts) if not own and not _names(scope)}


def _section(root: str) -> Section:
    assembler = Assembler(Place(BUILT_IN, 0), root)
    assembler.run(_statements())
    return assembler.main.locations[0]


def _statements() -> Iterator[Statement]:
    for number, text in logical_lines(_TEXT):
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
