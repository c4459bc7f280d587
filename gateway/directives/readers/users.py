"""Readers of `AuthType`, `AuthName` and `AuthBasicProvider`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.values import only

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
BASIC = "Basic"


class AuthTypeReader(NamedTuple):
    """`Basic` or `None`."""

    syntax: str = "Basic|None"

    def read(self, words: Words, root: str) -> str | None:
        """`Basic`, or None."""
        word = only(words, self.syntax).lower()
        if word in ("digest", "form"):
            raise Malformed(f"{self.syntax}: {word} is not available, use Basic under TLS", shown(words))
        if word not in ("basic", "none"):
            raise Malformed(self.syntax, shown(words))
        return BASIC if word == "basic" else None

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word."""
        return [[value or "None"]]


class RealmReader(NamedTuple):
    """A text for people."""

    syntax: str = "text"

    def read(self, words: Words, root: str) -> str:
        """The text; it goes into a header (RFC 7617, section 2)."""
        word = only(words, "one text (in quotes if it has blanks)")
        if _CONTROL.search(word):
            raise Malformed("a text without control characters", shown(words))
        return word

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word; none where there is no text."""
        return [] if value is None else [[value]]


class ProviderReader(NamedTuple):
    """`file`."""

    syntax: str = "file"

    def read(self, words: Words, root: str) -> str:
        """The one provider."""
        if [word.lower() for word in words] != ["file"]:
            raise Malformed("file, the one provider that there is", shown(words))
        return "file"

    def lines(self, value: str) -> Iterable[Words]:
        """One word."""
        return [[value]]
