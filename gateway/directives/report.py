"""What `gateway check` and `gateway dump` say about a configuration."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gateway.directives import table
from gateway.directives.build import all_sections
from gateway.directives.directive import Directive
from gateway.directives.grammar import join_words
from gateway.directives.hosts import Configuration, Host
from gateway.directives.settings import Settings

_LIMITS = (
    table.MaxPersistentCGI,
    table.PersistentCGITimeout,
    table.MaxPersistentCGITimeout,
    table.MaxCGIJobs,
    table.Timeout,
    table.CGIScriptTimeout,
    table.LimitRequestBody,
)


def summary(configuration: Configuration) -> Iterator[str]:
    """What would be served: listeners, hosts, programs, limits."""
    yield f"listens on {', '.join(map(str, configuration.listeners))}"
    for host in (configuration.server, *configuration.hosts):
        yield _heading(host)
        yield from _served(host)
    settings = configuration.server.settings
    yield "limits: " + ", ".join(text for row in _LIMITS for text in _lines(settings, row))


def _heading(host: Host) -> str:
    name = host.settings[table.ServerName]
    return f"{host.title}{f' {name}' if name else ''}:"


def _served(host: Host) -> Iterator[str]:
    for row in (table.DocumentRoot, table.Alias, table.ScriptAlias, table.CGIActivationGroup):
        yield from (f"  {text}" for text in _lines(host.settings, row))
    sections = sum(1 for _ in all_sections(host))
    if sections:
        yield f"  sections: {sections}"


def dump(configuration: Configuration) -> Iterator[str]:
    """Effective settings with their origins: main server, virtual hosts, and what each section says itself."""
    for host in (configuration.server, *configuration.hosts):
        yield f"# {_heading(host)[:-1]}"
        for row in table.DIRECTIVES:
            if host is configuration.server or "V" in row.contexts:
                yield from _with_origin(host.settings, row)
        for section in all_sections(host):
            yield f"# {section.title} ({section.place})"
            for row in section.settings:
                yield from _with_origin(section.settings, row)
        yield ""


def _with_origin(settings: Settings, row: Directive[Any]) -> Iterator[str]:
    for text in _lines(settings, row) or [f"{row.name} (none)"]:
        yield f"{text:<60}  {settings.origin(row)}"


def _lines(settings: Settings, row: Directive[Any]) -> list[str]:
    return [f"{row.name} {join_words(words)}" for words in row.reader.lines(settings[row])]
