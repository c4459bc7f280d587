"""The gateway's own cookies (W2)."""

from __future__ import annotations

from http.cookies import SimpleCookie

from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol import cookies

OWN = cookies.PREFIX + b"0123456789ab_abcdef"
texts = st.text(st.characters(exclude_characters=";\0\r\n", max_codepoint=255)).map(
    lambda text: text.encode("latin-1")
)
pairs = st.lists(st.builds(lambda name, value: name + b"=" + value, st.sampled_from([b"a", OWN, b"b_"]), texts))


@given(pairs)
def test_nothing_of_the_gateways_own_is_left_and_all_else_is(given_pairs: list[bytes]) -> None:
    left = cookies.without_own(b"; ".join(given_pairs))
    others = [pair.strip() for pair in given_pairs if not pair.startswith(cookies.PREFIX)]
    if len(others) < len(given_pairs):
        assert left == b"; ".join(others)
    assert not any(pair.strip().startswith(cookies.PREFIX) for pair in left.split(b";"))


@given(pairs, st.binary())
def test_what_is_given_is_found_and_the_first_of_a_name_counts(
    given_pairs: list[bytes], rubbish: bytes
) -> None:
    headers = [(b"cookie", rubbish), (b"accept", OWN + b"=x"), (b"cookie", b";".join(given_pairs))]
    found = cookies.given(headers)
    assert set(found) <= {OWN} or cookies.PREFIX in rubbish
    mine = [pair.strip().partition(b"=")[2] for pair in given_pairs if pair.startswith(OWN)]
    if mine and cookies.PREFIX not in rubbish:
        assert found[OWN] == mine[0]


@given(pairs, texts.filter(len))
def test_a_value_is_held_where_it_was_given(given_pairs: list[bytes], secret: bytes) -> None:
    headers = [(b"accept", OWN + b"=" + secret), (b"cookie", b"; ".join(given_pairs))]
    values = [pair.partition(b"=")[2] for pair in given_pairs if pair.startswith(OWN)]
    if any(value.startswith(secret) for value in values):
        assert cookies.hold(headers, secret)
    if not any(secret in pair for pair in given_pairs):
        assert not cookies.hold(headers, secret)
    assert cookies.hold([*headers, (b"cookie", b"a=b; " + OWN + b"=" + secret)], secret)


def test_a_name_without_a_value_is_nothing() -> None:
    assert not cookies.hold([(b"cookie", OWN + b";" + OWN)], b"x")
    assert not cookies.hold([(b"cookie", b"a=x; " + OWN)], b"x")


def test_the_cookie_is_for_one_program_not_for_scripts_nor_other_sites() -> None:
    plain = cookies.set_cookie(OWN, b"v", b"/cgi-bin/a b;c", secure=False).decode()
    assert plain == f"{OWN.decode()}=v; Path=/cgi-bin/a%20b%3Bc; HttpOnly; SameSite=Lax"
    assert cookies.set_cookie(OWN, b"v", b"", secure=True).endswith(b"; Path=/; HttpOnly; SameSite=Lax; Secure")
    morsel = SimpleCookie(plain)[OWN.decode()]
    assert (morsel["path"], morsel["httponly"], morsel["samesite"]) == ("/cgi-bin/a%20b%3Bc", True, "Lax")
