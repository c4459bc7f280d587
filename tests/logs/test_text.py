"""Values in the lines of an access log, and the forms of its time."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.logs.access.moments import iso, moment
from gateway.logs.access.text import escaped, readable

_ESCAPE = re.compile(r'\\(x[0-9a-f]{2}|[bnrtv"\\])')
_CHARACTERS = {"b": 8, "t": 9, "n": 10, "v": 11, "r": 13, '"': 34, "\\": 92}


def read_back(text: str) -> bytes:
    def byte(found: re.Match[str]) -> str:
        return chr(_CHARACTERS.get(found[1]) or int(found[1][1:], 16))

    return _ESCAPE.sub(byte, text).encode("latin-1")


@given(st.binary())
def test_any_bytes_become_printable_ASCII_that_can_be_read_back(data: bytes) -> None:
    text = escaped(data)
    assert text.isascii() and (text.isprintable() or not text)
    assert '"' not in re.sub(r"\\.", "", text)
    assert read_back(text) == data


@given(st.binary())
def test_any_bytes_are_text_for_json(data: bytes) -> None:
    readable(data).encode()


def test_escapes_are_those_of_apache() -> None:
    assert escaped(b'a"b\\c\n\t\r\x0b\x08\x1b\x7f\xc3\xa4') == r"a\"b\\c\n\t\r\v\b\x1b\x7f\xc3\xa4"


@pytest.fixture(params=["UTC", "America/St_Johns", "Asia/Kathmandu"])
def zone(request: pytest.FixtureRequest) -> Iterator[str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


NOW = 971211336.25  # 10 October 2000, 20:55:36.25 UTC


def test_the_common_form_has_the_zone(zone: str) -> None:
    expected = {
        "UTC": "[10/Oct/2000:20:55:36 +0000]",
        "America/St_Johns": "[10/Oct/2000:18:25:36 -0230]",
        "Asia/Kathmandu": "[11/Oct/2000:02:40:36 +0545]",
    }
    assert moment("")(NOW) == expected[zone]


def test_rfc_3339_has_microseconds_and_the_zone() -> None:
    assert re.fullmatch(r"2000-10-1\dT\d\d:\d\d:36\.250000[+-]\d\d:\d\d", iso(NOW))


def test_numbers() -> None:
    forms = ["sec", "msec", "usec", "msec_frac", "usec_frac"]
    assert [moment(form)(NOW) for form in forms] == [
        "971211336", "971211336250", "971211336250000", "250", "250000"
    ]  # fmt: skip


def test_any_other_form_is_strftimes() -> None:
    assert moment("%Y at %S")(NOW) == "2000 at 36"


@given(st.floats(min_value=0, max_value=4e9))
def test_all_forms_of_a_time_agree(now: float) -> None:
    sec, msec, usec, msec_frac, usec_frac = (
        moment(form)(now) for form in ("sec", "msec", "usec", "msec_frac", "usec_frac")
    )
    assert usec == str(int(sec + usec_frac)) and msec == str(int(sec + msec_frac))
    assert iso(now)[20:26] == usec_frac and now - 1e-5 < int(usec) / 1e6 < now + 1e-5
