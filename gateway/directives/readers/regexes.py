"""Regular expressions in PCRE's spelling, as Apache's files have them, with its defaults: `.` is any
character, a line feed too (DOTALL), `$` only the very end (DOLLAR_ENDONLY)."""

from __future__ import annotations

import re

from gateway.directives.problems import Malformed, shown

_NAMED_GROUP = re.compile(r"\(\?<(?=[A-Za-z_])")
_CLASS = re.compile(r"\[:(\^?)([a-z]+):\]")
_END = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\$", re.DOTALL)  # among what else has a dollar sign
_CLASSES = {
    "alnum": "0-9A-Za-z",
    "alpha": "A-Za-z",
    "blank": r" \t",
    "digit": "0-9",
    "lower": "a-z",
    "punct": r"!-/:-@\[-`{-~",
    "space": r"\s",
    "upper": "A-Z",
    "word": r"\w",
    "xdigit": "0-9A-Fa-f",
}


def compiled(text: str, *, ignore_case: bool = False) -> re.Pattern[str]:
    """The pattern. Raises Malformed for what is no regular expression, or one of PCRE's own."""
    regex = _END.sub(_end, _CLASS.sub(_class, _NAMED_GROUP.sub("(?P<", text)))
    return checked(regex, re.DOTALL | re.IGNORECASE * ignore_case, text)


def checked(regex: str, flags: int = 0, text: str = "") -> re.Pattern[str]:
    """The pattern of one in Python's spelling; `text` is what the file says. Raises Malformed."""
    try:
        return re.compile(regex, flags)
    except (re.error, OverflowError, RecursionError) as error:
        raise Malformed("a regular expression", f"{shown([text or regex])} ({error})") from error


def _end(match: re.Match[str]) -> str:
    return r"\Z" if match[0] == "$" else match[0]


def _class(match: re.Match[str]) -> str:
    if match[1] or match[2] not in _CLASSES:
        raise Malformed(f"a class of characters: {', '.join(_CLASSES)}", shown([match[0]]))
    return _CLASSES[match[2]]
