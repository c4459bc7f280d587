"""Handles: grammar, ready-made ones, masks."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.sessions.handle import HandleMint, is_valid, mask

ALPHABET = (string.ascii_letters + string.digits + "-._~!$&'()*+,;=:@").encode()
KEY = b"k" * 32


@pytest.mark.parametrize("handle", [b"a", b"8f3a", b"...", b".a", ALPHABET, b"x" * 128])
def test_H3_well_formed_handles(handle: bytes) -> None:
    assert is_valid(handle)


@pytest.mark.parametrize(
    "handle", [b"", b".", b"..", b"x" * 129, b"a/b", b"a\\b", b"a b", b"a\n", b"a\0", b"a%41", b"\xe4"]
)
def test_H3_other_handles_are_refused(handle: bytes) -> None:
    assert not is_valid(handle)


@given(st.binary(max_size=6))
def test_H3_the_grammar_is_the_alphabet(handle: bytes) -> None:
    assert is_valid(handle) == (handle not in (b"", b".", b"..") and set(handle) <= set(ALPHABET))


def test_H11_ready_made_handles_are_valid_ours_and_never_twice() -> None:
    mint = HandleMint(KEY)
    handles = [mint.next() for _ in range(1000)]
    assert len(set(handles)) == 1000
    assert all(is_valid(handle) and mint.is_ours(handle) for handle in handles)


def test_H11_another_process_with_the_key_knows_them_and_one_without_does_not() -> None:
    handle = HandleMint(KEY).next()
    assert HandleMint(KEY).is_ours(handle)
    assert not HandleMint(b"other" * 8).is_ours(handle)


def test_H11_any_changed_character_is_noticed() -> None:
    mint = HandleMint(KEY)
    handle = mint.next()
    for place in range(len(handle)):
        other = b"A" if handle[place : place + 1] != b"A" else b"B"
        assert not mint.is_ours(handle[:place] + other + handle[place + 1 :])


@given(
    st.binary(max_size=40) | st.text(string.ascii_letters + "-_+/", min_size=32, max_size=32).map(str.encode)
)
def test_H11_random_handles_are_not_ours(handle: bytes) -> None:
    assert not HandleMint(KEY).is_ours(handle)


@pytest.mark.parametrize("size", [0, 15, 65])
def test_H11_a_key_of_the_wrong_size_is_refused(size: int) -> None:
    with pytest.raises(ValueError, match="expected a key of 16 to 64 bytes"):
        HandleMint(b"k" * size)


@pytest.mark.parametrize(
    ("handle", "shown"),
    [(b"8f3a99c0", "8f3a…"), (b"abcd", "ab…"), (b"a", "…"), (b"\xff" * 9, "\\xff" * 4 + "…")],
)
def test_W3_handles_are_masked(handle: bytes, shown: str) -> None:
    assert mask(handle) == shown
