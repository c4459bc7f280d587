"""From the tree of scopes to the finished configuration."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from gateway.directives import contradictions, encryption, table
from gateway.directives.assemble import Scope
from gateway.directives.builtin import status_locations
from gateway.directives.hosts import Configuration, Host
from gateway.directives.problems import Notice, in_order
from gateway.directives.sections import Section, directory_order
from gateway.directives.settings import Assignment, Settings, collect


def build(
    path: str, root: str, main: Scope, assignments: Sequence[Assignment], notices: Sequence[Notice]
) -> Configuration:
    """The configuration of a file without problems; root is what relative paths started from."""
    settings = collect(main.assignments).with_value(table.ServerRoot, root)
    keys: Counter[str] = Counter()
    last = status_locations(main, root)
    hosts = [_host(_key(scope, keys), settings, main, scope, last) for scope in main.hosts]
    found = [
        *notices,
        *contradictions.few_jobs(settings),
        *contradictions.nobody_believed(assignments),
        *contradictions.never_set(assignments),
        *_over_caps(settings, main),
    ]
    server = _host("", settings, main, None, last)
    configuration = Configuration(path, server, hosts, encryption.listeners(server, hosts), found)
    found += contradictions.open_listeners(settings, assignments, configuration.listeners)
    found += encryption.notices(configuration)
    configuration.notices = tuple(in_order(found))
    return configuration


def _host(
    key: str, settings: Settings, main: Scope, scope: Scope | None, last: Mapping[int, list[Section]]
) -> Host:
    """The main server (no scope), or a virtual host: the sections of the main server come first, those that
    are built in come last (`last`: by the identity of the scope)."""
    own = collect(scope.assignments) if scope else settings
    scopes = [main, scope] if scope else [main]
    return Host(
        key=key,
        title=scope.title if scope else main.title,
        addresses=scope.addresses if scope else (),
        aliases=own[table.ServerAlias],
        settings=settings.changed_by(own) if scope else settings,
        directories=sorted((one for part in scopes for one in part.directories), key=directory_order),
        files=[one for part in scopes for one in part.files],
        locations=[one for part in scopes for one in part.locations] + last.get(id(scope or main), []),
    )


def _key(scope: Scope, keys: Counter[str]) -> str:
    """`name:port`, or `address:port` without a name; a second one of these gets `#2`."""
    address = scope.addresses[0]
    name = collect(scope.assignments)[table.ServerName]
    key = f"{name}:{address.port or '*'}" if name else str(address)
    keys[key] += 1
    return key if keys[key] == 1 else f"{key}#{keys[key]}"


def _over_caps(settings: Settings, main: Scope) -> Iterator[Notice]:
    yield from contradictions.over_cap(settings, settings)
    for section in main.directories:
        yield from contradictions.over_cap(section.settings, settings.changed_by(section.settings))
    for scope in main.hosts:
        own = collect(scope.assignments)
        inner = settings.changed_by(own)
        yield from contradictions.over_cap(own, inner)
        for section in scope.directories:
            yield from contradictions.over_cap(section.settings, inner.changed_by(section.settings))


def all_sections(host: Host) -> Iterator[Section]:
    """Every section of a host in merging order, those within a Directory after all of these."""
    yield from host.directories
    yield from host.files
    yield from (inner for section in host.directories for inner in section.files)
    yield from host.locations
