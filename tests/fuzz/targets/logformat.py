"""Formats of access logs, and the lines that they make of requests of all kinds."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

from gateway.configuration.load import Host
from gateway.directives.problems import Malformed
from gateway.directives.readers.logformat import READY_MADE, Code, Part, parse
from gateway.directives.settings import Settings
from gateway.logs.access import json_lines
from gateway.logs.access.entry import Entry
from gateway.logs.access.facts import Facts
from gateway.logs.access.fields import line
from gateway.logs.access.masks import Masks
from gateway.protocol.environ import Request
from gateway.request.incoming import Record
from gateway.sessions.handle import HandleMint
from tests.fuzz.target import Target
from tests.sessions.world import World

_NEW_LINE = re.compile("%[-_0^#+]*[0-9]*[EO]?n")  # strftime(3), with glibc's flags and modifiers


@dataclass
class Connection:
    """A client's connection that is not there."""

    sent: int = 10
    received: int = 20
    logged: int = 0
    logged_received: int = 0
    running: object = None
    client: tuple[str, int] | None = ("192.0.2.1", 5)
    transport: Any = None
    lost: bool = False
    stays: bool = True

    def get_extra_info(self, name: str) -> None:
        """No TLS."""


@cache
def _known() -> tuple[Facts, Host]:
    host = Host("", "main server", (), (), Settings({}, {}), (), (), ())
    world = World()
    world.leave_time()
    return Facts(Masks(world.registry, HandleMint(bytes(16)))), host


def check(data: bytes) -> None:
    """A format is read or refused; written again it is the same; a line ends only where its format says so."""
    first, _, rest = data.partition(b"\0")
    text = first.decode("utf-8", "surrogateescape")
    try:
        parts = parse(text)
    except Malformed as error:
        assert "%" in text and "expected" in str(error)
        return
    assert parse("".join(map(_written, parts))) == _joined(parts)
    known, host = _known()
    entry = _entry(host, rest)
    own = sum(part.count("\n") for part in parts if isinstance(part, str))
    own += sum(_line_ends(part) for part in parts if isinstance(part, Code))
    made = line(parts, known)(entry)
    assert made.endswith(b"\n") and made.count(b"\n") <= own + 1, made
    logged = _json()(entry)
    assert logged.count(b"\n") == 1 and logged.endswith(b"}\n")


@cache
def _json() -> Callable[[Entry], bytes]:
    return json_lines.line(_known()[0])


def _line_ends(code: Code) -> int:
    return code.argument.count("\n") + len(_NEW_LINE.findall(code.argument)) if code.letter == "t" else 0


def _written(part: Part) -> str:
    """A part as a format has it."""
    if isinstance(part, str):
        return part.replace("\\", "\\\\").replace("%", "%%")
    statuses = "!" * part.unless + ",".join(f"{status:03d}" for status in sorted(part.statuses))
    argument = f"{{{part.argument}}}" if part.argument else ""
    return f"%{statuses}{'<' if part.first else '>'}{argument}{part.letter}"


def _joined(parts: tuple[Part, ...]) -> tuple[Part, ...]:
    """As `parse` cuts what `_written` gives: at every percent sign."""
    found: list[Part] = []
    held = ""
    for part in parts:
        if isinstance(part, Code):
            found += [*_cut(held), part]
            held = ""
        else:
            held += part
    return (*found, *_cut(held))


def _cut(text: str) -> list[str]:
    pieces = [piece for one in text.split("%") for piece in (one, "%")][:-1]
    return [piece for piece in pieces if piece]


def _entry(host: Host, data: bytes) -> Entry:
    """A request that says what the data say, in every place."""
    path, _, more = data.partition(b"\0")
    headers = [(name, more) for name in (b"referer", b"host", b"cookie", b"authorization", b"user-agent", b"x")]
    request = Request(
        "GET", b"/" + path, more, "1.1", headers, ("192.0.2.9", 1), ("192.0.2.1", 80), "http", b"id"
    )
    connection = Connection()
    connection.transport = connection
    record = Record(host, request)
    record.user = more
    entry = Entry(record, request, connection, lambda entry: None)
    entry.status, entry.seconds = 200 + len(data) % 300, 0.25
    entry.headers = [(b"location", more), (b"x", path)]
    return entry


SEEDS = [
    *(text.encode() + b"\0cgi-bin/a/handle\0q=1" for text in READY_MADE.values()),
    b"%400,501{User-Agent}i %!200,304r %>s %<s\0a\0b",
    b"%{%F %T}t %{begin:msec}t %{end:usec_frac}t %{us}T %D\0a\0b",
    b'%{HTSESSION}x %{HTSESSION_STATE}x %{X}^ti %^FB %% \\n\\t\0%ff\0"\n',
]
WORDS = [
    *(f"%{letter}".encode() for letter in "abABDfhHkLlmpPqrRstTuUvVXIOS"), b"%{", b"}i", b"}o", b"}e", b"}t",
    b"}x",
    b"}C", b"}n", b"}p", b"%", b"%%", b"%>", b"%<", b"%!", b"200", b",", b"404", b"\\", b"\\n", b"\\t", b'"',
    b"\0",
    b"\n", b"\r", b"\xff", b"\xc2\x85", b"Referer", b"Cookie", b"a=b;", b"canonical", b"%Y", b"begin:",
    b"end:", b"^FB",
]  # fmt: skip
TARGET = Target("LogFormat", check, SEEDS, WORDS)
