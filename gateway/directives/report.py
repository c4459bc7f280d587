"""What `gateway check` and `gateway dump` say about a configuration."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from gateway.directives import table
from gateway.directives.build import all_sections
from gateway.directives.directive import Directive, Words
from gateway.directives.grammar import join_words
from gateway.directives.hosts import Configuration, Host
from gateway.directives.problems import BUILT_IN, Notice
from gateway.directives.readers.hostrules import FromReader, OrderReader, SatisfyReader
from gateway.directives.readers.requiring import RequireReader
from gateway.directives.sections import Section
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


_WHERE = (
    table.ServerAlias,
    table.SSLEngine,
    table.SSLCertificateFile,
    table.DocumentRoot,
    table.Alias,
    table.AliasMatch,
    table.ScriptAlias,
    table.ScriptAliasMatch,
    table.CGIActivationGroup,
    table.AddHandler,
    table.SuexecUserGroup,
    table.User,
    table.Group,
    table.ErrorLog,
    table.CustomLog,
    table.TransferLog,
)
_GROUPED = (RequireReader, OrderReader, FromReader, SatisfyReader)
_PLACES = (
    table.Options,
    table.AddHandler,
    table.SetHandler,
    table.CGIActivationGroup,
    table.AuthType,
    table.AuthUserFile,
    table.AuthGroupFile,
    table.Require,
    table.Order,
    table.Allow,
    table.Deny,
    table.Satisfy,
)


def noted(notices: Iterable[Notice]) -> Iterator[str]:
    """Notices in two groups: what to know about, then what has no effect, and why."""
    listed = list(notices)
    idle = [one for one in listed if " no effect " in one.text or " is skipped: " in one.text]
    groups = {"to know:": [one for one in listed if one not in idle], "accepted without effect:": idle}
    for title, group in groups.items():
        if group:
            yield title
            yield from (f"  {one}" for one in group)


def summary(configuration: Configuration) -> Iterator[str]:
    """What would be served: listeners, hosts with their files, programs, access and logs, limits."""
    yield f"listens on {', '.join(map(str, configuration.listeners))}"
    common = set(all_sections(configuration.server))
    for host in (configuration.server, *configuration.hosts):
        yield _heading(host)
        yield from (f"  {text}" for row in _WHERE for text in _own_lines(host.settings, row))
        own = [one for one in all_sections(host) if host is configuration.server or one not in common]
        yield from _places(own)
    settings = configuration.server.settings
    yield "limits: " + ", ".join(text for row in _LIMITS for text in _lines(settings, row))


def _heading(host: Host) -> str:
    name = host.settings[table.ServerName]
    return f"{host.title}{f' {name}' if name else ''}:"


def _own_lines(settings: Settings, row: Directive[Any]) -> list[str]:
    return _lines(settings, row) if row in settings else []


def _places(sections: Iterable[Section]) -> Iterator[str]:
    """What sections say about programs and access."""
    for section in sections:
        lines = [text for row in _PLACES for text in _own_lines(section.settings, row)]
        if lines:
            origin = f" ({BUILT_IN})" if section.place.file == BUILT_IN else ""
            yield f"  {section.title}{origin}: {'; '.join(lines)}"


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
    return [_line(row, words) for words in row.reader.lines(settings[row])]


def _line(row: Directive[Any], words: Words) -> str:
    """A line as the file has it; the begin and the end of a group stand for themselves."""
    text = join_words(words)
    marks = isinstance(row.reader, _GROUPED) and words[0].startswith("<")
    return " ".join(words) if marks else f"{row.name} {text}"
