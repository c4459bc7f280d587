"""The sections that are read or not: IfDefine, IfModule, IfVersion, IfFile, IfDirective, IfSection."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Container, Sequence
from typing import NamedTuple

from gateway.directives.directive import Container as Section
from gateway.directives.foreign.compatibility import VERSION, module_served
from gateway.directives.foreign.ignored import IGNORED
from gateway.directives.problems import Malformed, shown
from gateway.directives.steering import ROWS

CONDITIONS = ("ifdefine", "ifmodule", "ifversion", "iffile", "ifdirective", "ifsection")
_COMPARISONS: dict[str, Callable[[tuple[int, ...], tuple[int, ...]], bool]] = {
    "=": operator.eq,
    "==": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_NUMBERS = re.compile(r"[0-9]{1,9}(\.[0-9]{1,9}){0,2}", re.ASCII)


class Known(NamedTuple):
    """What conditions ask for: names of Define, modules of LoadModule, and whether a file exists."""

    defines: Container[str]
    loaded: Container[str]
    exists: Callable[[str], bool]


def holds(kind: str, words: Sequence[str], known: Known) -> bool:
    """Whether a section's content is read; `kind` is its name in lower case. Raises Malformed."""
    if kind == "ifversion":
        return _version(words)
    if len(words) != 1 or not words[0].removeprefix("!"):
        raise Malformed("one name, or ! and a name", shown(words))
    name = words[0].removeprefix("!")
    return _true(kind, name, known) != words[0].startswith("!")


def _true(kind: str, name: str, known: Known) -> bool:
    if kind == "ifdefine":
        return name in known.defines
    if kind == "ifmodule":
        return module_served(name, known.loaded)
    if kind == "iffile":
        return known.exists(name)
    row = ROWS.get(name.strip("<>").lower())
    if kind == "ifsection":
        return isinstance(row, Section)
    return name.lower() in IGNORED or (row is not None and not isinstance(row, Section))


def _version(words: Sequence[str]) -> bool:
    """`[[!]operator] version`, as in Apache's mod_version."""
    if len(words) not in (1, 2):
        raise Malformed("a version such as 2.4, or an operator and a version", shown(words))
    sign, version = ("=", words[0]) if len(words) == 1 else (words[0], words[1])
    wanted, sign = not sign.startswith("!"), sign.removeprefix("!") or "="
    if sign == "~" or (sign in ("=", "==") and re.fullmatch("/.*/", version)):
        return _matches(version[1:-1] if sign != "~" else version) == wanted
    if sign not in _COMPARISONS:
        raise Malformed(f"one of {' '.join(_COMPARISONS)} ~", shown([words[0]]))
    if not _NUMBERS.fullmatch(version):
        raise Malformed("a version such as 2.4 or 2.4.58", shown([version]))
    asked = [*map(int, version.split(".")), 0, 0][:3]
    return _COMPARISONS[sign](VERSION, tuple(asked)) == wanted


def _matches(regex: str) -> bool:
    try:
        return re.search(regex, ".".join(map(str, VERSION))) is not None
    except re.error as error:
        raise Malformed("a regular expression", f"{shown([regex])} ({error})") from error
