"""`<Limit>` and `<LimitExcept>`: rules about access that count for some methods only, as Apache has them.

What each form gives was asked of Apache 2.4 itself.
"""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives import report, table
from gateway.directives.access import access_of
from gateway.directives.methods import EXCEPT, LIMIT, Methods, read_methods
from gateway.directives.problems import Malformed
from gateway.directives.readers.requirements import Facts, Verdict

from .conftest import Configure, Problems

YES, NO, ASK = Verdict.GRANTED, Verdict.DENIED, Verdict.NO_USER
METHODS = ("GET", "HEAD", "POST", "PUT", "FOO")
OLD_CLASSIC = "<Limit GET POST>\nOrder deny,allow\nDeny from all\nAllow from 10\n</Limit>"
USERS_BUT_FOR_READING = "<LimitExcept GET POST>\nRequire valid-user\n</LimitExcept>"


def verdicts(configure: Configure, lines: str) -> list[Verdict]:
    """What becomes of a request of 127.0.0.1 without a user, for each of METHODS."""
    access = access_of(configure(f"<Location />\n{lines}\n</Location>").server.lookup("/", None))
    if access is None:
        return [YES] * len(METHODS)
    return [access.verdict(Facts(name, "127.0.0.1", False, None, lambda user: frozenset())) for name in METHODS]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (OLD_CLASSIC, [NO, NO, NO, YES, YES]),
        (USERS_BUT_FOR_READING, [YES, YES, YES, ASK, ASK]),
        ("<Limit POST>\nRequire all denied\n</Limit>", [YES, YES, NO, YES, YES]),
        ("<LimitExcept GET>\nRequire all denied\n</LimitExcept>", [YES, YES, NO, NO, NO]),
        ("<Limit HEAD>\nRequire all denied\n</Limit>", [NO, NO, YES, YES, YES]),
        ("<Limit POST>\nRequire all denied\n</Limit>\nRequire all granted", [YES] * 5),
        ("<Limit POST>\nRequire all granted\n</Limit>\nRequire all denied", [NO, NO, YES, NO, NO]),
        ("<Limit POST>\n<RequireAll>\nRequire all denied\n</RequireAll>\n</Limit>", [YES, YES, NO, YES, YES]),
        ("<RequireAll>\n<Limit POST>\nRequire all denied\n</Limit>\n</RequireAll>", [YES, YES, NO, YES, YES]),
        ("<RequireAny>\n<Limit POST>\nRequire all granted\n</Limit>\n</RequireAny>", [YES] * 5),
        (
            "<RequireAny>\n<Limit POST>\nRequire all granted\n</Limit>\nRequire ip 10\n</RequireAny>",
            [NO, NO, YES, NO, NO],
        ),
        (
            "<RequireAll>\nRequire all granted\n<RequireAny>\n<Limit POST>\nRequire all denied\n</Limit>\n"
            "</RequireAny>\n</RequireAll>",
            [YES, YES, NO, YES, YES],
        ),
        (
            "<RequireAll>\n<Limit POST>\nRequire all granted\n</Limit>\n"
            "Require not ip 127.0.0.2\n</RequireAll>",
            [YES] * 5,
        ),
        (
            "<RequireAll>\n<Limit POST>\nRequire all granted\n</Limit>\n"
            "Require not ip 127.0.0.1\n</RequireAll>",
            [NO] * 5,
        ),
        (
            "<RequireAll>\nRequire all granted\n"
            "<Limit POST>\nRequire not ip 127.0.0.1\n</Limit>\n</RequireAll>",
            [YES, YES, NO, YES, YES],
        ),
        ("Order allow,deny\n<Limit POST>\nAllow from all\n</Limit>", [NO, NO, YES, NO, NO]),
        (
            "Deny from all\n<Limit POST>\nOrder allow,deny\nAllow from all\n</Limit>\nOrder deny,allow",
            [NO, NO, YES, NO, NO],
        ),
        (
            "Require valid-user\nDeny from all\nAllow from 127\n<Limit GET>\nSatisfy any\n</Limit>",
            [YES, YES, ASK, ASK, ASK],
        ),
        ("Satisfy any\nDeny from all\n<Limit POST>\nRequire valid-user\n</Limit>", [YES, YES, ASK, YES, YES]),
        (
            "<LimitExcept GET>\n<Limit POST PUT>\nRequire all denied\n</Limit>\n</LimitExcept>",
            [YES, YES, NO, NO, YES],
        ),
        (
            "<LimitExcept GET>\nRequire valid-user\n<LimitExcept POST>\nRequire ip 127\n</LimitExcept>\n"
            "</LimitExcept>",
            [YES, YES, ASK, YES, YES],
        ),
    ],
)
def test_rules_within_a_limit_count_for_its_methods_only(
    configure: Configure, lines: str, expected: list[Verdict]
) -> None:
    assert verdicts(configure, lines) == expected


