"""The ready-made format `json`: one object a line."""

import json
from collections.abc import Callable

from gateway.logs.access import facts
from gateway.logs.access.entry import Entry
from gateway.logs.access.facts import Facts
from gateway.logs.access.moments import iso
from gateway.logs.access.text import readable

_encode = json.JSONEncoder(separators=(",", ":")).encode


def line(known: Facts) -> Callable[[Entry], bytes]:
    """What writes a line; every character beyond printable ASCII is escaped."""

    def written(entry: Entry) -> bytes:
        return _encode(_object(entry, known)).replace("\x7f", "\\u007f").encode("ascii") + b"\n"

    return written


def _object(entry: Entry, known: Facts) -> dict[str, str | int | None]:
    """Null is what there is not. `duration`, `program_time` and `queue_time` in microseconds, `bytes` of the
    body as it was sent."""
    asked, record = entry.request, entry.record
    handle, state = known.session(entry)
    referer = facts.header(entry, b"referer")
    return {
        "time": iso(entry.started),
        "client": facts.client(entry),
        "user": _text(record.user),
        "method": asked.method,
        "path": readable(known.raw_path(entry, True)),
        "query": readable(asked.query),
        "protocol": readable(facts.protocol(entry)),
        "status": entry.status,
        "bytes": entry.size,
        "duration": int(entry.seconds * 1_000_000),
        "host": readable(facts.named_host(entry)),
        "referer": None if referer is None else readable(known.url(entry, referer)),
        "user_agent": _text(facts.header(entry, b"user-agent")),
        "request_id": readable(asked.unique_id),
        "cgi_name": _text(facts.cgi_name(entry)),
        "session": handle,
        "session_state": state,
        "session_request": facts.number(entry),
        "program_time": facts.program_time(entry),
        "queue_time": facts.queue_time(entry),
    }


def _text(value: bytes | None) -> str | None:
    return None if value is None else readable(value)
