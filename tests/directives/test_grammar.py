from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives.grammar import (
    join_words,
    logical_lines,
    parse_line,
    section_arguments,
    split_words,
)
from gateway.directives.problems import Malformed


def test_comments_and_empty_lines_are_dropped_and_numbers_stay() -> None:
    assert list(logical_lines("# a\n\n  A 1\r\n\t# b\nB 2")) == [(3, "A 1"), (5, "B 2")]


def test_continued_lines_have_the_number_of_their_first() -> None:
    assert list(logical_lines("A 1 \\\n 2 \\\n\n# no \\\nB\nC \\")) == [(1, "A 1  2"), (6, "C")]


def test_a_byte_order_mark_is_no_part_of_a_name() -> None:
    assert list(logical_lines("\ufeffA")) == [(1, "A")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a b\tc", ["a", "b", "c"]),
        ('"a b" \'c "d\'', ["a b", 'c "d']),
        (r'"a\"b\\c\.d"', [r"a\"b\c\.d".replace(r"\"", '"')]),
        (r"^/a\.b$", [r"^/a\.b$"]),
        ('""', [""]),
        ("a#b", ["a#b"]),
        ('a"b', ['a"b']),
        ("", []),
    ],
)
def test_words_are_divided_and_unquoted(text: str, words: list[str]) -> None:
    assert split_words(text) == words


@pytest.mark.parametrize("text", ['"a', "'a\"", '"a"b', '"a\\"', "a\0b"])
def test_broken_quotes_are_refused(text: str) -> None:
    with pytest.raises(Malformed):
        split_words(text)


def test_a_section_line_gives_its_arguments() -> None:
    line = parse_line(3, '<FilesMatch "a>b" >')
    assert (line.mark, line.name, section_arguments(line)) == ("<", "FilesMatch", '"a>b"')


@pytest.mark.parametrize("text", ["<Files a", "<Files a> b", "</Files"])
def test_a_section_line_without_its_bracket_is_refused(text: str) -> None:
    with pytest.raises(Malformed, match="expected > at the end"):
        section_arguments(parse_line(1, text))


@given(st.lists(st.text(st.characters(exclude_characters="\0\n"))))
def test_words_are_read_as_they_were_written(words: list[str]) -> None:
    assert split_words(join_words(words)) == words


@given(st.lists(st.text(st.characters(exclude_characters="\0\n"), min_size=1), min_size=1))
def test_a_line_is_read_as_it_was_written(words: list[str]) -> None:
    [(number, text)] = logical_lines(f"Name {join_words(words)}")
    line = parse_line(number, text)
    assert (line.name, split_words(line.arguments)) == ("Name", words)