def test_an_inner_section_replaces_an_outer_one_for_all_methods(configure: Configure) -> None:
    text = """
        <Location />
          Require all denied
          Deny from all
        </Location>
        <Location /a>
          <Limit POST>
            Require all granted
            Allow from all
          </Limit>
        </Location>
    """
    access = access_of(configure(text).server.lookup("/a", None))
    assert access is not None
    facts = [Facts(name, "127.0.0.1", False, None, lambda user: frozenset()) for name in METHODS]
    assert [access.verdict(one) for one in facts] == [YES] * 5


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "<Limit>\n</Limit>",
            "2: <Limit>: expected methods in capital letters, such as GET POST, found nothing",
        ),
        (
            "<Limit get>\n</Limit>",
            '2: <Limit>: expected methods in capital letters, such as GET POST, found "get"',
        ),
        ("<Limit GET,POST>\n</Limit>", 'found "GET,POST"'),
        ("<Limit GET TRACE>\n</Limit>", "2: <Limit>: expected methods that are served, which TRACE is not"),
        (
            "<Limit POST>\n<Limit GET>\n</Limit>\n</Limit>",
            "3: <Limit>: expected some of the methods of <Limit POST>, the section around it, found "
            "<Limit GET>",
        ),
        (
            "<Limit POST>\n<Limit PUT POST>\n</Limit>\n</Limit>",
            "3: <Limit>: expected fewer methods than in <Limit POST>, the section around it, found "
            "<Limit PUT POST>",
        ),
        (
            "<LimitExcept GET>\n<LimitExcept HEAD>\n</LimitExcept>\n</LimitExcept>",
            "3: <LimitExcept>: expected fewer",
        ),
        (
            "<Limit GET>\n<RequireAny>\n<LimitExcept GET>\nRequire local\n</LimitExcept>\n"
            "</RequireAny>\n</Limit>",
            "4: <LimitExcept>: expected some of the methods of <Limit GET>",
        ),
        (
            "<Limit GET>\nOptions None\n</Limit>",
            "3: Options: expected Require, a group of it, Order, Allow, Deny or Satisfy within <Limit> "
            "(all else holds for every method), found Options",
        ),
        ("<LimitExcept GET>\nAuthType Basic\n</LimitExcept>", "3: AuthType: expected Require"),
        ("<Limit GET>\nAuthMerging And\n</Limit>", "3: AuthMerging: expected Require"),
        ("<Limit GET>\n<Files x>\nRequire local\n</Files>\n</Limit>", "3: <Files>: expected Require"),
        ("<Limit GET>\nRequire not ip 10\n</Limit>", "3: Require: expected something that can grant"),
        (
            "<RequireAll>\n<Limit GET>\nOrder allow,deny\n</Limit>\n</RequireAll>",
            "4: Order: expected Require or a",
        ),
        (
            "<RequireAll>\n<Limit GET>\n</Limit>\n</RequireAll>",
            "2: <RequireAll>: expected at least one Require",
        ),
    ],
)
def test_what_a_limit_cannot_hold_is_refused_with_its_place(
    problems: Problems, lines: str, expected: str
) -> None:
    found = problems(f"<Location />\n{lines}\n</Location>")
    assert any(expected in one for one in found), found


def test_a_limit_has_no_place_in_a_server(problems: Problems) -> None:
    found = problems("<Limit POST>\nRequire all denied\n</Limit>")
    assert "1: Limit: expected in <Directory>, <Location>, <Files>, found in main server" in found[0]


def test_LimitExcept_may_name_TRACE(configure: Configure) -> None:
    assert verdicts(configure, "<LimitExcept TRACE GET>\nRequire all denied\n</LimitExcept>")[:3] == [
        YES,
        YES,
        NO,
    ]


def test_the_dump_shows_limits_as_the_file_has_them(configure: Configure) -> None:
    lines = "<Limit POST>\nRequire local\nDeny from all\nSatisfy any\n</Limit>\n"
    lines += "<LimitExcept GET>\nOrder allow,deny\n</LimitExcept>\nAllow from 10.1\n"
    text = f"<Location />\n{lines}</Location>"
    configuration = configure(text)
    shown = [line.split("  ")[0] for line in report.dump(configuration)]
    begin = shown.index(next(line for line in shown if line.startswith("# <Location />"))) + 1
    own = list(itertools.takewhile(lambda line: not line.startswith("#"), shown[begin:-1]))
    assert own == [
        *["<Limit POST>", "Require local", "</Limit>"],
        *["<Limit POST>", "Deny from all", "</Limit>"],
        *["<Limit POST>", "Satisfy any", "</Limit>"],
        *["<LimitExcept GET>", "Order allow,deny", "</LimitExcept>"],
        "Allow from 10.1.0.0/16",
    ]
    again = configure("<Location />\n" + "\n".join(own) + "\n</Location>").server.lookup("/", None)
    first = configuration.server.lookup("/", None)
    assert again[table.Require] == first[table.Require]
    for method in METHODS:
        assert again[table.Order].on(method) == first[table.Order].on(method)


names = st.lists(st.sampled_from(["GET", "POST", "PUT", "MKCOL"]), min_size=1, max_size=4)
section = st.sampled_from([LIMIT, EXCEPT])


@given(section, names, section, names)
def test_a_limit_within_another_one_counts_where_both_do(
    outer: object, some: list[str], inner: object, more: list[str]
) -> None:
    one = Methods(tuple(dict.fromkeys(some)), outer is EXCEPT)
    other = Methods(tuple(dict.fromkeys(more)), inner is EXCEPT)
    everything = ("GET", "HEAD", "POST", "PUT", "MKCOL", "BREW")
    expected = [name for name in everything if name in one and name in other]
    try:
        both = read_methods(EXCEPT if inner is EXCEPT else LIMIT, more, one)
    except Malformed:
        assert expected in ([], [name for name in everything if name in one])
    else:
        assert [name for name in everything if name in both] == expected
        assert expected and expected != [name for name in everything if name in one]
