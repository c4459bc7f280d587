"""Conditional requests on what a program answers with validators (RFC 9110, section 13)."""

import re
from collections.abc import Sequence
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import NamedTuple

Headers = Sequence[tuple[bytes, bytes]]

_TAG = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_NOT_WITH_304 = (
    b"content-length",
    b"content-type",
    b"content-encoding",
    b"content-language",
    b"content-range",
)


class Validators(NamedTuple):
    """ETag and Last-Modified of a response as they were sent; empty when absent."""

    etag: bytes
    modified: bytes


def outcome(validators: Validators, method: str, request: Headers) -> int:
    """200, 304 or 412 for a response of status 200 (RFC 9110, section 13.2.2); other methods than GET and HEAD
    are not conditional here: the program has already acted."""
    if method not in ("GET", "HEAD"):
        return 200
    asked = {name: value for name, value in request if name.startswith(b"if-")}
    if b"if-match" in asked:
        if not _matches(asked[b"if-match"], validators.etag, weakly=False):
            return 412
    elif b"if-unmodified-since" in asked and _changed_since(validators, asked[b"if-unmodified-since"]) is True:
        return 412
    if b"if-none-match" in asked:
        return 304 if _matches(asked[b"if-none-match"], validators.etag, weakly=True) else 200
    if b"if-modified-since" in asked and _changed_since(validators, asked[b"if-modified-since"]) is False:
        return 304
    return 200


def without_content(headers: Headers) -> list[tuple[bytes, bytes]]:
    """The headers that a 304 or 412 keeps of the response it stands for."""
    return [pair for pair in headers if pair[0] not in _NOT_WITH_304]


def _matches(condition: bytes, etag: bytes, *, weakly: bool) -> bool:
    """Whether a list of entity tags, or `*`, names this one (section 8.8.3.2)."""
    if condition.strip() == b"*":
        return True
    if not etag or (not weakly and etag.startswith(b"W/")):
        return False
    tags = _TAG.findall(condition)
    return _opaque(etag) in map(_opaque, tags) if weakly else etag in tags


def _opaque(tag: bytes) -> bytes:
    return tag.removeprefix(b"W/")


def _changed_since(validators: Validators, date: bytes) -> bool | None:
    """None when one of the two dates is missing or not one."""
    modified, since = _date(validators.modified), _date(date)
    return None if modified is None or since is None else modified > since


def _date(text: bytes) -> datetime | None:
    try:
        found = parsedate_to_datetime(text.decode("latin-1"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo is not None else None
