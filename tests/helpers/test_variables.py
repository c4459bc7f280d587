"""The environment: the server's variables are those of the present request, the program's own stay."""

import os

import pytest

from .conftest import Looper, asking

NAMES = "CONTENT_LENGTH,CONTENT_TYPE,HTTP_COOKIE,HTTP_ACCEPT,SCGI,MINE"
MANY = {f"HTTP_V_{number}": f"value {number}" for number in range(2000)}
VALUES = {
    "line feeds": "a\nb\n\nc\n",
    "quotes": "'a' \"b\" `c` $(echo d) ${MINE} $MINE \\ \\n %s %%",
    "utf-8": "äöü €",
    "bytes that are no text": "\udcff\udc80a\udcc3",
    "empty": "",
    "equals signs": "=a=b==",
    "blanks": "  a \t ",
    "long": "x" * 100_000,
    "control characters": "".join(map(chr, range(1, 32))) + "\x7f",
}


def values(output: bytes) -> list[str | None]:
    """What the verb `variables` says: None for a variable that is not there."""
    return [os.fsdecode(entry[1:]) if entry[:1] == b"+" else None for entry in output.split(b"\0")[:-1]]


def test_B1_the_servers_variables_are_those_of_the_present_request(looper: Looper) -> None:
    first = {"HTTP_COOKIE": "a=1", "CONTENT_TYPE": "text/x"}
    with looper.start("variables", NAMES, b"abc", **first) as program:
        assert values(program.response().output) == ["3", "text/x", "a=1", None, None, "before the loop"]
        second = program.call(asking("variables", NAMES, HTTP_ACCEPT="b"))
        assert values(second.output) == [None, None, None, "b", None, "before the loop"]
        third = program.call(asking("variables", NAMES), b"ab")
        assert values(third.output) == ["2", None, None, None, None, "before the loop"]


def test_B2_variables_that_the_program_set_stay(looper: Looper) -> None:
    with looper.start("set", "mine") as program:
        program.response()
        for _ in range(2):
            assert values(program.call(asking("variables", "MINE,PATH")).output) == ["mine", os.environ["PATH"]]
        program.call(asking("set", "again"))
        assert values(program.call(asking("variables", "MINE,HTSESSION_FD")).output)[0] == "again"


@pytest.mark.parametrize("name", VALUES)
def test_P7_values_come_as_they_are(looper: Looper, name: str) -> None:
    value = VALUES[name]
    with looper.start("variables", "HTTP_X", HTTP_X=value) as program:
        assert values(program.response().output) == [value]
        assert values(program.call(asking("variables", "HTTP_X", HTTP_X=value)).output) == [value]
        assert values(program.call(asking("variables", "HTTP_X")).output) == [None]


def test_P7_lengths_are_bytes_whatever_the_locale(looper: Looper) -> None:
    with looper.start("variables", "HTTP_X", HTTP_X="€", LC_ALL="C.UTF-8") as program:
        assert values(program.response().output) == ["€"]
        for value in ("äö\udcff", "€" * 1000):
            request = asking("variables", "HTTP_X", HTTP_X=value, LC_ALL="C.UTF-8")
            assert values(program.call(request).output) == [value]
        assert values(program.call(asking("variables", "HTTP_X,LC_ALL", HTTP_X="€")).output) == ["€", None]


def test_P7_thousands_of_variables(looper: Looper) -> None:
    with looper.start() as program:
        program.response()
        assert program.call(asking("prefix", "HTTP_V_", **MANY)).output == b"2000"
        assert program.call(asking("prefix", "HTTP_V_")).output == b"0"


def test_P7_a_name_that_is_no_identifier_is_set_where_the_language_can(looper: Looper) -> None:
    able = looper.language.name != "bash"
    with looper.start() as program:
        program.response()
        odd = asking("variables", "a.b-c,HTTP_X", **{"a.b-c": "odd", "HTTP_X": "x"})
        assert values(program.call(odd).output) == ["odd" if able else None, "x"]
        assert values(program.call(asking("variables", "a.b-c,HTTP_X")).output) == [None, None]
