"""What has changed since the last look, for those who saw the snapshot before."""

import itertools

from gateway.control.facts import Facts, living
from gateway.sessions.registry import Registry
from gateway.status.snapshot import Snapshots

_PROCESSES = ("instances", "oneshots", "warm")
_PASSING = "age"  # what changes by itself
Mark = tuple[object, ...]


class Changes:
    """Compares with the moment of the last `since` (or of the making)."""

    def __init__(self, snapshots: Snapshots, registry: Registry) -> None:
        self._snapshots, self._registry = snapshots, registry
        self._rows = self._marks()
        self._lists = self._processes()
        self._endings = registry.tally.ended.total()

    def since(self) -> Facts:
        """`at`, `overview` (all but the lists), `sessions` (new rows, and those of which more has changed than
        the time), `gone` (ids), `recent` (new endings, the newest first), and of `instances`, `oneshots`
        and `warm` the lists that have changed."""
        overview = self._snapshots.overview()
        rows, lists, endings = self._marks(), self._processes(), self._registry.tally.ended.total()
        changed = [
            self._snapshots.session(session)
            for session in living(self._registry)
            if self._rows.get(session.id) != rows.get(session.id)
        ]
        found: Facts = {
            "at": overview["at"],
            "overview": overview,
            "sessions": changed,
            "gone": sorted(self._rows.keys() - rows.keys()),
            "recent": list(itertools.islice(self._snapshots.recent(), endings - self._endings)),
        }
        found |= {name: rows for name, rows in lists.items() if _lasting(rows) != _lasting(self._lists[name])}
        self._rows, self._lists, self._endings = rows, lists, endings
        return found

    def _marks(self) -> dict[str, Mark]:
        return {session.id: self._snapshots.mark(session) for session in living(self._registry)}

    def _processes(self) -> dict[str, list[Facts]]:
        found = self._snapshots.processes()
        return {name: found[name] for name in _PROCESSES}


def _lasting(rows: list[Facts]) -> list[Facts]:
    return [{name: value for name, value in row.items() if name != _PASSING} for row in rows]
