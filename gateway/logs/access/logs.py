"""The access logs of a front: which requests they follow, and what they write."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from gateway.directives.readers.logformat import Code, Part
from gateway.logs.access import facts, fields, json_lines
from gateway.logs.access.entry import Connection, Entry
from gateway.logs.access.facts import Facts
from gateway.logs.access.masks import Masks
from gateway.logs.error import LogFile
from gateway.logs.opened import OpenLog
from gateway.request.incoming import Record

_BYTES = frozenset("IOS")


class _Log(NamedTuple):
    file: LogFile
    line: Callable[[Entry], bytes]
    condition: str


class AccessLogs:
    """A host without a log of its own has the main server's, and may have none."""

    def __init__(self, opened: Mapping[str, tuple[OpenLog, ...]], masks: Masks) -> None:
        known = Facts(masks)
        self._by_host = {key: tuple(_log(log, known) for log in logs) for key, logs in opened.items()}
        formats = [log.format or () for logs in opened.values() for log in logs]
        self.counts_bytes = any(_counts(part) for parts in formats for part in parts)

    def follow(self, record: Record, connection: Connection) -> Entry | None:
        """An entry for a request; None when no log of its host wants it."""
        if record.host.key not in self._by_host:
            return None
        return Entry(record, record.request, connection, self._write)

    def _write(self, entry: Entry) -> None:
        for file, line, condition in self._by_host[entry.record.host.key]:
            if not condition or _holds(entry, condition):
                file.write(line(entry))


def _log(opened: OpenLog, known: Facts) -> _Log:
    line = json_lines.line(known) if opened.format is None else fields.line(opened.format, known)
    return _Log(opened.file, line, opened.condition)


def _counts(part: Part) -> bool:
    return isinstance(part, Code) and part.letter in _BYTES


def _holds(entry: Entry, condition: str) -> bool:
    there = facts.variable(entry, condition.removeprefix("!"), first=True) is not None
    return there is not condition.startswith("!")
