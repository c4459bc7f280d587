"""Bytes of a request as text of a log (Apache: "%r, %i and %o … are escaped"). Pure."""

import re

_SPECIAL = re.compile(rb'[^\x20-\x7e]|["\\]')
_NAMED = {0x08: "\\b", 0x09: "\\t", 0x0A: "\\n", 0x0B: "\\v", 0x0D: "\\r", 0x22: '\\"', 0x5C: "\\\\"}


def escaped(data: bytes) -> str:
    """Printable ASCII; a quote and a backslash with a backslash before them, white space as in C, everything
    else as `\\xhh`, so that no value can end its quotes or its line."""
    if _SPECIAL.search(data) is None:
        return data.decode("ascii")
    return "".join(
        _NAMED.get(byte) or (chr(byte) if 0x20 <= byte < 0x7F else f"\\x{byte:02x}") for byte in data
    )


def readable(data: bytes) -> str:
    """Text for JSON, which escapes it: UTF-8, other bytes as `\\xhh`."""
    return data.decode("utf-8", "backslashreplace")
