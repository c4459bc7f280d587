"""Readers of single values."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.units import format_size, format_time, parse_size, parse_time

_HOST_NAME = re.compile(
    r"(?:https?://)?([a-z0-9_.*?-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.ASCII | re.IGNORECASE
)


def only(words: Words, expected: str) -> str:
    """The single word of a line."""
    if len(words) != 1:
        raise Malformed(expected, shown(words))
    return words[0]


def absolute(path: str, root: str) -> str:
    """The path from root without dot segments; one trailing slash is kept."""
    if not path:
        raise Malformed("a path", "an empty text")
    joined = "/" + posixpath.normpath(posixpath.join(root, path)).lstrip("/")
    return joined + "/" if path.endswith("/") and joined != "/" else joined


class Integer(NamedTuple):
    """A whole number."""

    minimum: int
    maximum: int = 999_999_999
    syntax: str = "n"

    def read(self, words: Words, root: str) -> int:
        """The number, within its bounds."""
        expected = f"a whole number from {self.minimum} to {self.maximum}"
        word = only(words, expected)
        if not re.fullmatch("[0-9]{1,9}", word) or not self.minimum <= int(word) <= self.maximum:
            raise Malformed(expected, shown(words))
        return int(word)

    def lines(self, value: int) -> Iterable[Words]:
        """One word."""
        return [[str(value)]]


class Time(NamedTuple):
    """A time in seconds; the words of a line are one text (`2 mins 30 secs`)."""

    minimum: float = 0.0
    syntax: str = "time"

    def read(self, words: Words, root: str) -> float:
        """Seconds."""
        seconds = parse_time(" ".join(words))
        if seconds < self.minimum:
            raise Malformed(f"a time of at least {format_time(self.minimum)}", shown(words))
        return seconds

    def lines(self, value: float) -> Iterable[Words]:
        """One word."""
        return [[format_time(value)]]


class Size(NamedTuple):
    """A number of bytes."""

    minimum: int = 0
    syntax: str = "size"

    def read(self, words: Words, root: str) -> int:
        """Bytes."""
        size = parse_size(only(words, "one size"))
        if size < self.minimum:
            raise Malformed(f"a size of at least {self.minimum}", shown(words))
        return size

    def lines(self, value: int) -> Iterable[Words]:
        """One word."""
        return [[format_size(value)]]


class Choice(NamedTuple):
    """One of some names, in any letter case."""

    names: tuple[str, ...]

    @property
    def syntax(self) -> str:
        """The names with bars between."""
        return "|".join(self.names)

    def read(self, words: Words, root: str) -> str:
        """The name as the table writes it."""
        word = only(words, f"one of {', '.join(self.names)}")
        for name in self.names:
            if name.lower() == word.lower():
                return name
        raise Malformed(f"one of {', '.join(self.names)}", shown(words))

    def lines(self, value: str) -> Iterable[Words]:
        """One word."""
        return [[value]]


class OptionalChoice(NamedTuple):
    """One of some names, or `None`."""

    choice: Choice

    @property
    def syntax(self) -> str:
        """The names and None."""
        return f"{self.choice.syntax}|None"

    def read(self, words: Words, root: str) -> str | None:
        """The name, or None."""
        name = Choice((*self.choice.names, "None")).read(words, root)
        return None if name == "None" else name

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word."""
        return [[value or "None"]]


class Path(NamedTuple):
    """An absolute path, or one of some words that stand for themselves."""

    syntax: str
    words: tuple[str, ...] = ()

    def read(self, words: Words, root: str) -> str:
        """The path, made absolute."""
        word = only(words, f"one path ({self.syntax})")
        if word.startswith(("|", "syslog")):
            raise Malformed(self.syntax, shown(words))
        return word if word in self.words else absolute(word, root)

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word; none where there is no path."""
        return [[value]] if value else []


def path_itself(value: str | None) -> list[str]:
    """What must exist for a Path."""
    return [value] if value else []


def folder_of(value: str | None) -> list[str]:
    """What must exist for a Path that is written: its folder."""
    return [value.rpartition("/")[0] or "/"] if value and "/" in value else []


class Text(NamedTuple):
    """One word, whatever it says; None where there is none."""

    syntax: str

    def read(self, words: Words, root: str) -> str | None:
        """The word."""
        return only(words, f"one {self.syntax}")

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word; none where there is none."""
        return [] if value is None else [[value]]


class HostName(NamedTuple):
    """A host name or address; a scheme and a port are accepted and dropped (they do not choose a host)."""

    syntax: str = "[scheme://]name[:port]"

    def read(self, words: Words, root: str) -> str:
        """The name in lower case, without scheme and port."""
        match = _HOST_NAME.fullmatch(only(words, "one host name"))
        if match is None:
            raise Malformed("a host name", shown(words))
        return match[1].lower()

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word; none where there is no name."""
        return [] if value is None else [[value]]
