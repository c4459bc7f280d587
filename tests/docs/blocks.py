"""The fenced blocks of all pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from manual.links import FENCE, pages, prose
from tests.blackbox.harness import ROOT


class Fenced(NamedTuple):
    """A fenced block: its page below the repository, line, language ("" for none), word behind that, text."""

    page: str
    line: int
    language: str
    name: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


@cache
def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def fenced() -> list[Fenced]:
    """Every fenced block of every page."""
    return [block for page in pages(ROOT) for block in blocks_of(str(page.relative_to(ROOT)), text_of(page))]


def blocks_of(page: str, text: str) -> Iterator[Fenced]:
    """The fenced blocks of a text."""
    for found in FENCE.finditer(text):
        language, _, name = found[3].partition(" ")
        body = re.sub(rf"^{found[1]}", "", found[4], flags=re.MULTILINE)
        yield Fenced(page, text.count("\n", 0, found.start()) + 1, language, name, body)


def indented(text: str) -> list[int]:
    """The lines at which blocks begin that are code by their indentation alone."""
    lines = prose(text).split("\n")
    return [
        number + 1
        for number, line in enumerate(lines)
        if re.match(r" {4}\S", line)
        and number
        and not lines[number - 1].strip()
        and not _in_list(lines, number)
    ]


def _in_list(lines: list[str], number: int) -> bool:
    before = next((line for line in reversed(lines[:number]) if line.strip() and line[0] != " "), "")
    return bool(re.match(r"(?:[*-]|\d+\.) ", before))
