"""The header block of a CGI response: bytes in, `Head` out (RFC 3875, section 6.3)."""

import re
from enum import Enum
from functools import lru_cache

from gateway.protocol.conditions import Validators
from gateway.protocol.events import Advice, Head

_FOLD = re.compile(rb"\r?\n[ \t]+")
_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
_STATUS = re.compile(rb"([1-9][0-9]{2})(?:[ \t].*)?")
_STATUS_LINE = re.compile(rb"HTTP/[0-9]\.[0-9] +([0-9]{3}(?: .*)?)")
_SECRET = re.compile(rb"(?i)((?:accept-htsession|location)[: \t]*\S{4})\S+")
_SUSPECTS = bytes([*range(9), *range(11, 32), 127])
_CONTROL = re.compile(rb"\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_SHOWN = 60
_SHORT = 512
_MOST_DIGITS = 18
_MOST_MINUTES = 10**9
_NO_ADVICE = Advice()


class MalformedHead(ValueError):
    """The header block breaks the rules; the text says what was expected and what was found."""


class _Rule(Enum):
    KEEP = "passed on"
    DROP = "the gateway's own business"
    SINGLE = "at most one value"
    LAST = "the last one counts, as under Apache"
    ADVICE = "for the gateway (H2)"


_KEEP, _DROP, _SINGLE, _LAST, _ADVICE = _Rule


_RULES = (
    dict.fromkeys((b"accept-htsession", b"httimeout"), _ADVICE)
    | dict.fromkeys((b"status", b"location", b"content-length"), _SINGLE)
    | {b"content-type": _LAST}
    | dict.fromkeys((b"connection", b"keep-alive", b"te", b"trailer", b"transfer-encoding", b"upgrade"), _DROP)
    | dict.fromkeys((b"date", b"server"), _DROP)
)


def excerpt(data: bytes) -> str:
    """The beginning of `data`, quoted and escaped for a log, handles masked (W3)."""
    start = _SECRET.sub(rb"\1...", data[: 4 * _SHOWN])
    return repr(start[:_SHOWN])[1:] + ("…" if len(start) > _SHOWN else "")


def read_head(block: bytes) -> Head:
    """As `parse_head`, but a program that sends the same short block again is not read again."""
    return _remembered(block) if len(block) <= _SHORT else parse_head(block)


def parse_head(block: bytes) -> Head:
    """Read a header block that ends with its blank line. Raises MalformedHead."""
    single: dict[bytes, bytes] = {}
    headers: list[tuple[bytes, bytes]] = []
    advice: list[tuple[int, bytes, bytes]] = []
    for position, line in enumerate(_lines(block)):
        raw_name, colon, value = line.partition(b":")
        if not colon:
            raise MalformedHead(f"expected a header line 'Name: value', found {excerpt(line)}")
        name, rule = _field(raw_name)
        value = value.strip(b" \t")
        if rule is _KEEP:
            headers.append((name, value))
        elif rule is _ADVICE:
            advice.append((position, name, value))
        elif rule is _LAST:
            single[name] = value
        elif rule is _SINGLE and single.setdefault(name, value) != value:
            raise MalformedHead(f"expected one {name.decode()} header, found two that differ")
    return _head(single, headers, _advise(advice) if advice else _NO_ADVICE)


def from_status_line(block: bytes) -> bytes:
    """The block of an NPH program (RFC 3875, section 5) in the form of others. Raises MalformedHead."""
    line, _, rest = block.partition(b"\n")
    found = _STATUS_LINE.fullmatch(line.rstrip(b"\r"))
    if found is None:
        raise MalformedHead(f"expected HTTP/1.1, a status and a reason, found {excerpt(line)}")
    return (rest.rstrip(b"\r\n") + b"\nStatus: " + found[1]).lstrip(b"\n") + b"\n\n"


def parse_minutes(raw: bytes) -> int | None:
    """HTTimeout's number (H7): minutes, at most 10**9; None when it is not a non-negative decimal integer."""
    if not raw.isdigit():
        return None
    digits = raw.lstrip(b"0")
    return min(int(digits or b"0"), _MOST_MINUTES) if len(digits) <= _MOST_DIGITS else _MOST_MINUTES


def _lines(block: bytes) -> list[bytes]:
    """Header lines without line ends, continuation lines joined (RFC 9112, section 5.2)."""
    if len(block.translate(None, _SUSPECTS)) != len(block) and (found := _CONTROL.search(block)):
        line = block[block.rfind(b"\n", 0, found.start()) + 1 :]
        raise MalformedHead(f"expected header lines without control characters, found {excerpt(line)}")
    if block.find(b"\n ") >= 0 or block.find(b"\n\t") >= 0:
        block = _FOLD.sub(b" ", block)
    lines = block.splitlines()
    lines.pop()
    if not lines:
        raise MalformedHead("expected a header line before the blank line, found none")
    return lines


_remembered = lru_cache(maxsize=2048)(parse_head)


@lru_cache(maxsize=512)
def _field(raw_name: bytes) -> tuple[bytes, _Rule]:
    if not _TOKEN.fullmatch(raw_name):
        raise MalformedHead(f"expected a header name (RFC 9110, section 5.6.2), found {excerpt(raw_name)}")
    name = raw_name.lower()
    return name, _DROP if name.startswith(b"proxy-") else _RULES.get(name, _KEEP)


def _head(single: dict[bytes, bytes], headers: list[tuple[bytes, bytes]], advice: Advice) -> Head:
    status = _status(single[b"status"]) if b"status" in single else 200
    location = single.get(b"location")
    local = None
    if location is not None and status == 200:
        if _is_local(location):
            location, local = None, location
        else:
            status = 302
    if location is not None:
        headers.append((b"location", location))
    if b"content-type" in single:
        headers.append((b"content-type", single[b"content-type"]))
    length = None
    if b"content-length" in single:
        length = _length(single[b"content-length"]) if status != 204 and local is None else None
        if length is not None:
            headers.append((b"content-length", b"%d" % length))
    validators = _validators(headers) if status == 200 and local is None else None
    return Head(status, headers, location, local, length, advice, b"status" in single, validators)


def _validators(headers: list[tuple[bytes, bytes]]) -> Validators | None:
    found = dict(headers)
    etag, modified = found.get(b"etag", b""), found.get(b"last-modified", b"")
    return Validators(etag, modified) if etag or modified else None


def _is_local(location: bytes) -> bool:
    """A path for the server itself (RFC 3875, section 6.2.2); `//host/path` is one for the client."""
    if not location:
        raise MalformedHead("expected a URL or a path after Location:, found nothing")
    return location.startswith(b"/") and not location.startswith(b"//")


def _status(value: bytes) -> int:
    found = _STATUS.fullmatch(value)
    if found is None or not 200 <= (status := int(found[1])) <= 599:
        raise MalformedHead(f"expected Status: 200 to 599 and a reason, found {excerpt(value)}")
    return status


def _length(value: bytes) -> int:
    if not value.isdigit() or len(value) > _MOST_DIGITS:
        raise MalformedHead(f"expected a number of bytes after Content-Length:, found {excerpt(value)}")
    return int(value)


def _advise(found: list[tuple[int, bytes, bytes]]) -> Advice:
    """Choose among the gateway headers, given with their line numbers from 0."""
    handle = timeout = None
    complaints = []
    for position, name, value in found:
        if name == b"accept-htsession":
            if handle is None:
                handle = value
                complaints += ["Accept-HTSession is not the first header"] if position else []
            elif value != handle:
                complaints.append("two different Accept-HTSession headers")
        elif handle is None:
            complaints.append("HTTimeout without an Accept-HTSession before it")
        elif timeout is None:
            timeout = value
        elif value != timeout:
            complaints.append("two different HTTimeout headers")
    return Advice(handle, timeout, tuple(dict.fromkeys(complaints)))
