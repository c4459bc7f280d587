"""Lines and words of a directives file (Apache's syntax)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gateway.directives.problems import Malformed, shown

_BLANKS = " \t\v\f\r"
_WORD = re.compile(
    r"""[ \t\v\f\r]*
    (?: "((?:[^"\\]|\\.)*)" | '((?:[^'\\]|\\.)*)' | ([^ \t\v\f\r"'][^ \t\v\f\r]*) )
    (?=[ \t\v\f\r]|\Z)""",
    re.VERBOSE | re.DOTALL,
)
_NAME = re.compile(r"(</?)?([^ \t\v\f\r>]*)[ \t\v\f\r]*")
_PLAIN_WORD = re.compile(r"[^\s\"'\\]+")


class Line(NamedTuple):
    """One logical line: `mark` is empty for a directive, `<` for a section's begin, `</` for its end."""

    number: int
    mark: str
    name: str
    arguments: str


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """(number of its first line, text) of each line that is not empty and no comment, continuations joined."""
    held: list[str] = []
    first = 0
    for number, raw in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        line = raw.removesuffix("\r")
        first = first if held else number
        if line.endswith("\\"):
            held.append(line[:-1])
            continue
        stripped = "".join([*held, line]).strip(_BLANKS)
        held.clear()
        if stripped and not stripped.startswith("#"):
            yield first, stripped
    rest = "".join(held).strip(_BLANKS)
    if rest and not rest.startswith("#"):
        yield first, rest


def parse_line(number: int, text: str) -> Line:
    """Split a logical line into its name and its arguments; a section's closing `>` is not checked yet."""
    match = _NAME.match(text)
    assert match is not None  # every part of the pattern is optional
    return Line(number, match[1] or "", match[2], text[match.end() :])


def section_arguments(line: Line) -> str:
    """The text between a section's name and its `>`."""
    inner, bracket, rest = line.arguments.rpartition(">")
    if not bracket or rest.strip(_BLANKS):
        raise Malformed(f"> at the end of {line.mark}{line.name}", shown([rest or line.arguments]))
    return inner.rstrip(_BLANKS)


def split_words(arguments: str) -> list[str]:
    r"""Words, divided by blanks. Within quotes `\` before the quote or another `\` takes it literally."""
    if "\0" in arguments:
        raise Malformed("text", "a NUL byte")
    words: list[str] = []
    position, end = 0, len(arguments.rstrip(_BLANKS))
    while position < end:
        match = _WORD.match(arguments, position, end)
        if match is None:
            raise Malformed("a closing quote followed by a blank", shown([arguments[position:].strip(_BLANKS)]))
        words.append(_unquoted(match))
        position = match.end()
    return words


def _unquoted(match: re.Match[str]) -> str:
    if match[1] is not None:
        return re.sub(r'\\([\\"])', r"\1", match[1])
    if match[2] is not None:
        return re.sub(r"\\([\\'])", r"\1", match[2])
    return match[3]


def quote(word: str) -> str:
    """The word as it is written in a directives file."""
    if _PLAIN_WORD.fullmatch(word):
        return word
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def join_words(words: Iterable[str]) -> str:
    """Arguments that split_words divides into these words again."""
    return " ".join(map(quote, words))
