"""Settings that do not go together (spec 3, "Rules"; spec 1, L2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from gateway.directives import table
from gateway.directives.problems import Notice, Place, Problem
from gateway.directives.readers.addresses import Listener
from gateway.directives.readers.requirements import Condition
from gateway.directives.readers.units import format_time
from gateway.directives.settings import Assignment, Settings

_PROGRAMS = (
    table.ScriptAlias,
    table.ScriptAliasMatch,
    table.AddHandler,
    table.SetHandler,
    table.CGIActivationGroup,
)


def capped(settings: Settings) -> Settings:
    """PersistentCGITimeout never exceeds MaxPersistentCGITimeout (H7)."""
    limit = settings[table.MaxPersistentCGITimeout]
    if settings[table.PersistentCGITimeout] <= limit:
        return settings
    return settings.with_value(table.PersistentCGITimeout, limit)


def over_cap(own: Settings, effective: Settings) -> Iterator[Notice]:
    """A notice if this section's own lines put PersistentCGITimeout above its cap."""
    time, limit = effective[table.PersistentCGITimeout], effective[table.MaxPersistentCGITimeout]
    said = [row for row in (table.PersistentCGITimeout, table.MaxPersistentCGITimeout) if row in own]
    if said and time > limit:
        cap = f"{table.MaxPersistentCGITimeout.name} {format_time(limit)}"
        yield Notice(own.place(said[0]), f"PersistentCGITimeout {format_time(time)} is capped by {cap}")


def few_jobs(server: Settings) -> Iterator[Notice]:
    """A notice if idle sessions could take every job (L2)."""
    jobs, sessions = server[table.MaxCGIJobs], server[table.MaxPersistentCGI]
    said = [row for row in (table.MaxCGIJobs, table.MaxPersistentCGI) if row in server]
    if said and jobs <= sessions:
        text = f"MaxCGIJobs {jobs} is not above MaxPersistentCGI {sessions}: idle sessions can take every job"
        yield Notice(server.place(said[0]), text)


def nobody_believed(assignments: Iterable[Assignment]) -> Iterator[Notice]:
    """A notice for each RemoteIPHeader if no line says whose header is believed (in Apache: everybody's)."""
    proxies = (table.RemoteIPTrustedProxy, table.RemoteIPInternalProxy)
    if any(one.row in proxies for one in assignments):
        return
    for one in assignments:
        if one.row is table.RemoteIPHeader:
            text = "only proxies on a Unix socket are believed, until RemoteIPTrustedProxy names others"
            yield Notice(one.place, f"RemoteIPHeader {one.value}: {text}")


def never_set(assignments: Sequence[Assignment]) -> Iterator[Notice]:
    """A notice for each variable that access depends on and no line sets in time, as SetEnv does not."""
    lines = [line for one in assignments if one.row.slot is table.SetEnvIf for line in one.value]
    given = {setting.name for line in lines for setting in line.settings}
    for one in assignments:
        for name in _tested(one):
            if name not in given and not name.startswith("REDIRECT_"):
                text = f"{one.row.name}: no SetEnvIf or BrowserMatch sets {name} (SetEnv would come too late)"
                yield Notice(one.place, text)


def _tested(one: Assignment) -> Iterable[str]:
    if one.row.slot is table.Order:
        return tuple(one.value.variables)
    terms = one.value.terms if one.row is table.Require else ()
    return [name for term in terms if isinstance(term, Condition) and term.kind == "env" for name in term.words]


def open_listeners(
    server: Settings, assignments: Iterable[Assignment], listeners: Iterable[Listener]
) -> Iterator[Notice]:
    """A notice for each plain listener beyond loopback if programs may persist.

    `listeners` are those of the configuration, with their real schemes.
    """
    plain = {str(listener) for listener in listeners if listener.scheme == "http"}
    programs = server[table.MaxPersistentCGI] > 0 and any(one.row in _PROGRAMS for one in assignments)
    for place, listener in _listeners(assignments) if programs else ():
        if not listener.loopback and str(listener) in plain:
            yield Notice(
                place, f"Listen {listener}: handles of sessions travel in URLs, unencrypted here; use TLS"
            )


def repeated_listeners(assignments: Iterable[Assignment]) -> Iterator[Problem]:
    """A problem for each address that is named again."""
    seen: dict[str, Place] = {}
    for place, listener in _listeners(assignments):
        if str(listener) in seen:
            yield Problem(
                place, f"Listen: expected each address once, found {listener} again (see {seen[str(listener)]})"
            )
        seen.setdefault(str(listener), place)


def _listeners(assignments: Iterable[Assignment]) -> Iterator[tuple[Place, Listener]]:
    for one in assignments:
        if one.row is table.Listen:
            yield from ((one.place, listener) for listener in one.value)
