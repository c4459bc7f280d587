"""Files of users and of groups, in the form of Apache's htpasswd and mod_authz_groupfile."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, NamedTuple, TypeVar

from gateway.access.hashes import is_hash

T = TypeVar("T")
Groups = Mapping[str, frozenset[str]]


class Users(NamedTuple):
    """Names to what stands behind them; `hashes` are those that can be verified."""

    stored: Mapping[bytes, bytes]
    hashes: tuple[bytes, ...]


def parse_users(text: bytes) -> Users:
    """The first line of a name counts; what follows a second colon is dropped (Apache)."""
    stored: dict[bytes, bytes] = {}
    for name, rest in _entries(text):
        stored.setdefault(name, rest.partition(b":")[0].strip())
    return Users(stored, tuple(filter(is_hash, stored.values())))


def parse_groups(text: bytes) -> Groups:
    """Users to their groups; several lines of one group add up."""
    groups: dict[str, set[str]] = {}
    for group, rest in _entries(text):
        for user in rest.split():
            groups.setdefault(as_text(user), set()).add(as_text(group))
    return {user: frozenset(names) for user, names in groups.items()}


def as_text(name: bytes) -> str:
    """A name as the directives file has it."""
    return name.decode("utf-8", "surrogateescape")


def _entries(text: bytes) -> Iterator[tuple[bytes, bytes]]:
    for line in text.split(b"\n"):
        stripped = line.strip()
        name, colon, rest = stripped.partition(b":")
        if colon and name and not stripped.startswith(b"#"):
            yield name.rstrip(), rest


class Watched(Generic[T]):
    """Files of one kind; one that has changed is read again by whoever asks next."""

    def __init__(self, parse: Callable[[bytes], T]) -> None:
        self._parse = parse
        self._known: dict[str, tuple[tuple[int, ...], T]] = {}

    def __getitem__(self, path: str) -> T:
        """What a file says now. Raises OSError."""
        known = self._known.get(path)
        if known is not None and known[0] == _stamp(os.stat(path)):
            return known[1]
        with open(path, "rb") as file:
            stamp, content = _stamp(os.fstat(file.fileno())), self._parse(file.read())
        self._known[path] = stamp, content
        return content


def _stamp(found: os.stat_result) -> tuple[int, ...]:
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_dev
