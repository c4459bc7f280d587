"""What a front says of an instance, looked at before it is kept: it is used when nobody waits for an answer.

A front may be an attacker's (it talks to everybody): what it says can cost it its own life, never the keeper's.
All functions raise LookupError, TypeError, ValueError or OverflowError for what no front says that works as it
should.
"""

import math
from collections.abc import Mapping
from typing import Any

from gateway.logs.session import Ending

_LONGEST_GRACE = 1e9  # seconds
_LATEST = 253_402_300_799.0  # the end of the year 9999, in seconds since 1970


def about_of(fields: Mapping[str, Any]) -> dict[str, Any]:
    """`about` of `recipe` and `start_warm`: host, cgi_name, shared."""
    about = fields["about"]
    name = text_of(about["cgi_name"])
    name.encode("latin-1")
    return {"host": text_of(about["host"]), "cgi_name": name, "shared": bool(about["shared"])}


def grace_of(fields: Mapping[str, Any]) -> float:
    """`grace`: seconds between the steps of T3."""
    return _number(fields["grace"], _LONGEST_GRACE)


def tag_of(fields: Mapping[str, Any]) -> int:
    """`tag`: the answer carries it back."""
    tag = fields["tag"]
    if not isinstance(tag, int):
        raise TypeError(f"expected a tag that is a whole number, found {tag!r:.60}")
    return tag


def ending_of(fields: Mapping[str, Any]) -> Ending:
    """`ending` of `account`."""
    ending = Ending(**fields["ending"])
    for name, wanted in Ending.__annotations__.items():
        value = getattr(ending, name)
        if wanted is float:
            _number(value, _LATEST)
        elif not isinstance(value, wanted):
            raise TypeError(f"expected {name} of type {wanted.__name__}, found {value!r:.60}")
    return ending


def text_of(value: Any) -> str:
    """Text that can be encoded."""
    if not isinstance(value, str):
        raise TypeError(f"expected text, found {value!r:.60}")
    value.encode()
    return value


def _number(value: Any, most: float) -> float:
    if not isinstance(value, (int, float)) or not math.isfinite(value) or not 0 <= value <= most:
        raise ValueError(f"expected a number from 0 to {most:g}, found {value!r:.60}")
    return float(value)
