"""Settings that do not go together (spec 3, "Rules"; spec 1, L2)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from gateway.directives import table
from gateway.directives.addresses import Listener
from gateway.directives.problems import Notice, Place, Problem
from gateway.directives.settings import Assignment, Settings
from gateway.directives.units import format_time

_PROGRAMS = (table.ScriptAlias, table.AddHandler, table.SetHandler, table.CGIActivationGroup)


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


def open_listeners(server: Settings, assignments: Iterable[Assignment]) -> Iterator[Notice]:
    """A notice for each plain listener beyond loopback if programs may persist."""
    programs = server[table.MaxPersistentCGI] > 0 and any(one.row in _PROGRAMS for one in assignments)
    for place, listener in _listeners(assignments) if programs else ():
        if not listener.loopback:
            yield Notice(
                place, f"Listen {listener}: handles of sessions travel in URLs, unencrypted here; use TLS"
            )


def repeated_listeners(assignments: Iterable[Assignment]) -> Iterator[Problem]:
    """A problem for each address that is named again."""
    seen: dict[Listener, Place] = {}
    for place, listener in _listeners(assignments):
        if listener in seen:
            yield Problem(
                place, f"Listen: expected each address once, found {listener} again (see {seen[listener]})"
            )
        seen.setdefault(listener, place)


def _listeners(assignments: Iterable[Assignment]) -> Iterator[tuple[Place, Listener]]:
    for one in assignments:
        if one.row is table.Listen:
            yield from ((one.place, listener) for listener in one.value)
