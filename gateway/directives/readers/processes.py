"""Readers of what processes may use and who they are: RLimit*, User, Group, SuexecUserGroup."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.units import format_size, parse_size
from gateway.directives.readers.values import only

_LARGEST_ID = 2**32 - 2  # the one above means "unchanged" to the kernel
_LARGEST_LIMIT = 2**62
MOST_AHEAD = 1000
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)


class ResourceLimit(NamedTuple):
    """Soft and hard limit; None is `max`, the most that the gateway itself may use."""

    soft: int | None
    hard: int | None


class LimitReader(NamedTuple):
    """`soft|max [hard|max]`; `size`: bytes, with K, M, G. One word leaves the hard limit as it is (Apache)."""

    size: bool = False

    @property
    def syntax(self) -> str:
        """One or two limits."""
        return "size|max [size|max]" if self.size else "n|max [n|max]"

    def read(self, words: Words, root: str) -> ResourceLimit:
        """Both limits."""
        if not 1 <= len(words) <= 2:
            raise Malformed(self.syntax, shown(words))
        soft, hard = self._limit(words[0]), self._limit(words[1]) if len(words) == 2 else None
        if hard is not None and (soft or 0) > hard:
            raise Malformed("a first limit that is not above the second", shown(words))
        return ResourceLimit(soft, hard)

    def _limit(self, word: str) -> int | None:
        if word.lower() == "max":
            return None
        if not self.size and not _NUMBER.fullmatch(word):
            raise Malformed("a whole number or max", shown([word]))
        number = parse_size(word) if self.size else int(word)
        if not 0 < number <= _LARGEST_LIMIT:
            raise Malformed(f"a limit from 1 to {_LARGEST_LIMIT}", shown([word]))
        return number

    def lines(self, value: ResourceLimit | None) -> Iterable[Words]:
        """One line."""
        return [] if value is None else [[self._text(value.soft), self._text(value.hard)]]

    def _text(self, limit: int | None) -> str:
        if limit is None:
            return "max"
        return format_size(limit) if self.size else str(limit)


class AccountReader(NamedTuple):
    """The name of a user or group, or `#` and its number; whether it exists is asked at load."""

    kind: str

    @property
    def syntax(self) -> str:
        """A name or a number."""
        return f"{self.kind}|#number"

    def read(self, words: Words, root: str) -> str:
        """The word as it stands."""
        return account(only(words, f"one {self.kind} ({self.syntax})"), self.kind)

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word; none where nobody is named."""
        return [] if value is None else [[value]]


class UserGroup(NamedTuple):
    """Both words of SuexecUserGroup."""

    user: str
    group: str


class UserGroupReader(NamedTuple):
    """`user group`."""

    syntax: str = "user|#number group|#number"

    def read(self, words: Words, root: str) -> UserGroup:
        """The words as they stand."""
        if len(words) != 2:
            raise Malformed(self.syntax, shown(words))
        return UserGroup(account(words[0], "user"), account(words[1], "group"))

    def lines(self, value: UserGroup | None) -> Iterable[Words]:
        """One line."""
        return [] if value is None else [value]


def account(word: str, kind: str) -> str:
    """A name or `#number`. Raises Malformed."""
    number = word.removeprefix("#")
    valid = word != number and _NUMBER.fullmatch(number) and int(number) <= _LARGEST_ID
    if not valid and (not word or word.startswith("#") or ":" in word):
        raise Malformed(f"the name of a {kind}, or # and its number", shown([word]))
    return word


class Ahead(NamedTuple):
    """How many hosts are kept ready, and the user profile that a file of IBM i names with it."""

    number: int
    user: str = ""


class AheadReader(NamedTuple):
    """`n [user]`."""

    syntax: str = "n [user]"

    def read(self, words: Words, root: str) -> Ahead:
        """The number, and the name as it is written."""
        expected = f"a whole number up to {MOST_AHEAD}, and at most the name of a user"
        if not 1 <= len(words) <= 2 or not _NUMBER.fullmatch(words[0]) or int(words[0]) > MOST_AHEAD:
            raise Malformed(expected, shown(words))
        return Ahead(int(words[0]), *words[1:])

    def lines(self, value: Ahead) -> Iterable[Words]:
        """One line."""
        return [[str(value.number), value.user] if value.user else [str(value.number)]]
