"""SetEnvIf and BrowserMatch: Apache's mod_setenvif, by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives import table
from gateway.directives.grammar import split_words
from gateway.directives.readers import setenvif
from gateway.directives.readers.regexes import compiled
from gateway.directives.readers.setenvif import Conditions, Subject, evaluate

from .conftest import Configure

ASPECTS = {
    "remote_addr": "192.0.2.7",
    "server_addr": "127.0.0.1",
    "request_method": "POST",
    "request_protocol": "HTTP/1.1",
    "request_uri": "/a/b.gif",
}
HEADERS = [("referer", "http://one.example/x"), ("x-one", "1"), ("x-two", "2"), ("user-agent", "Mozilla/2.0")]


def conditions(*lines: str) -> Conditions:
    rows = {row.name: row for row in (table.SetEnvIf, table.SetEnvIfNoCase, table.BrowserMatch)}
    found: Conditions = ()
    for line in lines:
        name, _, rest = line.partition(" ")
        found += rows[name].reader.read(split_words(rest), "/")
    return found


def variables(*lines: str) -> dict[str, str]:
    return evaluate(conditions(*lines), Subject(HEADERS, ASPECTS))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("SetEnvIf Referer one\\.example inside", {"inside": "1"}),
        ("SetEnvIf referer ONE inside", {}),
        ("SetEnvIfNoCase REFERER ONE inside", {"inside": "1"}),
        ("SetEnvIf Referer ^https?://([^/]*) from=$1", {"from": "one.example"}),
        ("SetEnvIf Referer ://(.)(.) a=$2$1 b=$0 c=\\$1", {"a": "no", "b": "://on", "c": "$1"}),
        ("SetEnvIf Missing ^$ none=yes", {"none": "yes"}),
        ("SetEnvIf Missing x none=yes", {}),
        ("SetEnvIf ^X- 2 found", {"found": "1"}),
        ("SetEnvIf ^Y- ^ found", {}),
        ("SetEnvIf Remote_Addr ^192\\. net=$0", {"net": "192."}),
        ("SetEnvIf Server_Addr 127 local", {"local": "1"}),
        ("SetEnvIf Request_Method POST write", {"write": "1"}),
        ("SetEnvIf Request_Protocol 1\\.1$ new", {"new": "1"}),
        ("SetEnvIf request_uri \\.(gif|jpe?g)$ image=$1", {"image": "gif"}),
        ("BrowserMatch ^Mozilla/[[:digit:]] old", {"old": "1"}),
        ("BrowserMatch Mozilla nokeepalive kept", {"kept": "1"}),
    ],
)
def test_a_line_sets_what_it_says_where_it_matches(line: str, expected: dict[str, str]) -> None:
    assert variables(line) == expected


def test_later_lines_see_and_change_what_earlier_ones_set() -> None:
    lines = (
        "SetEnvIf Request_Method POST a=first b",
        "SetEnvIf a ^first$ c",
        "SetEnvIf Request_URI gif !b a=second",
    )
    assert variables(*lines) == {"a": "second", "c": "1"}


def test_lines_that_only_steer_apache_cost_a_request_nothing() -> None:
    assert setenvif.active(conditions("BrowserMatch MSIE nokeepalive downgrade-1.0 force-response-1.0")) == ()


def test_sections_add_their_lines_behind_those_of_the_server(configure: Configure) -> None:
    text = "SetEnvIf A x one\n<Location /in>\n  BrowserMatch y !one two\n</Location>\n"
    settings = configure(text).server.lookup("/in/side", None)
    assert [one.kind for one in settings[table.SetEnvIf]] == ["SetEnvIf", "BrowserMatch"]


def test_what_has_no_effect_is_noticed(configure: Configure) -> None:
    text = 'BrowserMatch MSIE nokeepalive mine\nSetEnvIf Authorization "(.*)" HTTP_AUTHORIZATION=$1\n'
    found = [(one.place.line, one.text) for one in configure(text).notices if one.place.line]
    assert found == [
        (1, "BrowserMatch: nokeepalive has no effect here: it steers Apache itself"),
        (2, "SetEnvIf: CGIPassAuth On is the plain way to give programs Authorization"),
    ]


@given(st.text(), st.text())
def test_a_value_is_taken_from_the_request_as_it_is(before: str, inside: str) -> None:
    [condition] = conditions('SetEnvIf X "^<([^>]*)>" v=[$1]')
    subject = Subject([("x", f"<{inside}>{before}")], {})
    expected = {} if ">" in inside else {"v": f"[{inside}]"}
    found = evaluate((condition,), subject)
    assert found == expected or (">" in inside and found == {"v": f"[{inside.partition('>')[0]}]"})


@pytest.mark.parametrize(
    ("regex", "fits", "fails"),
    [
        ("^[[:alpha:]_][[:alnum:]_]*$", "a_1", "1a"),
        ("^[^[:space:]]+$", "ab", "a b"),
        ("(?<year>[[:digit:]]{4})", "in 1998", "in 98"),
        ("[[:punct:]]", "a]b", "ab"),
        (r"^a.b$", "a\nb", "a\nb\n"),
        (r"^[$\]]\$$", "$$", "$\n"),
    ],
)
def test_regular_expressions_are_read_in_pcres_spelling(regex: str, fits: str, fails: str) -> None:
    assert compiled(regex).search(fits) and not compiled(regex).search(fails)
