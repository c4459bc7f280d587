"""File name extensions: their handlers and types, and how both are taken back (mod_mime)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.lists import extension

PROGRAM_TYPE = "application/x-httpd-cgi"

_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+\-]+/[A-Za-z0-9!#$&^_.+\-]+(?:;[\x20-\x7e]+)?")

ByExtension = Mapping[str, str | None]


def media_type(word: str) -> str:
    """A media type. Raises Malformed."""
    if not _TYPE.fullmatch(word):
        raise Malformed("a media type such as text/html", shown([word]))
    if word.lower().startswith(("application/x-httpd-php", "text/x-server-parsed")):
        raise Malformed("a type of files that may be read: their source would be shown", shown([word]))
    return word


class TypeReader(NamedTuple):
    """`type .ext …`."""

    syntax: str = "media-type .ext …"

    def read(self, words: Words, root: str) -> ByExtension:
        """Extension to type."""
        if len(words) < 2:
            raise Malformed(self.syntax, shown(words))
        return MappingProxyType({extension(word): media_type(words[0]) for word in words[1:]})

    def lines(self, value: ByExtension) -> Iterable[Words]:
        """One line for each extension."""
        return [(kind, ext) for ext, kind in value.items() if kind is not None]


class RemovalReader(NamedTuple):
    """`.ext …`."""

    syntax: str = ".ext …"

    def read(self, words: Words, root: str) -> ByExtension:
        """Extension to nothing."""
        if not words:
            raise Malformed(self.syntax, shown(words))
        return MappingProxyType(dict.fromkeys(map(extension, words)))

    def lines(self, value: ByExtension) -> Iterable[Words]:
        """One line for all."""
        removed = [ext for ext, kind in value.items() if kind is None]
        return [removed] if removed else []


class ForcedTypeReader(NamedTuple):
    """`type`, or `None`."""

    syntax: str = "media-type|None"

    def read(self, words: Words, root: str) -> str | None:
        """The type, None when none is forced."""
        if len(words) != 1:
            raise Malformed(self.syntax, shown(words))
        return None if words[0].lower() == "none" else media_type(words[0])

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word."""
        return [[value or "None"]]
