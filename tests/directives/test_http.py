"""The readers and rules of the HTTP and TLS directives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives.problems import Malformed
from gateway.directives.readers.pace import Pace, PaceReader
from gateway.directives.readers.versions import SERVED, VersionsReader

READER, VERSIONS = PaceReader(), VersionsReader()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("header=20-40,MinRate=500", {"header": Pace(20, 40, 500)}),
        ("header=20 body=10,minrate=100", {"header": Pace(20), "body": Pace(10, None, 100)}),
        ("BODY=0", {"body": Pace(0)}),
        ("handshake=250ms", {"handshake": Pace(0.25)}),
    ],
)
def test_RequestReadTimeout_is_read_as_in_Apache(text: str, expected: dict[str, Pace]) -> None:
    assert READER.read(text.split(), "/") == expected


@pytest.mark.parametrize(
    "text",
    ["", "20", "header", "header=", "header=20-10,MinRate=5", "header=20-40", "header=1 header=2", "head=1",
     "body=20,MinRate=0", "handshake=1,MinRate=5", "header=x"],
)  # fmt: skip
def test_RequestReadTimeout_refuses_what_it_cannot_mean(text: str) -> None:
    with pytest.raises(Malformed):
        READER.read(text.split(), "/")


_seconds = st.integers(1, 1000)
_paces = st.builds(
    lambda first, more, rate: Pace(first, first + more if more and rate else None, rate),
    _seconds, st.integers(0, 100), st.integers(0, 100_000),
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(["header", "body"]), _paces, min_size=1))
def test_what_is_written_is_read_again(value: dict[str, Pace]) -> None:
    (line,) = READER.lines(value)
    assert READER.read(line, "/") == value


@given(_paces, st.integers(0, 10**7), st.integers(0, 10**7))
def test_more_bytes_never_mean_less_time(pace: Pace, count: int, more: int) -> None:
    assert pace.first <= pace.allowed(count) <= pace.allowed(count + more)
    assert pace.most is None or pace.allowed(count) <= pace.most


def test_no_time_is_no_limit() -> None:
    assert Pace(0).allowed(0) == float("inf")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("all", SERVED),
        ("all -SSLv3 -TLSv1 -TLSv1.1", SERVED),
        ("-all +TLSv1.2 +TLSv1.3", SERVED),
        ("TLSv1.3", ("TLSv1.3",)),
        ("all -tlsv1.2", ("TLSv1.3",)),
        ("TLSv1 +TLSv1.1 +TLSv1.2", ("TLSv1.2",)),
    ],
)
def test_SSLProtocol_is_read_as_in_Apache(text: str, expected: tuple[str, ...]) -> None:
    assert VERSIONS.read(text.split(), "/") == expected
    (line,) = VERSIONS.lines(expected)
    assert VERSIONS.read(line, "/") == expected


@pytest.mark.parametrize("text", ["", "TLSv1.1", "all -all", "TLSv1.2 TLSv1.3", "TLS"])
def test_SSLProtocol_refuses_what_nobody_could_speak(text: str) -> None:
    with pytest.raises(Malformed):
        VERSIONS.read(text.split(), "/")
