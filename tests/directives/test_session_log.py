"""SessionLog: what it takes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives import table
from gateway.directives.problems import Malformed
from gateway.directives.readers.logs import FileReader

READER = FileReader()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["logs/s"], "/srv/logs/s"),
        (["/var/log/s"], "/var/log/s"),
        (["stdout"], "stdout"),
        (["stderr"], "stderr"),
    ],
)
def test_a_file_is_taken_from_ServerRoot_and_the_standard_ones_are_themselves(
    words: list[str], found: str
) -> None:
    assert READER.read(words, "/srv") == found


@pytest.mark.parametrize("words", [[], [""], ["a", "b"], ["|/usr/bin/rotatelogs x"], ["syslog:local7"]])
def test_anything_else_is_told(words: list[str]) -> None:
    with pytest.raises(Malformed):
        READER.read(words, "/srv")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\n"), min_size=1))
def test_what_is_read_is_written_and_read_again(word: str) -> None:
    try:
        value = READER.read([word], "/srv")
    except Malformed:
        return
    (line,) = READER.lines(value)
    assert READER.read(line, "/elsewhere") == value


def test_there_is_none_by_default_and_its_folder_must_exist() -> None:
    assert table.SessionLog.default is None
    assert list(table.SessionLog.paths("/var/log/s")) == ["/var/log"]
    assert list(table.SessionLog.paths("stdout")) == list(table.SessionLog.paths(None)) == []
