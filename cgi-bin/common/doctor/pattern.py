"""Patterns of words: `* my * @family *`.

`*` is any words or none, `_` one word, `@class` one word of a class: these are the parts, counted from 1. All
other words stand for themselves.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

Parts = list[list[str]]


class Place(NamedTuple):
    """Room for one word: for one of `words`, for any if there are none."""

    words: frozenset[str]
    is_part: bool

    def takes(self, word: str) -> bool:
        return word in self.words or not self.words


class Run(NamedTuple):
    """Places side by side, `anywhere` behind what came before (a `*`) or right behind it."""

    anywhere: bool
    places: list[Place]

    def starts(self, keys: Sequence[str], at: int, is_last: bool) -> Iterator[int]:
        """Where this run fits, leftmost first; the last run must reach the end."""
        end = len(keys) - len(self.places)
        first = max(at, end) if is_last and self.anywhere else at
        for start in range(first, (end if self.anywhere else min(at, end)) + 1):
            if all(place.takes(keys[start + offset]) for offset, place in enumerate(self.places)):
                yield start


class Pattern:
    """Time to match: the words of the text times those of the pattern, since no choice is ever taken back. A
    run that is placed as far left as it can be leaves the most room to those behind it."""

    def __init__(self, text: str, classes: Mapping[str, frozenset[str]]) -> None:
        """`text` in lower case. Raises ValueError."""
        self._runs = [Run(False, [])]
        self.parts = 0
        for word in text.split():
            if word == "*":
                if self._runs[-1] == (True, []):
                    raise ValueError("'* *' is one '*'")
                self._runs.append(Run(True, []))
            else:
                self._runs[-1].places.append(_place(word, classes))
            self.parts += word == "*" or self._runs[-1].places[-1].is_part

    def match(self, words: Sequence[str], keys: Sequence[str]) -> Parts | None:
        """The words of each part, if the pattern fits the whole text; `keys`: the words in lower case."""
        parts: Parts = []
        at = 0
        for run in self._runs:
            start = next(run.starts(keys, at, run is self._runs[-1]), None)
            if start is None:
                return None
            if run.anywhere:
                parts.append(list(words[at:start]))
            at = start + len(run.places)
            parts += [[word] for word, place in zip(words[start:at], run.places, strict=True) if place.is_part]
        return parts if at == len(words) else None


def _place(word: str, classes: Mapping[str, frozenset[str]]) -> Place:
    if word == "_":
        return Place(frozenset(), True)
    if word.startswith("@"):
        if word[1:] not in classes:
            raise ValueError(
                f"there is no class {word}; expected one of {', '.join(f'@{name}' for name in classes)}"
            )
        return Place(classes[word[1:]], True)
    return Place(frozenset((word,)), False)
