"""Queries as arguments (RFC 3875, section 4.4)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.isindex import search_words


@pytest.mark.parametrize(
    ("query", "words"),
    [
        (b"one", (b"one",)),
        (b"a+b+c", (b"a", b"b", b"c")),
        (b"a%20b+c%2Bd", (b"a b", b"c+d")),
        (b"%3D", (b"=",)),
        (b"a++b", (b"a", b"", b"b")),
        (b"%e4", (b"\xe4",)),
        (b"$(id)+;id", (b"$(id)", b";id")),
    ],
)
def test_words_are_split_at_plus_and_decoded_each(query: bytes, words: tuple[bytes, ...]) -> None:
    assert search_words("GET", query) == search_words("HEAD", query) == words


@pytest.mark.parametrize("query", [b"", b"a=b", b"a+b=c", b"="])
def test_a_query_with_an_unencoded_equals_sign_is_not_indexed(query: bytes) -> None:
    assert search_words("GET", query) == ()


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "get"])
def test_only_GET_and_HEAD_are_indexed(method: str) -> None:
    assert search_words(method, b"a+b") == ()


@pytest.mark.parametrize("query", [b"a+%00", b"a+%zz", b"a+%4", b"a" * 65537, b"+" * 1024])
def test_one_word_that_cannot_be_an_argument_leaves_none_of_them(query: bytes) -> None:
    assert search_words("GET", query) == ()


@pytest.mark.parametrize("query", [b"-s", b"a+-s", b"%2Ds", b"%20-s", b"a%0a-s", b"--version", b"-d+allow"])
def test_CVE_2012_1823_a_word_that_looks_like_an_option_leaves_none_of_them(query: bytes) -> None:
    assert search_words("GET", query) == ()


@given(st.binary())
def test_no_word_is_an_option_or_holds_NUL(query: bytes) -> None:
    words = search_words("GET", query)
    assert not [word for word in words if word.startswith(b"-") or b"\0" in word]
