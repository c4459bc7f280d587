"""Requests that come out of requests within the gateway: local redirects and error documents (as in Apache)."""

import html
import os

from gateway.directives import table
from gateway.program import Program
from gateway.protocol.environ import Request, message_variables, request_variables
from gateway.protocol.events import Head
from gateway.protocol.paths import BadPath, parse_path
from gateway.protocol.redirection import Redirection, Variables, redirect_variables
from gateway.request.conditional import add_conditional, conditions
from gateway.request.holder import inherited
from gateway.request.incoming import Record, redirected

_KEPT_OUT = (b"content-type", b"content-length", b"etag", b"last-modified")
_CONDITIONS = (
    b"if-match",
    b"if-none-match",
    b"if-modified-since",
    b"if-unmodified-since",
    b"if-range",
    b"range",
)


def by_program(record: Record, head: Head) -> Request:
    """What a program's local redirect asks for; its other headers go with the answer (RFC 3875, section 6.2.2
    has none; Apache sends them)."""
    assert head.local_redirect is not None
    request, before = record.request, record.request.came_by
    status, headers = (200, ()) if before is None else (before.status, before.headers)
    kept = tuple(pair for pair in head.headers if pair[0] not in _KEPT_OUT)
    variables = redirect_variables(_before(record), status=status, url=_url(request), query=request.query)
    cookie = inherited(record)
    kept += () if cookie is None else (cookie,)
    came_by = Redirection(status, request.uri, variables, headers + kept)
    following = redirected(request, head.local_redirect, came_by)
    if cookie is not None:  # as if the browser had it already
        following.headers = [(b"cookie", cookie[1].partition(b";")[0]), *following.headers]
    return following


def by_error(
    record: Record, target: str, status: int, notes: str, headers: tuple[tuple[bytes, bytes], ...]
) -> Request:
    """What ErrorDocument asks for in place of the page of an error; `notes` is the text for the client."""
    request = record.request
    variables = redirect_variables(
        _before(record),
        status=status,
        url=_url(request),
        query=request.query,
        notes=html.escape(notes).encode(),
    )
    came_by = Redirection(status, request.uri, variables, headers)
    return redirected(request, os.fsencode(target), came_by, drop=_CONDITIONS)


def _url(request: Request) -> bytes:
    """The decoded path; one that cannot be decoded as it came."""
    try:
        return parse_path(request.raw_path).decoded
    except BadPath:
        return request.raw_path.replace(b"\0", b"")


def _before(record: Record) -> Variables:
    """The variables that the first request had: those of its program, else those of its URL."""
    request, program = record.request, _program(record)
    if program is not None:
        info = parse_path(request.raw_path).after(program.cgi_name).path_info
        message = message_variables(
            request,
            program.variables,
            path_info=info,
            content_length=None,
            translate=program.translate,
            remote_user=record.user,
        )
        add_conditional(message, program.conditions, request, program.variables)
        return request_variables(request, program.variables, message)
    given = record.settings[table.SetEnv].effective(os.environ)
    variables = {os.fsencode(name): os.fsencode(value) for name, value in given.items()}
    variables |= {} if request.came_by is None else request.came_by.variables
    variables |= {} if record.user is None else {b"REMOTE_USER": record.user}
    add_conditional(variables, conditions(record.settings), request, {})
    return variables | {b"REQUEST_METHOD": request.method.encode()}


def _program(record: Record) -> Program | None:
    if record.matched is not None:
        return record.matched[0].program
    return record.found if isinstance(record.found, Program) else None
