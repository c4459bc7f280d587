"""ScriptLog: what a failing program was sent and what it said (Apache: mod_cgi, "CGI Debugging")."""

import asyncio
import re
import time
from collections.abc import Iterable, Sequence
from typing import Any

from gateway.directives import table
from gateway.errors import BadAnswer, CannotStart, GatewayError, NoAnswerInTime
from gateway.logs.access.masks import Masks, masked
from gateway.logs.error import LogFiles, escape, stamp
from gateway.program import Program
from gateway.protocol.environ import Request
from gateway.request.incoming import Incoming
from gateway.sessions.call import Call

_FAILURES = (BadAnswer, NoAnswerInTime)
_SECRET = (b"authorization", b"proxy-authorization", b"cookie", b"set-cookie")
_HANDLE = b"accept-htsession"
_LONGEST_HANDLE = 128
_MOST_OUTPUT = 8192
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+):[ \t]*(.*)")


class ScriptLogs:
    """Writes into the log of a program's host; the files were opened at the start."""

    def __init__(self, files: LogFiles, masks: Masks) -> None:
        self._files, self._masks = files, masks

    def cannot_start(self, on: Incoming, program: Program, error: CannotStart) -> None:
        """A program that could not be started."""
        if program.keeps_output:
            self._write(program, [*self._heading(on, program, error), b"%%error", _line(error.log.encode())])

    def failed(self, on: Incoming, call: Call, error: GatewayError) -> None:
        """A program that did not answer properly. It is written when the program has exited: its last words on
        standard error are known then."""
        if not isinstance(error, _FAILURES):
            return
        known = [call.handle, *(call.session.handles.accepted if call.session is not None else ())]
        limit = call.program.settings[table.ScriptLogBuffer]
        lines = [*self._heading(on, call.program, error), *self._request(on, limit)]
        lines += self._response(on.host.key, bytes(call.output or b""), known)

        def exited(facts: "asyncio.Future[dict[str, Any]]") -> None:
            tail = [
                self._masks.text(line.encode("utf-8", "replace"), tuple(known))
                for line in facts.result()["tail"]
            ]
            self._write(call.program, [*lines, *([b"%stderr", *map(_line, tail)] if tail else [])])

        call.instance.exited.add_done_callback(exited)

    def _heading(self, on: Incoming, program: Program, error: GatewayError) -> list[bytes]:
        now = stamp(time.time()).encode()
        line = _line(self._request_line(on.request, program.name[0]))
        return [
            b"%%%% [%b] %b" % (now, line),
            b"%%%% %d %b" % (error.status, _line(program.file.encode("utf-8", "replace"))),
        ]

    def _request_line(self, request: Request, host: str) -> bytes:
        target = request.raw_path + (b"?" + request.query if request.query else b"")
        shown = self._masks.url(host, target)
        return b"%b %b HTTP/%b" % (request.method.encode(), shown, request.http_version.encode())

    def _request(self, on: Incoming, limit: int) -> list[bytes]:
        host = on.host.key
        fields = [b"%b: %b" % (name, self._value(host, name, value)) for name, value in on.request.headers]
        body = self._masks.text(on.body.in_memory[: limit + _LONGEST_HANDLE])[:limit]
        return [b"%request", *map(_line, fields), *([b"", *_lines(body)] if body else [])]

    def _value(self, host: str, name: bytes, value: bytes) -> bytes:
        if name in _SECRET:
            return b"(masked)"
        if name == _HANDLE:
            return masked(value)
        return self._masks.url(host, value) if b"/" in value else self._masks.text(value)

    def _response(self, host: str, output: bytes, known: Sequence[bytes]) -> list[bytes]:
        """The headers as far as they are some, then what else was written. All of it was kept: a handle that
        is cut in two could not be masked."""
        fields, rest = _split(output)
        shown = [b"%b: %b" % (name, self._value(host, name.lower(), value)) for name, value in fields]
        text = self._masks.text(rest, tuple(known))[:_MOST_OUTPUT]
        return [b"%response", *map(_line, shown), *([b"%stdout", *_lines(text)] if text else [])]

    def _write(self, program: Program, lines: Iterable[bytes]) -> None:
        path = program.settings[table.ScriptLog]
        file = None if path is None else self._files.open(path)
        if file is not None and file.size < program.settings[table.ScriptLogLength]:
            file.write(b"\n".join(lines) + b"\n")


def _split(output: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    fields: list[tuple[bytes, bytes]] = []
    rest = output
    while rest:
        line, _, behind = rest.partition(b"\n")
        found = _FIELD.fullmatch(line.rstrip(b"\r"))
        if found is None:
            return fields, rest if line.strip() else behind
        fields.append((found[1], found[2]))
        rest = behind
    return fields, rest


def _lines(data: bytes) -> list[bytes]:
    return [_line(line) for line in data.removesuffix(b"\n").split(b"\n")]


def _line(line: bytes) -> bytes:
    """One line: controls escaped, and nothing that looks like one of the log's own headings."""
    text = escape(line.decode("utf-8", "backslashreplace").rstrip("\r"))
    return (f"\\x25{text[1:]}" if text.startswith("%") else text).encode()
