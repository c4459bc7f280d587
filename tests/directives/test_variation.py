"""varies_below: False only if one look-up is enough for a prefix and every URL below it (R9)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives.problems import Malformed
from gateway.directives.sections import Pattern, make_pattern, varies_below

segment = st.sampled_from(["a", "b", "ab", "a1", ""])
url = st.lists(segment, min_size=1, max_size=4).map(lambda parts: "/" + "/".join(parts))
piece = st.sampled_from(["/", "a", "b", "*", "?", "[ab]", "[!b]", "1"])
glob = st.lists(piece, max_size=6).map(lambda parts: "/" + "".join(parts))
regex = st.lists(st.sampled_from(["^", "/", "a", "b", ".", "$", "*", "?", "|", "(a)", "{2}"]), max_size=7).map(
    "".join
)


@given(glob, url, url)
def test_R9_paths_and_globs_that_do_not_vary_match_all_below_alike(text: str, prefix: str, rest: str) -> None:
    check(make_pattern("L", [text], False, "/"), prefix, rest)


@given(regex, url, url)
def test_R9_expressions_that_do_not_vary_match_all_below_alike(text: str, prefix: str, rest: str) -> None:
    try:
        pattern = make_pattern("L", [text], True, "/")
    except Malformed:
        return
    check(pattern, prefix, rest)


def check(pattern: Pattern, prefix: str, rest: str) -> None:
    bare = prefix.rstrip("/") or "/a"
    if not varies_below(pattern, bare):
        assert bool(pattern.matches(bare)) == bool(pattern.matches(bare + rest))


@pytest.mark.parametrize(
    ("section", "text", "varies"),
    [
        ("Location", "/cgi-bin", False),
        ("Location", "/cgi-bin/x", False),
        ("Location", "/cgi-bin/x/", True),
        ("Location", "/cgi-bin/x/admin", True),
        ("Location", "/other", False),
        ("Location", "/*", False),
        ("Location", "/cgi-bin/*", True),
        ("Location", "/private/*/x/y", False),
        ("LocationMatch", "^/private", False),
        ("LocationMatch", "^/cgi-bin/", False),
        ("LocationMatch", "^/cgi-bin/x/admin", True),
        ("LocationMatch", "admin", True),
    ],
)
def test_R9_what_is_common_is_told_apart(section: str, text: str, varies: bool) -> None:
    pattern = make_pattern("L", [text], section == "LocationMatch", "/")
    assert varies_below(pattern, "/cgi-bin/x") is varies
