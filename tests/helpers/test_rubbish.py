"""What is not a request for this process is not answered (P7): HTS011 on standard error, status 1."""

import sys
from pathlib import Path

import pytest

from tests.programs.pipes import MARK, Program

from .conftest import Looper, asking, frame


def netstring(*fields: str, last: str = "\0") -> bytes:
    payload = ("\0".join(fields) + last).encode()
    return b"%d:%b," % (len(payload), payload)


OWN = ("HTSESSION_END", MARK)
EMPTY = ("CONTENT_LENGTH", "0", "SCGI", "1")
NO_BEGINNING = {
    "no digits": b"x:",
    "no length": b":,",
    "a sign": b"-1:,",
    "a blank": b" 4:a\0b\0,",
    "zero bytes": b"\0\0:,",
    "too long a length": b"9999999999999:",
    "digits without an end": b"1" * 5000,
    "text without an end": b"GET / HTTP/1.1\r\n" * 300,
}
RUBBISH = {
    "no variables": b"0:,",
    "no comma": netstring(*EMPTY, *OWN)[:-1] + b";",
    "a value without a NUL": netstring(*EMPTY, *OWN, "HTTP_X", "x", last=""),
    "a name without a value": netstring(*EMPTY, *OWN, "HTTP_X"),
    "a name alone": b"2:a\0,",
    "no end mark": netstring(*EMPTY),
    "no CONTENT_LENGTH": netstring("SCGI", "1", *OWN),
    "an empty CONTENT_LENGTH": netstring("CONTENT_LENGTH", "", *OWN),
    "a negative CONTENT_LENGTH": netstring("CONTENT_LENGTH", "-1", *OWN),
    "CONTENT_LENGTH 1e3": netstring("CONTENT_LENGTH", "1e3", *OWN),
    "a CONTENT_LENGTH with a blank": netstring("CONTENT_LENGTH", " 1", *OWN),
    "too large a CONTENT_LENGTH": netstring("CONTENT_LENGTH", "9" * 30, *OWN),
}
NO_NAMES = {
    "an equals sign": netstring(*EMPTY, *OWN, "a=b", "c"),
    "empty": netstring(*EMPTY, *OWN, "", "c"),
}
MARKS = {"another": "f" * 32, "none": "", "a part": MARK[:-1], "more": MARK + "0", "capitals": MARK.upper()}


def refuses(program: Program) -> None:
    """Nothing is answered, and why is said on standard error."""
    assert program.response() == (b"", False)
    assert program.process.wait(30) == 1
    assert program.stderr().startswith("HTS011 ")


@pytest.mark.parametrize("kind", NO_BEGINNING)
def test_P7_what_cannot_become_a_request_is_refused_at_once(looper: Looper, kind: str) -> None:
    with looper.start() as program:
        program.response()
        program.send(NO_BEGINNING[kind])
        refuses(program)


@pytest.mark.parametrize("kind", RUBBISH)
def test_P7_rubbish_is_not_answered(looper: Looper, kind: str) -> None:
    with looper.start() as program:
        program.response()
        program.send(RUBBISH[kind])
        program.close()
        refuses(program)


@pytest.mark.parametrize("kind", NO_NAMES)
def test_P7_a_name_that_no_variable_can_have_is_rubbish(looper: Looper, kind: str) -> None:
    with looper.start() as program:
        program.response()
        program.send(NO_NAMES[kind])
        if looper.language.name == "bash":  # leaves out whatever is no identifier
            assert program.response() == (b"2", True)
        else:
            refuses(program)


@pytest.mark.parametrize("kind", MARKS)
def test_P7_a_request_with_another_mark_is_not_answered(looper: Looper, kind: str) -> None:
    with looper.start() as program:
        program.response()
        program.send(frame(asking("echo"), b"body", MARKS[kind]) + frame(asking("count")))
        refuses(program)
        assert "another process's end mark" in program.stderr()


@pytest.mark.parametrize("left", [1, 2, 5, 50, -1])
def test_P7_a_request_that_breaks_off_is_not_answered(looper: Looper, left: int) -> None:
    with looper.start() as program:
        program.response()
        program.send(frame(asking("count"))[:left])
        program.close()
        refuses(program)


def test_P7_P11_a_first_request_that_breaks_off_is_not_answered(looper: Looper) -> None:
    with looper.ahead() as program:
        program.send(frame(asking("count"))[:-1])
        program.close()
        refuses(program)


@pytest.mark.parametrize("size", [10, 100_000])
def test_P7_a_body_that_breaks_off_is_not_answered(looper: Looper, size: int) -> None:
    with looper.start() as program:
        program.response()
        program.send(frame(asking("echo"), bytes(size))[:-1])
        program.close()
        if looper.language.name == "bash":  # streams a body: the program sees it end, and no more requests come
            assert program.response() == (bytes(size - 1), True)
            assert program.end() == 0
        else:
            refuses(program)


def test_P7_a_Python_program_that_catches_every_exit_gets_no_more_requests(tmp_path: Path) -> None:
    start = "import os, sys\nsys.path.append(os.environ['HTSESSION_LIB'])\nimport htsession"
    loop = "\ntry:\n    while htsession.accept(): print('answer', end='')\nexcept BaseException: pass\n"
    (tmp_path / "loop.py").write_text(start + loop * 2)
    with Program([sys.executable, tmp_path / "loop.py"]) as program:
        assert program.response() == (b"answer", True)
        program.send(frame({}, mark="f" * 32) + frame({}))
        assert program.response() == (b"", False)
