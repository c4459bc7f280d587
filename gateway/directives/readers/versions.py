"""Versions of TLS: `SSLProtocol` (Apache, mod_ssl)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown

SERVED = ("TLSv1.2", "TLSv1.3")
_OLD = ("SSLv2", "SSLv3", "TLSv1", "TLSv1.1")
_NAMES = {name.lower(): name for name in (*_OLD, *SERVED)}
Versions = tuple[str, ...]


class VersionsReader(NamedTuple):
    """`[+|-]version …`, `all` for every one; old versions may be named and are never served."""

    syntax: str = "[+|-]all|TLSv1.2|TLSv1.3 …"

    def read(self, words: Words, root: str) -> Versions:
        """The versions that are spoken."""
        chosen: set[str] = set()
        for word in words:
            sign, name = (word[0], word[1:].lower()) if word[:1] in ("+", "-") else ("", word.lower())
            named = set(_NAMES.values()) if name == "all" else {_NAMES.get(name, "")}
            if "" in named:
                raise Malformed(self.syntax, shown([word]))
            chosen = chosen - named if sign == "-" else chosen | named if sign == "+" else named
            if not sign and len(words) > 1 and name != "all" and word is not words[0]:
                raise Malformed("+ or - before each version but the first", shown(words))
        spoken = tuple(version for version in SERVED if version in chosen)
        if not spoken:
            raise Malformed("TLSv1.2 or TLSv1.3 (older versions are not spoken)", shown(words))
        return spoken

    def lines(self, value: Versions) -> Iterable[Words]:
        """One line."""
        first, *more = value
        return [[first, *(f"+{version}" for version in more)]]
