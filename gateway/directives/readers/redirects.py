"""`Redirect` and its kin (mod_alias), and `ErrorDocument` (core)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import quote

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.substitution import Substitution

_WORDS = {"permanent": 301, "temp": 302, "seeother": 303, "gone": 410}
_FOUND = 302
_SAFE = "/:@!$&'()*+,;=~"  # what a path may hold as it is (RFC 3986, section 3.3)
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*:[\x21-\x7e]+")
_PATH = re.compile(r"/[\x21-\x7e]*")


@dataclass(frozen=True)
class Redirection:
    """URLs that live elsewhere, or nowhere (`target` None).

    `path`: at and below it; `pattern`: those that match; both None: all.
    """

    status: int
    target: str | None
    path: str | None = None
    pattern: str | None = None
    _regex: Substitution | None = field(init=False, repr=False, compare=False, default=None)

    def __post_init__(self) -> None:
        if self.pattern is not None:
            object.__setattr__(self, "_regex", Substitution(self.pattern, self.target or ""))

    def location(self, url: str) -> str | None:
        """Where a decoded URL path is sent to (empty: nowhere); None when this one is not about it."""
        if self._regex is not None:
            found = self._regex.apply(url, _quoted)
            return None if found is None else _one_slash(found)
        if self.path is None:
            return self.target or ""
        below = self.path if self.path.endswith("/") else self.path + "/"
        if url != self.path and not url.startswith(below):
            return None
        return _one_slash(self.target + _quoted(url[len(self.path) :])) if self.target else ""

    @property
    def words(self) -> Words:
        """The arguments of a `Redirect` or `RedirectMatch` line that says the same."""
        name = self.path if self.pattern is None else self.pattern
        return [str(self.status), *(word for word in (name, self.target) if word is not None)]


Redirections = tuple[Redirection, ...]


def _quoted(text: str) -> str:
    return quote(text, safe=_SAFE, errors="surrogateescape")


def _one_slash(location: str) -> str:
    """A path of this server stays one: `//name` would be another server's."""
    return "/" + location.lstrip("/") if location.startswith("/") else location


class RedirectReader(NamedTuple):
    """`[status] [url-path] url`; `fixed` is the status of those that name none."""

    regex: bool = False
    fixed: int | None = None

    @property
    def syntax(self) -> str:
        """The arguments."""
        name = "regex" if self.regex else "url-path"
        return f"{name} url" if self.fixed else f"[status] {name} url"

    def read(self, words: Words, root: str) -> Redirections:
        """One redirection."""
        status, rest = (self.fixed, list(words)) if self.fixed else self._status(words)
        if 300 <= status <= 399:
            name, target = self._name_and_target(rest, words)
        else:
            name, target = self._name(rest, words), None
        if self.regex:
            return (Redirection(status, target, pattern=name),)
        return (Redirection(status, target, path=name),)

    def _status(self, words: Words) -> tuple[int, list[str]]:
        first = words[0].lower() if words else ""
        if not first.isascii() or not (first.isdecimal() or first in _WORDS):
            return _FOUND, list(words)
        status = _WORDS.get(first) or int(first[:4])
        if not 300 <= status <= 599:
            raise Malformed("a status from 300 to 599", shown(words[:1]))
        return status, list(words[1:])

    def _name_and_target(self, rest: list[str], words: Words) -> tuple[str | None, str]:
        if not rest or len(rest) > 2 or (self.regex and len(rest) != 2):
            raise Malformed(self.syntax, shown(words))
        target = rest[-1]
        if not self.regex and not _URL.fullmatch(target) and not _PATH.fullmatch(target):
            raise Malformed("a URL, or a path that begins with /, to redirect to", shown([target]))
        return self._name(rest[:-1], words), target

    def _name(self, rest: list[str], words: Words) -> str | None:
        if len(rest) > 1 or (self.regex and not rest):
            raise Malformed(f"{self.syntax} (a url only with a status from 300 to 399)", shown(words))
        if rest and not self.regex and not rest[0].startswith("/"):
            raise Malformed("a URL path that begins with /", shown(rest))
        return rest[0] if rest else None

    def lines(self, value: Redirections) -> Iterable[Words]:
        """One line for each of this kind; those of the fixed kinds are written as `Redirect`."""
        if self.fixed:
            return []
        return [one.words for one in value if (one.pattern is not None) == self.regex]


class Document(NamedTuple):
    """What is sent for an error: `kind` is "text", "path" (of this server), "url" or "default"."""

    kind: str
    value: str


Documents = Mapping[int, Document]


class DocumentReader(NamedTuple):
    """`status document`."""

    syntax: str = 'status /url-path|url|"text"|default'

    def read(self, words: Words, root: str) -> Documents:
        """Status to document."""
        if len(words) != 2 or not words[1]:
            raise Malformed(f"{self.syntax} (a text of several words in quotes)", shown(words))
        code, value = words
        if not re.fullmatch("[45][0-9]{2}", code, re.ASCII):
            raise Malformed("a status from 400 to 599", shown([code]))
        return MappingProxyType({int(code): self._document(int(code), value)})

    def _document(self, status: int, value: str) -> Document:
        if value.lower() == "default":
            return Document("default", "default")
        if value.startswith("/"):
            if not _PATH.fullmatch(value):
                raise Malformed("a URL path without blanks (encode them as %20)", shown([value]))
            return Document("path", value)
        if not re.match("(?:https?|ftp)://", value, re.IGNORECASE):
            return Document("text", value)
        if not _URL.fullmatch(value):
            raise Malformed("a URL without blanks", shown([value]))
        if status == HTTPStatus.UNAUTHORIZED:
            raise Malformed("for 401 a text or a path of this server (a URL could not ask)", shown([value]))
        return Document("url", value)

    def lines(self, value: Documents) -> Iterable[Sequence[str]]:
        """One line for each status."""
        return [(str(status), document.value) for status, document in value.items()]
