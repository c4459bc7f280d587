"""The words of an indexed query as arguments of a program (RFC 3875, section 4.4)."""

import re
from urllib.parse import unquote_to_bytes

_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_OPTION = re.compile(rb"(?:\A|[\x00-\x20])-")
_MOST = 65536  # bytes of a query that is split at all
_MOST_WORDS = 1024


def search_words(method: str, query: bytes) -> tuple[bytes, ...]:
    """The decoded words of a GET or HEAD query without an unencoded `=`; none if one cannot be an argument.

    A word that an interpreter behind a wrapper could take for an option makes the whole query not indexed
    (CVE-2012-1823).
    """
    if not query or b"=" in query or method not in ("GET", "HEAD") or len(query) > _MOST:
        return ()
    if _BAD_ESCAPE.search(query) or query.count(b"+") >= _MOST_WORDS:
        return ()
    words = tuple(unquote_to_bytes(word) for word in query.split(b"+"))
    return () if any(b"\0" in word or _OPTION.search(word) for word in words) else words
