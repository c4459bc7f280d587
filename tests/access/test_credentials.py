"""What the header Authorization says (RFC 7617), and what is asked for."""

from __future__ import annotations

from base64 import b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.credentials import BadCredentials, Credentials, challenge
from gateway.access.credentials import given as given_by


def header(sent: bytes, scheme: bytes = b"Basic") -> list[tuple[bytes, bytes]]:
    return [(b"accept", b"*/*"), (b"authorization", scheme + b" " + b64encode(sent))]


@given(
    st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=":"), min_size=1),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
)
def test_name_and_password_are_divided_by_the_first_colon(name: str, password: str) -> None:
    found = given_by(header(f"{name}:{password}".encode()))
    assert found == (Credentials(name.encode(), password.encode()),)


@given(st.binary())
def test_only_the_declared_error_escapes(value: bytes) -> None:
    for headers in (header(value), [(b"authorization", value)]):
        try:
            given_by(headers)
        except BadCredentials as error:
            assert str(error)


def test_what_cannot_be_utf8_is_also_given_converted_from_latin_1() -> None:
    sent, converted = given_by(header("käthe:größe".encode("latin-1")))
    assert sent == Credentials("käthe".encode("latin-1"), "größe".encode("latin-1"))
    assert converted == Credentials("käthe".encode(), "größe".encode())


def test_the_scheme_has_any_letter_case_and_padding_may_lack() -> None:
    assert given_by(header(b"ada:x", b"bAsIc")) == (Credentials(b"ada", b"x"),)
    assert given_by([(b"authorization", b"Basic YWRhOg")]) == (Credentials(b"ada", b""),)


def test_without_the_header_nothing_is_given() -> None:
    assert given_by([(b"proxy-authorization", b"Basic YWRhOng=")]) == ()


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        (header(b"ada:x") + header(b"bob:x"), "more than one"),
        (header(b"ada:x", b"Bearer"), "another scheme"),
        ([(b"authorization", b"")], "another scheme"),
        ([(b"authorization", b"Basic !!!!")], "base64"),
        (header(b"ada"), "without a name and a colon"),
        (header(b":x"), "without a name and a colon"),
        (header(b"ada\0:x"), "control characters"),
        (header(b"ada\n:x"), "control characters"),
        (header(b"ada\x7f:x"), "control characters"),
        (header(b"ada:x\0y"), "control characters"),
    ],
)
def test_what_is_not_a_name_and_a_password_is_refused(headers: list[tuple[bytes, bytes]], why: str) -> None:
    with pytest.raises(BadCredentials, match=why):
        given_by(headers)


def test_the_realm_is_quoted() -> None:
    assert challenge('a "b" \\ c') == b'Basic realm="a \\"b\\" \\\\ c", charset="UTF-8"'
    assert challenge("Büro") == 'Basic realm="Büro", charset="UTF-8"'.encode()
