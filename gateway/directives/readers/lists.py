"""Readers of values that add up: aliases, names, handlers, options, hosts of activation groups."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from gateway.directives.directive import Merging, Words
from gateway.directives.foreign.handlers import HANDLERS, handler
from gateway.directives.problems import Malformed, shown, suggestion
from gateway.directives.readers.values import HostName, absolute

Aliases = tuple[tuple[str, str], ...]


def _appended(values: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(item for value in values for item in value)


def _updated(values: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return MappingProxyType({key: item for value in values for key, item in value.items()})


COLLECTED: Merging[Any] = Merging(
    "lines of one section add up; an inner section's replace the outer's",
    _appended,
    lambda outer, inner: inner,
    inherits=False,
)
IN_FRONT: Merging[Any] = Merging(
    "lines add up; a virtual host's come before the main server's",
    _appended,
    lambda outer, inner: inner + outer,
)
UPDATED: Merging[Any] = Merging(
    "lines add up, by key; the last one of a key counts",
    _updated,
    lambda outer, inner: _updated([outer, inner]),
)


class AliasReader(NamedTuple):
    """`url-path target`."""

    syntax: str = "url-path directory|file"

    def read(self, words: Words, root: str) -> Aliases:
        """One pair (URL path, absolute path); a trailing slash counts on both sides, as in Apache."""
        if len(words) != 2:
            raise Malformed(self.syntax, shown(words))
        url, target = words
        if not url.startswith("/"):
            raise Malformed("a URL path that begins with /", shown([url]))
        return ((url, absolute(target, root)),)

    def lines(self, value: Aliases) -> Iterable[Words]:
        """One line for each pair."""
        return value


def targets(value: Aliases) -> list[str]:
    """What must exist for an alias."""
    return [target for _, target in value]


class NameListReader(NamedTuple):
    """Host names, in which `*` and `?` match any text and any character."""

    syntax: str = "name …"

    def read(self, words: Words, root: str) -> tuple[str, ...]:
        """The names in lower case, without ports."""
        if not words:
            raise Malformed("one or more host names", shown(words))
        return tuple(HostName().read([word], root) for word in words)

    def lines(self, value: tuple[str, ...]) -> Iterable[Words]:
        """One line."""
        return [value] if value else []


class IndexReader(NamedTuple):
    """File names, or `disabled`."""

    syntax: str = "file … | disabled"

    def read(self, words: Words, root: str) -> tuple[str, ...]:
        """The names; none if disabled."""
        if not words or "" in words:
            raise Malformed("one or more file names, or disabled", shown(words))
        return () if [word.lower() for word in words] == ["disabled"] else tuple(words)

    def lines(self, value: tuple[str, ...]) -> Iterable[Words]:
        """One line."""
        return [value or ("disabled",)]


def extension(word: str) -> str:
    """A file name extension in lower case, with its dot."""
    if not re.fullmatch(r"\.?[^./\s]+", word):
        raise Malformed("a file name extension such as .cgi", shown([word]))
    return "." + word.removeprefix(".").lower()


class HandlerReader(NamedTuple):
    """`handler .ext …`."""

    syntax: str = f"{'|'.join(HANDLERS)} .ext …"

    def read(self, words: Words, root: str) -> Mapping[str, str | None]:
        """Extension to handler."""
        if len(words) < 2:
            raise Malformed(self.syntax, shown(words))
        name = handler(words[0])
        return MappingProxyType({extension(word): name for word in words[1:]})

    def lines(self, value: Mapping[str, str | None]) -> Iterable[Words]:
        """One line for each extension."""
        return [(name, ext) for ext, name in value.items() if name is not None]


class HostChoice(NamedTuple):
    """The kind of host that runs a file, and the options it is started with."""

    kind: str
    options: tuple[tuple[str, str], ...]

    def option(self, name: str) -> str | None:
        """The value of one option, or None."""
        return dict(self.options).get(name)


class ActivationGroupReader(NamedTuple):
    """`host .ext … [option=value …]`; every option of a kind is a path."""

    kinds: Mapping[str, tuple[str, ...]]

    @property
    def syntax(self) -> str:
        """Kinds and options."""
        return " | ".join(
            " ".join([kind, ".ext …", *(f"[{name}=/path]" for name in options)])
            for kind, options in self.kinds.items()
        )

    def read(self, words: Words, root: str) -> Mapping[str, HostChoice]:
        """Extension to host."""
        kind = words[0].lower() if words else ""
        if kind not in self.kinds:
            raise Malformed(
                f"a kind of host: {', '.join(self.kinds)}", shown(words[:1]) + suggestion(kind, self.kinds)
            )
        options = tuple(self._option(kind, word, root) for word in words[1:] if "=" in word)
        extensions = [extension(word) for word in words[1:] if "=" not in word]
        if not extensions:
            raise Malformed(self.syntax, shown(words))
        return MappingProxyType(dict.fromkeys(extensions, HostChoice(kind, options)))

    def _option(self, kind: str, word: str, root: str) -> tuple[str, str]:
        name, _, value = word.partition("=")
        if name.lower() not in self.kinds[kind]:
            raise Malformed(f"an option of {kind}: {', '.join(self.kinds[kind])}", shown([word]))
        return name.lower(), absolute(value, root)

    def lines(self, value: Mapping[str, HostChoice]) -> Iterable[Words]:
        """One line for each extension."""
        return [(choice.kind, ext, *map("=".join, choice.options)) for ext, choice in value.items()]


def option_paths(value: Mapping[str, HostChoice]) -> list[str]:
    """What must exist for the options of hosts."""
    return [path for choice in value.values() for _, path in choice.options]
