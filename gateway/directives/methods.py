"""`<Limit>` and `<LimitExcept>`: the methods for which a rule about access counts (Apache's core; pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gateway.directives.directive import Container, Words
from gateway.directives.problems import Malformed, shown

_NAME = re.compile(r"[A-Z][A-Z0-9_-]*")


@dataclass(frozen=True)
class Methods:
    """`names`, or (`excepted`) every method but these, unknown ones too. GET stands for HEAD as well."""

    names: tuple[str, ...]
    excepted: bool = False

    def __contains__(self, method: object) -> bool:
        return isinstance(method, str) and (counted(method) in self.names) != self.excepted

    def __str__(self) -> str:
        """The begin of the section."""
        return f"<{(EXCEPT if self.excepted else LIMIT).name} {' '.join(self.names)}>"


def _container(name: str, text: str) -> Container:
    return Container(name, syntax="method …", contexts="DLF", inside="", origin="Apache", help=text)


LIMIT = _container(
    "Limit",
    "The Require lines, their groups, Order, Allow, Deny and Satisfy in it count for these methods only; a "
    "request of which nothing is said is let in. GET is HEAD too. `<LimitExcept>` is safer, as it leaves out "
    "nothing that is not named. A Limit within another one must have fewer methods.",
)
EXCEPT = _container(
    "LimitExcept",
    "The Require lines, their groups, Order, Allow, Deny and Satisfy in it count for all methods but these, "
    "unknown ones too. GET is HEAD too.",
)
LIMITS = (LIMIT, EXCEPT)


def counted(method: str) -> str:
    """The name under which a method counts (Apache: GET and HEAD have one number)."""
    return "GET" if method == "HEAD" else method


def read_methods(section: Container, words: Words, outer: Methods | None) -> Methods:
    """Those for which the lines of a section count; `outer`: of the one around it. Raises Malformed as Apache
    does, and for names that are no methods."""
    bad = next((word for word in words if not _NAME.fullmatch(word)), None)
    if not words or bad is not None:
        raise Malformed(
            "methods in capital letters, such as GET POST", shown(words[:0] if bad is None else [bad])
        )
    if section is LIMIT and "TRACE" in words:
        raise Malformed("methods that are served, which TRACE is not", shown(words))
    own = Methods(tuple(dict.fromkeys(map(counted, words))), section is EXCEPT)
    return own if outer is None else _both(outer, own)


def _both(outer: Methods, inner: Methods) -> Methods:
    if outer.excepted and inner.excepted:
        both = Methods(tuple(dict.fromkeys(outer.names + inner.names)), True)
    elif outer.excepted:
        both = Methods(tuple(name for name in inner.names if name not in outer.names))
    else:
        both = Methods(tuple(name for name in outer.names if name in inner))
    if not both.names:
        raise Malformed(f"some of the methods of {outer}, the section around it", str(inner))
    if len(both.names) == len(outer.names) and both.excepted == outer.excepted:
        raise Malformed(f"fewer methods than in {outer}, the section around it", str(inner))
    return both


def within(methods: Methods | None, lines: Iterable[Words]) -> Iterator[Words]:
    """The lines between the begin and the end of the section that says this; None: of none."""
    if methods is None:
        yield from lines
    else:
        yield [str(methods)]
        yield from lines
        yield [f"</{(EXCEPT if methods.excepted else LIMIT).name}>"]
