"""What can be wrong with a directives file, and where."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from typing import NamedTuple, TypeVar

BUILT_IN = "built in"  # in place of a file's name: lines that hold without a word in any file


class Place(NamedTuple):
    """One line of one file; line 0 is the file as a whole."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


class Problem(NamedTuple):
    """An error: the file is refused."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


class Notice(NamedTuple):
    """Something the administrator should know; the file is accepted."""

    place: Place
    text: str

    def __str__(self) -> str:
        return f"{self.place}: notice: {self.text}"


class Notices:
    """Notices, one for each key: where it was first so, and how often again."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[Notice, int]] = {}

    def add(self, key: str, place: Place, text: str) -> None:
        """One more notice; of those with the same key the first one's text counts."""
        first, count = self._found.get(key, (Notice(place, text), -1))
        self._found[key] = first, count + 1

    def all(self) -> list[Notice]:
        """The notices in order of first mention."""
        return [
            Notice(first.place, f"{first.text} (and {more} more)") if more else first
            for first, more in self._found.values()
        ]


Located = TypeVar("Located", Problem, Notice)


class ConfigurationErrors(Exception):
    """Every problem of a directives file, and the notices that were found so far, in order of reading."""

    def __init__(self, problems: Sequence[Problem], notices: Sequence[Notice] = ()) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = tuple(problems)
        self.notices = tuple(notices)


class Malformed(ValueError):
    """Arguments that a directive cannot take."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(f"expected {expected}, found {found}")


def shown(words: Iterable[str]) -> str:
    """The words as an error message quotes them."""
    text = " ".join(words)
    return f'"{text}"' if text else "nothing"


def suggestion(name: str, known: Iterable[str]) -> str:
    """A sentence that names the nearest known name, or an empty string."""
    lowered = {one.lower(): one for one in known}
    near = difflib.get_close_matches(name.lower(), lowered, n=1)
    return f"; did you mean {lowered[near[0]]}?" if near else ""


def in_order(found: Iterable[Located]) -> list[Located]:
    """Sorted by file, in order of first mention, then by line."""
    listed = list(found)
    files = {file: number for number, file in enumerate(dict.fromkeys(one.place.file for one in listed))}
    return sorted(listed, key=lambda one: (files[one.place.file], one.place.line))
