"""What the parser cannot read, as the error that the client is told."""

import re
from http import HTTPMethod

import httptools

from gateway.errors import BadRequest, GatewayError, NotImplementedHere

_METHOD = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,64}) \S+ HTTP/1\.[01]\r\n")
_METHODS = frozenset(method.encode() for method in HTTPMethod)


class Enough(Exception):
    """More requests than this connection serves."""


def meaning(error: httptools.HttpParserError, data: bytes) -> GatewayError | None:
    """What to answer; None when the client merely sends more than this connection serves."""
    cause = error.__context__
    if isinstance(error, httptools.HttpParserCallbackError) and cause is not None:
        if isinstance(cause, GatewayError):
            return cause
        if isinstance(cause, Enough):
            return None
        raise cause
    if isinstance(error, httptools.HttpParserInvalidMethodError):
        line = _METHOD.match(data)  # of the first request in it: of later ones nothing more is known
        if line is not None and line[1] not in _METHODS:
            return NotImplementedHere(f"an unknown method ({error})")
    return BadRequest(f"not HTTP: {error}")
