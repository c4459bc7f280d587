"""What a target is, and what all of them use."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from hypothesis import strategies as st

NAMES = (
    "grammar",
    "directives",
    "mapping",
    "fields",
    "response",
    "scgi",
    "link",
    "keeper",
    "htpasswd",
    "logformat",
)
CASES = Path(__file__).parent / "cases"
TARGETS = Path(__file__).parent / "targets"


class Target(NamedTuple):
    """`check` takes one input and raises whatever must not happen; errors that are declared it swallows.

    `seeds`: whole inputs to begin with; `words`: pieces that the format is made of; `longest`: bytes of one.
    """

    about: str
    check: Callable[[bytes], None]
    seeds: Sequence[bytes]
    words: Sequence[bytes]
    longest: int = 512

    @property
    def inputs(self) -> st.SearchStrategy[bytes]:
        """Inputs of seeds, words and rubbish."""
        piece = st.one_of(
            st.sampled_from([*self.words, *self.seeds]), st.sampled_from(self.words), st.binary(max_size=8)
        )
        return st.lists(piece, max_size=16).map(lambda pieces: b"".join(pieces)[: self.longest])


def load(name: str) -> Target:
    """The target of this name."""
    module = importlib.import_module(f"tests.fuzz.targets.{name}")
    target: Target = module.TARGET
    return target


def cases(name: str) -> Iterator[tuple[str, bytes]]:
    """Inputs that once led to an error."""
    for path in sorted((CASES / name).glob("*")):
        yield path.name, path.read_bytes()


def cut(data: bytes, places: bytes) -> list[bytes]:
    """The data in pieces; each byte of `places` is the length of one, in turn. Without any: byte by byte."""
    ends, at = [0], 0
    while at < len(data):
        at = min(len(data), at + 1 + (places[len(ends) % len(places)] if places else 0))
        ends.append(at)
    return [data[start:end] for start, end in pairwise(ends)]


def options(data: bytes) -> tuple[int, bytes, bytes]:
    """The beginning of an input steers, the rest is read: eight flags, three bytes for `cut`, the rest."""
    return (data[0] if data else 0), data[1:4], data[4:]
