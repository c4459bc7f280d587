"""Formats of access logs (Apache: mod_log_config, "Custom Log Formats"; mod_logio)."""

from __future__ import annotations

import re
from typing import NamedTuple

from gateway.directives.problems import Malformed, shown

COMMON = '%h %l %u %t "%r" %>s %b'
COMBINED = COMMON + ' "%{Referer}i" "%{User-Agent}i"'
JSON = "json"
READY_MADE = {
    "common": COMMON,
    "combined": COMBINED,
    "vhost_combined": f"%v:%p {COMBINED}",
    JSON: JSON,
}

_PLAIN = (*"abABDfhHkLlmpPqrRstTuUvVXIOS", "^FB")
_NAMED = ("C", "e", "i", "n", "o", "x", "^ti", "^to")
KNOWN = "%% " + " ".join([f"%{letter}" for letter in _PLAIN] + [f"%{{…}}{letter}" for letter in _NAMED])
_ARGUMENTS = {
    "p": ("canonical", "local", "remote"),
    "P": ("pid", "tid", "hextid"),
    "T": ("s", "ms", "us"),
}
OF_FIRST = frozenset("sUTDrR")  # those that mean the request as it came, not as it was redirected (Apache)
_LITERALS = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\"}
_CODE = re.compile(r"%(?:%|(?P<marks>(?:[<>]|!?[0-9]{3}(?:,[0-9]{3})*)*)(?:\{(?P<argument>[^}]*)\})?"
                   r"(?P<more>[<>]*)(?P<letter>\^(?:FB|ti|to)|[A-Za-z]))")  # fmt: skip


class Code(NamedTuple):
    """One code. `first`: of the request as it came, else as it was redirected. `statuses`: logged for these
    only (`unless`: for all others), else `-`; none are all."""

    letter: str
    argument: str
    first: bool
    statuses: frozenset[int] = frozenset()
    unless: bool = False


Part = str | Code


def parse(text: str) -> tuple[Part, ...]:
    """The parts of a format: text as it is, and codes. Raises Malformed with the place of what is unknown."""
    parts: list[Part] = []
    at = 0
    while (percent := text.find("%", at)) >= 0:
        found = _CODE.match(text, percent)
        if found is None:
            raise _unknown(text, percent)
        parts += [_literal(text[at:percent]), "%" if found["letter"] is None else _code(found, percent)]
        at = found.end()
    parts.append(_literal(text[at:]))
    return tuple(part for part in parts if part)


def _code(found: re.Match[str], percent: int) -> Code:
    letter, argument, marks = found["letter"], found["argument"] or "", found["marks"] + found["more"]
    if letter not in _PLAIN and letter not in _NAMED:
        raise _unknown(found.string, percent)
    if letter in _NAMED and not argument:
        raise Malformed(f"%{{name}}{letter} at character {percent + 1}", shown([found[0]]))
    if argument and argument not in _ARGUMENTS.get(letter, (argument,)):
        known = ", ".join(f"%{{{one}}}{letter}" for one in _ARGUMENTS[letter])
        raise Malformed(f"one of {known} at character {percent + 1}", shown([found[0]]))
    directions = re.findall("[<>]", marks)
    first = directions[-1] == "<" if directions else letter in OF_FIRST
    statuses = frozenset(map(int, re.findall("[0-9]{3}", marks)))
    return Code(letter, argument, first, statuses, "!" in marks)


def _unknown(text: str, percent: int) -> Malformed:
    return Malformed(
        f"a known code at character {percent + 1} ({KNOWN})", shown([text[percent : percent + 12]])
    )


def _literal(text: str) -> str:
    """`\\n`, `\\t`, `\\r` and `\\\\` stand for what they do in C; other backslashes for themselves."""
    return re.sub(r"\\([ntr\\])", lambda found: _LITERALS[found[1]], text)
