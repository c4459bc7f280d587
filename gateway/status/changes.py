"""What has changed since the last look, for those who saw the snapshot before."""

import itertools
from collections.abc import Iterator, Mapping

from gateway.control.facts import Facts, living
from gateway.sessions.registry import Registry
from gateway.status.snapshot import Snapshots

KEYS = {"sessions": "id", "instances": "id", "oneshots": "id", "warm": "group"}
"""Lists of a snapshot whose rows change, with the field that tells their rows apart."""
_PASSING = "age"  # what changes by itself
Marks = Mapping[object, object]


class Changes:
    """Compares with the moment of the last `since` (or of the making)."""

    def __init__(self, snapshots: Snapshots, registry: Registry) -> None:
        self._snapshots, self._registry = snapshots, registry
        self._marks = {name: _marks_of(rows, KEYS[name]) for name, rows in snapshots.processes().items()}
        self._marks["sessions"] = self._of_sessions()
        self._endings = registry.tally.ended.total()

    def since(self) -> Facts:
        """`at`, `overview` (all but the lists), `recent` (new endings, the newest first); of each list in KEYS
        under its name the rows that are new, or of which more has changed than the time; `gone`: the keys of
        those that are there no more, by the name of their list."""
        overview, processes = self._snapshots.overview(), self._snapshots.processes()
        before, endings = self._marks, self._registry.tally.ended.total()
        self._marks = {name: _marks_of(rows, KEYS[name]) for name, rows in processes.items()}
        self._marks["sessions"] = self._of_sessions()
        changed = {name: _differing(before[name], marks) for name, marks in self._marks.items()}
        rows = {
            name: [row for row in processes[name] if row[KEYS[name]] in changed[name]] for name in processes
        }
        rows["sessions"] = [
            self._snapshots.session(one) for one in living(self._registry) if one.id in changed["sessions"]
        ]
        recent = list(itertools.islice(self._snapshots.recent(), endings - self._endings))
        gone = dict(_gone(before, self._marks))
        self._endings = endings
        return {"at": overview["at"], "overview": overview, **rows, "gone": gone, "recent": recent}

    def _of_sessions(self) -> Marks:
        return {session.id: self._snapshots.mark(session) for session in living(self._registry)}


def _marks_of(rows: list[Facts], key: str) -> Marks:
    return {row[key]: {name: value for name, value in row.items() if name != _PASSING} for row in rows}


def _differing(before: Marks, after: Marks) -> set[object]:
    return {key for key, mark in after.items() if before.get(key) != mark}


def _gone(before: Mapping[str, Marks], after: Mapping[str, Marks]) -> Iterator[tuple[str, list[object]]]:
    for name, marks in before.items():
        lost = [key for key in marks if key not in after[name]]
        if lost:
            yield name, lost
