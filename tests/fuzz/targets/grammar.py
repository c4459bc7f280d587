"""Lines, words and quotes of a directives file."""

from __future__ import annotations

from gateway.directives.grammar import (
    Line,
    join_words,
    logical_lines,
    parse_line,
    quote,
    section_arguments,
    split_words,
)
from gateway.directives.problems import Malformed
from tests.fuzz.target import Target


def check(data: bytes) -> None:
    """Words that were written are read again; line ends of both kinds mean the same."""
    text = data.decode("utf-8", "surrogateescape")
    lines = list(logical_lines(text))
    numbers = [number for number, _ in lines]
    assert numbers == sorted(set(numbers)) and all(0 < number <= text.count("\n") + 1 for number in numbers)
    if "\r" not in text:
        assert list(logical_lines(text.replace("\n", "\r\n"))) == lines
    for number, line in lines:
        assert line and "\n" not in line and not line.startswith("#")
        _check_line(parse_line(number, line), line)
    if "\0" not in text:
        assert split_words(quote(text)) == [text] or "\n" in text
        words = text.replace("\n", " ").split(" ")
        assert split_words(join_words(words)) == words


def _check_line(parsed: Line, line: str) -> None:
    assert line.startswith(parsed.mark + parsed.name) and line.endswith(parsed.arguments)
    arguments = parsed.arguments
    try:
        if parsed.mark:
            arguments = section_arguments(parsed)
            assert arguments + ">" in parsed.arguments.replace(" ", "") or arguments in parsed.arguments
        words = split_words(arguments)
    except Malformed as error:
        assert str(error).startswith("expected ")
        return
    assert split_words(join_words(words)) == words
    assert len(arguments) == 0 or words or not arguments.strip(" \t\v\f\r")


SEEDS = [
    b'Listen 127.0.0.1:8080\nScriptAlias /cgi-bin/ "cgi-bin/"\n',
    b"<Directory cgi-bin>\n  Options +ExecCGI\n  AddHandler cgi-script .py\n</Directory>\n",
    b'# a comment \\\nthat goes on\nSetEnv A \'it\\\'s\'\r\nLogFormat "%h \\"%r\\"" x\n',
]
WORDS = [
    b'"', b"'", b"\\", b'\\"', b"\\\\", b"\n", b"\r\n", b"\\\n", b"<", b"</", b">", b"#", b" ", b"\t", b"\v",
    b"\xef\xbb\xbf",
    b"Listen ", b"\xff", b"\xc3\xa9", b"\xe2\x80\xa8", b"\x1c", b"\x85",
]  # fmt: skip
TARGET = Target("lines and words of directives", check, SEEDS, WORDS)
