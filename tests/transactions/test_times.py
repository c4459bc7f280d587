"""What the programs ask for: the long form of the counter more time than its menu; the end of file ends all."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.programs.pipes import HOST, ROOT, Program, Response

FORM = "application/x-www-form-urlencoded"


def counter(data: Path, most: int = 1800) -> Program:
    """The bank counter under its host, without a gateway."""
    script = ROOT / "cgi-bin" / "transfer.py"
    return Program([sys.executable, HOST, script], fields(data, most), directory=data)


def fields(data: Path, most: int = 1800, handle: str = "", **more: str) -> dict[str, str]:
    known = {"HTSESSION_HANDLE": handle} if handle else {}
    return {"PROGRAM_DATA": str(data), "HTSESSION_MAX_TIMEOUT": str(most), **known, **more}


def asked(response: Response) -> list[str]:
    """The lines of the head that are about the session."""
    head = response.output.decode().partition("\n\n")[0].splitlines()
    return [line for line in head if line.startswith(("Accept-HTSession", "HTTimeout"))]


def test_H7_the_menu_asks_for_2_minutes_and_the_long_form_for_15(tmp_path: Path) -> None:
    with counter(tmp_path) as program:
        assert asked(program.response()) == ["Accept-HTSession: offered-handle", "HTTimeout: 2"]
        menu = program.call(fields(tmp_path, handle="a"))
        assert asked(menu) == ["Accept-HTSession: a", "HTTimeout: 2"] and "waits 2 minutes" in menu.body
        begun = program.call(fields(tmp_path, handle="a", CONTENT_TYPE=FORM), b"do=begin&first=1&second=2")
        assert asked(begun) == ["Accept-HTSession: offered-handle", "HTTimeout: 15"]
        form = program.call(fields(tmp_path, handle="b"))
        assert asked(form) == ["Accept-HTSession: b", "HTTimeout: 15"] and "for\n15 minutes" in form.body
        capped = program.call(fields(tmp_path, 300, handle="b"))
        assert "for\n5 minutes" in capped.body
        over = program.call(fields(tmp_path, handle="b", CONTENT_TYPE=FORM), b"do=commit")
        assert asked(over) == [] and over.marked


def test_P8_end_of_file_ends_it_without_a_word(tmp_path: Path) -> None:
    with counter(tmp_path) as program:
        program.response()
        program.call(fields(tmp_path, handle="a", CONTENT_TYPE=FORM), b"do=begin&first=1&second=2")
        program.call(fields(tmp_path, handle="b", CONTENT_TYPE=FORM), b"do=post&source=1&target=2&amount=1")
        assert program.end() == 0
        assert program.stderr() == ""
