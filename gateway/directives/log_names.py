"""Which format an access log has: names are looked up when the whole file is known, as in Apache."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from gateway.directives import table
from gateway.directives.assemble import Scope
from gateway.directives.problems import Problem, suggestion
from gateway.directives.readers.logformat import COMMON, READY_MADE
from gateway.directives.settings import Settings, collect


def format_text(settings: Settings, name: str) -> str:
    """The format that a CustomLog names or is ("" for TransferLog), with the LogFormats of its host."""
    return _resolved(settings[table.LogFormat], name)


def _resolved(own: Mapping[str, str], name: str) -> str:
    formats = {"": COMMON, **READY_MADE, **own}
    text = formats.get(name, name)
    return formats.get(text, text) if not name else text


def unknown_formats(main: Scope) -> Iterator[Problem]:
    """A problem for each name of a format that no LogFormat gives."""
    outer = collect(main.assignments)
    for scope in (main, *main.hosts):
        formats = outer.changed_by(collect(scope.assignments))[table.LogFormat]
        for row, value, place in scope.assignments:
            if row is table.CustomLog:
                names = [log.format for log in value]
            else:
                names = [value[""]] if row is table.LogFormat and "" in value else []
            known = [name for name in {**READY_MADE, **formats} if name]
            for name in names:
                if "%" not in name and name not in known:
                    expected = f"a format with % or the name of one ({', '.join(known)})"
                    found = f'"{name}"{suggestion(name, known)}'
                    yield Problem(place, f"{row.name}: expected {expected}, found {found}")
