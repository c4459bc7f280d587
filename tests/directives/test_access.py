"""Who may come in, decided: Require and its groups, the old Order, Allow and Deny, and how sections join."""

from __future__ import annotations

import ipaddress
import itertools
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives import report, table
from gateway.directives.access import access_of
from gateway.directives.grammar import join_words
from gateway.directives.problems import Malformed
from gateway.directives.readers.hostrules import HostRules
from gateway.directives.readers.networks import holds, network, spelled
from gateway.directives.readers.proxies import Proxies, client_of
from gateway.directives.readers.requirements import (
    ALL,
    ANY,
    NONE,
    Condition,
    Facts,
    Group,
    Rules,
    Term,
    Verdict,
    decide,
)

from .conftest import Configure, Problems

GRANTED, DENIED, NO_USER = Verdict.GRANTED, Verdict.DENIED, Verdict.NO_USER
GROUPS = {"ada": frozenset({"staff", "wheel"}), "bob": frozenset({"staff"})}


def facts(
    user: str | None = None, address: str | None = "192.0.2.7", method: str = "GET", *, local: bool = False
) -> Facts:
    return Facts(method, address, local, user, lambda name: GROUPS.get(name, frozenset()))


def rules_of(configure: Configure, lines: str) -> Rules:
    text = f"<Location />\n{lines}\n</Location>"
    return configure(text).server.lookup("/", None)[table.Require]


def verdict(configure: Configure, lines: str, about: Facts) -> Verdict:
    access = access_of(configure(f"<Location />\n{lines}\n</Location>").server.lookup("/", None))
    return GRANTED if access is None else access.verdict(about)


# ---- each kind


@pytest.mark.parametrize(
    ("line", "about", "expected"),
    [
        ("all granted", facts(), GRANTED),
        ("ALL Denied", facts("ada"), DENIED),
        ("valid-user", facts(), NO_USER),
        ("valid-user", facts("ada"), GRANTED),
        ("user ada bob", facts("bob"), GRANTED),
        ("user ada bob", facts("eve"), DENIED),
        ("user ada", facts(), NO_USER),
        ('user "ada lovelace"', facts("ada lovelace"), GRANTED),
        ("group wheel", facts("ada"), GRANTED),
        ("group wheel admin", facts("bob"), DENIED),
        ("group wheel", facts(), NO_USER),
        ("ip 192.0.2.7", facts(), GRANTED),
        ("ip 192.0.2.8", facts(), DENIED),
        ("ip 10.1 192.0.2", facts(), GRANTED),
        ("ip 192.0.2.0/24", facts(), GRANTED),
        ("ip 192.0.2.9/24", facts(), GRANTED),
        ("ip 192.0.2.0/255.255.255.0", facts(), GRANTED),
        ("ip 192.0.2.8/29", facts(), DENIED),
        ("ip 192.0.2.7", facts(address="::ffff:192.0.2.7"), GRANTED),
        ("ip ::ffff:192.0.2.0/120", facts(), GRANTED),
        ("ip 2001:db8::/32", facts(address="2001:db8:1::5"), GRANTED),
        ("ip 2001:db8::/32", facts(address="2001:db9::5"), DENIED),
        ("ip 192.0.2.7", facts(address=None), DENIED),
        ("local", facts(local=True), GRANTED),
        ("local", facts(), DENIED),
        ("method POST PUT", facts(method="PUT"), GRANTED),
        ("method POST", facts(), DENIED),
        ("method GET", facts(method="HEAD"), GRANTED),
        ("method get", facts(), DENIED),
        ("method HEAD", facts(), GRANTED),
    ],
)
def test_each_kind_of_require(configure: Configure, line: str, about: Facts, expected: Verdict) -> None:
    assert verdict(configure, f"Require {line}", about) is expected


def test_without_require_everybody_may_come_in_and_nothing_is_asked(configure: Configure) -> None:
    assert access_of(configure("").server.settings) is None
    assert (
        access_of(configure("<Location />\nRequire all granted\n</Location>").server.lookup("/", None)) is None
    )


def test_one_of_several_lines_is_enough(configure: Configure) -> None:
    lines = "Require ip 10\nRequire user ada"
    assert verdict(configure, lines, facts(address="10.9.9.9")) is GRANTED
    assert verdict(configure, lines, facts("ada")) is GRANTED
    assert verdict(configure, lines, facts()) is NO_USER
    assert verdict(configure, lines, facts("bob")) is DENIED


def test_groups_nest(configure: Configure) -> None:
    lines = """
        <RequireAny>
          Require user root
          <RequireAll>
            Require group staff
            Require ip 192.0.2
            Require not user bob
            <RequireNone>
              Require method DELETE
              Require ip 192.0.2.99
            </RequireNone>
          </RequireAll>
        </RequireAny>
    """
    assert verdict(configure, lines, facts("root", "10.0.0.1")) is GRANTED
    assert verdict(configure, lines, facts("ada")) is GRANTED
    assert verdict(configure, lines, facts("bob")) is DENIED
    assert verdict(configure, lines, facts("ada", method="DELETE")) is DENIED
    assert verdict(configure, lines, facts("ada", "192.0.2.99")) is DENIED
    assert verdict(configure, lines, facts("ada", "10.0.0.1")) is DENIED
    assert verdict(configure, lines, facts()) is NO_USER


def test_a_refusal_that_no_user_could_change_asks_for_none(configure: Configure) -> None:
    lines = "<RequireAll>\nRequire valid-user\nRequire ip 10\n</RequireAll>"
    assert verdict(configure, lines, facts()) is DENIED


# ---- what is refused, with its place


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (
            "Require",
            "2: Require: expected one of all, valid-user, user, group, ip, local, method, env, found nothing",
        ),
        ("Require all", "2: Require: expected granted or denied after all, found nothing"),
        ("Require valid-users", 'env, found "valid-users"; did you mean valid-user?'),
        ("Require user", "2: Require: expected one name or more, found nothing"),
        ("Require local here", '2: Require: expected nothing more, found "here"'),
        ("Require ip example.org", "host names are not looked up"),
        ("Require ip 10.1.0.0/0.0.255.255", 'found "10.1.0.0/0.0.255.255"'),
        ("Require ip 300.1", "an address"),
        ("Require host example.org", "names of clients are not looked up: use ip"),
        ("Require expr true", "expressions are not evaluated"),
        ("Require env", "2: Require: expected one name or more, found nothing"),
        ("Require env nokeepalive", "a variable that SetEnvIf sets here (not one that steers Apache itself)"),
        ("Require ldap-user x", 'env, found "ldap-user"'),
        ("Require not ip 10", "2: Require: expected something that can grant"),
        ("<RequireNone>\nRequire ip 10\n</RequireNone>", "2: <RequireNone>: expected something that can grant"),
        ("<RequireAny>\nRequire not ip 10\n</RequireAny>", "3: Require: expected something that can grant"),
        ("<RequireNone>\nRequire not ip 10\n</RequireNone>", "3: Require: expected something that can grant"),
        (
            "<RequireAll>\nRequire not ip 10\n</RequireAll>",
            "2: <RequireAll>: expected at least one Require without",
        ),
        ("<RequireAll>\n</RequireAll>", "2: <RequireAll>: expected at least one Require"),
        (
            "<RequireAll x>\nRequire local\n</RequireAll>",
            "2: <RequireAll>: expected nothing after the name, found x",
        ),
        (
            "<RequireAll>\nAuthName x\nRequire local\n</RequireAll>",
            "3: AuthName: expected Require or a group of it",
        ),
        (
            "<RequireAll>\nRequire local\n<Files x>\n</Files>\n</RequireAll>",
            "4: <Files>: expected Require or a",
        ),
        ("AuthType Digest", "2: AuthType: expected Basic|None: digest is not available, use Basic under TLS"),
        ("AuthType Form", "form is not available"),
        ("AuthBasicProvider ldap", "expected file, the one provider"),
        ("AuthUserFile conf/nothing", "2: AuthUserFile: expected something that exists, found nothing at"),
        ("AuthGroupFile conf/nothing", "2: AuthGroupFile: expected something that exists"),
        ("AuthMerging Xor", "2: AuthMerging: expected one of Off, And, Or"),
        (
            "Order deny, allow",
            "2: Order: expected one of deny,allow allow,deny mutual-failure (without a blank)",
        ),
        ("Allow all", "2: Allow: expected from all|net|env=[!]name …"),
        ("Allow from env=", "2: Allow: expected a variable that SetEnvIf sets here"),
        ("Deny from .example.org", "host names are not looked up"),
        ("Satisfy both", "2: Satisfy: expected all or any"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(problems: Problems, lines: str, expected: str) -> None:
    found = problems(f"<Location />\n{lines}\n</Location>")
    assert any(expected in one for one in found), found


def test_a_realm_may_hold_no_line_break(configure: Configure, problems: Problems) -> None:
    assert "control characters" in problems('<Location />\nAuthName "a\x07b"\n</Location>')[0]


def test_require_has_no_place_in_a_server(problems: Problems) -> None:
    assert "expected in <Directory>, <Location>, <Files>" in problems("Require all denied")[0]


# ---- sections


def test_an_inner_section_replaces_the_outer_one(configure: Configure) -> None:
    text = "<Location />\nRequire all denied\n</Location>\n<Location /a>\nRequire user ada\n</Location>"
    inner = configure(text).server.lookup("/a", None)[table.Require]
    assert decide(inner, facts("ada")) is GRANTED


@pytest.mark.parametrize(
    ("how", "both", "one"), [("Off", GRANTED, GRANTED), ("And", GRANTED, DENIED), ("Or", GRANTED, GRANTED)]
)
def test_auth_merging_joins_what_two_sections_say(
    configure: Configure, how: str, both: Verdict, one: Verdict
) -> None:
    text = f"""
        <Location />
          Require ip 10
        </Location>
        <Location /a>
          AuthMerging {how}
          Require user ada
        </Location>
        <Location /a/b>
          SetEnv A b
        </Location>
        <Location /a/c>
          Require all denied
        </Location>
    """
    host = configure(text).server
    for url in ("/a", "/a/b"):
        joined = host.lookup(url, None)[table.Require]
        assert decide(joined, facts("ada", "10.1.1.1")) is both
        assert decide(joined, facts("ada")) is one
    assert decide(host.lookup("/a/c", None)[table.Require], facts("ada", "10.1.1.1")) is DENIED


def test_the_stock_files_section_guards_htaccess_and_htpasswd(configure: Configure) -> None:
    host = configure('<FilesMatch "^\\.ht">\nRequire all denied\n</FilesMatch>').server
    access = access_of(host.lookup("/.htpasswd", "/srv/www/.htpasswd"))
    assert access is not None
    assert access.verdict(facts("ada", local=True)) is DENIED
    assert access_of(host.lookup("/index.html", "/srv/www/index.html")) is None


# ---- Order, Allow, Deny, Satisfy


@pytest.mark.parametrize(
    ("order", "allowed_only", "denied_only", "both", "neither"),
    [
        ("deny,allow", True, False, True, True),
        ("allow,deny", True, False, False, False),
        ("mutual-failure", True, False, False, False),
    ],
)
def test_order_says_who_has_the_last_word(
    order: str, allowed_only: bool, denied_only: bool, both: bool, neither: bool
) -> None:
    rules = HostRules(order, spelled(["10.1", "10.3"]), spelled(["10.2", "10.3"]))
    clients = [facts(address=f"10.{number}.0.1") for number in (1, 2, 3, 4)]
    answers = [rules.permits(client) for client in clients]
    assert answers == [allowed_only, denied_only, both, neither]


@pytest.mark.parametrize(
    ("lines", "near", "far"),
    [
        ("Order allow,deny\nAllow from all", GRANTED, GRANTED),
        ("Order deny,allow\nDeny from all", DENIED, DENIED),
        ("Order allow,deny\nDeny from all", DENIED, DENIED),
        ("Order deny,allow\nDeny from all\nAllow from 10.1 10.2.0.0/16", GRANTED, DENIED),
        ("Deny from 10", DENIED, GRANTED),
        ("Order allow,deny", DENIED, DENIED),
        ("Order deny,allow\nDeny from all\nAllow from 10\nRequire valid-user", NO_USER, DENIED),
        ("Order deny,allow\nDeny from all\nAllow from 10\nRequire valid-user\nSatisfy any", GRANTED, NO_USER),
        ("Order deny,allow\nDeny from all\nAllow from 10\nSatisfy any", GRANTED, Verdict.NEUTRAL),
        ("Require valid-user\nSatisfy any", NO_USER, NO_USER),
        ("Order allow,deny\nAllow from all\nRequire all denied", DENIED, DENIED),
    ],
)
def test_old_and_new_access_control_together(
    configure: Configure, lines: str, near: Verdict, far: Verdict
) -> None:
    assert verdict(configure, lines, facts(address="10.1.2.3")) is near
    assert verdict(configure, lines, facts()) is far


def test_an_inner_sections_order_replaces_all_four(configure: Configure) -> None:
    text = """
        <Location />
          Order deny,allow
          Deny from all
          Satisfy any
        </Location>
        <Location /a>
          Allow from 10
        </Location>
    """
    assert configure(text).server.lookup("/a", None)[table.Order] == HostRules(allow=("10.0.0.0/8",))


# ---- written and read


term = st.recursive(
    st.lists(st.sampled_from(["ada", "bob", "a b"]), min_size=1, max_size=2).map(
        lambda users: Condition("user", tuple(users))
    )
    | st.sampled_from(
        [
            Condition("all", ("granted",)),
            Condition("all", ("denied",)),
            Condition("valid-user"),
            Condition("local"),
        ]
    ),
    lambda inner: (
        st.builds(
            lambda name, terms: Group(name, tuple(terms)),
            st.sampled_from([ALL.name, ANY.name]),
            st.lists(inner, min_size=1, max_size=3),
        )
        | st.builds(
            lambda first, second, third: Group(ALL.name, (first, Group(NONE.name, (second, third)))),
            inner,
            inner,
            inner,
        )
        | st.builds(
            lambda first, kind, words: Group(ALL.name, (first, Condition(kind, words, negated=True))),
            inner,
            st.just("user"),
            st.just(("eve",)),
        )
    ),
    max_leaves=8,
)


@given(st.lists(term, min_size=1, max_size=3))
def test_rules_are_read_as_they_were_written(
    tmp_path_factory: pytest.TempPathFactory, terms: list[Term]
) -> None:
    from gateway.configuration.load import load

    reader = table.Require.reader
    lines = [
        " ".join(words) if words[0].startswith("<") else "Require " + join_words(words)
        for words in reader.lines(Rules(tuple(terms)))
    ]
    file = _conf(tmp_path_factory) / "gateway.conf"
    file.write_text("<Location />\n" + "\n".join(lines) + "\n</Location>\n")
    assert load(str(file)).server.lookup("/", None)[table.Require] == Rules(tuple(terms))


def _conf(factory: pytest.TempPathFactory) -> Path:
    folder = factory.getbasetemp() / "written" / "conf"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_dump_shows_groups_as_the_file_has_them(configure: Configure) -> None:
    text = "<Location />\n<RequireAll>\nRequire valid-user\nRequire not user bob\n</RequireAll>\n</Location>"
    shown = [line.split("  ")[0] for line in report.dump(configure(text))]
    at = shown.index("<RequireAll>")
    assert shown[at : at + 4] == ["<RequireAll>", "Require valid-user", "Require not user bob", "</RequireAll>"]


# ---- the tree against a small model: two values, users known


WORLDS = [
    facts(user, address, local=local)
    for user, address, local in itertools.product(
        [None, "ada", "bob"], ["10.0.0.1", "192.0.2.7"], [True, False]
    )
]


def holds_for(one: Term, about: Facts) -> bool:
    """What a term says in two-valued logic; nobody is the user of a request without one."""
    if isinstance(one, Group):
        results = [holds_for(inner, about) != inner.negated for inner in one.terms]
        return all(results) if one.name == ALL.name else any(results)
    simple = {
        "all": one.words == ("granted",),
        "valid-user": about.user is not None,
        "user": about.user in one.words,
        "local": about.local,
    }
    return simple[one.kind]


@given(st.lists(term, min_size=1, max_size=4), st.sampled_from(WORLDS))
def test_the_tree_grants_what_logic_grants(terms: list[Term], about: Facts) -> None:
    granted = decide(Rules(tuple(terms)), about) is GRANTED
    assert granted == any(holds_for(one, about) for one in terms)


@given(st.lists(term, min_size=2, max_size=4), st.sampled_from(WORLDS))
def test_the_order_of_lines_does_not_matter(terms: list[Term], about: Facts) -> None:
    shuffled = list(reversed(terms))
    for name in (ALL.name, ANY.name):
        one, other = (decide(Rules((Group(name, tuple(some)),)), about) for some in (terms, shuffled))
        assert one is other


@given(st.lists(term, min_size=1, max_size=3), st.sampled_from(WORLDS))
def test_none_of_them_is_all_of_their_opposites(terms: list[Term], about: Facts) -> None:
    everybody = Condition("all", ("granted",))
    none = Group(ALL.name, (everybody, Group(NONE.name, tuple(terms))))
    opposites = Group(ALL.name, (everybody, *(Group(NONE.name, (one,)) for one in terms)))
    assert decide(Rules((none,)), about) is decide(Rules((opposites,)), about)


@given(st.lists(term, min_size=1, max_size=4), st.sampled_from(WORLDS))
def test_a_user_is_asked_for_only_where_one_could_help(terms: list[Term], about: Facts) -> None:
    said = decide(Rules(tuple(terms)), about)
    assert (said is NO_USER) <= (about.user is None)


# ---- networks and proxies


@given(st.ip_addresses(), st.integers(0, 32))
def test_a_network_is_spelled_in_one_way_and_holds_what_ipaddress_says(
    address: ipaddress.IPv4Address | ipaddress.IPv6Address, length: int
) -> None:
    spelling = network(f"{address}/{length}")
    assert network(spelling) == spelling
    if address not in ipaddress.ip_network("::ffff:0:0/96"):  # those are IPv4 addresses
        assert holds((spelling,), str(address))


@given(st.text(max_size=20))
def test_what_is_no_network_is_refused(word: str) -> None:
    try:
        spelling = network(word)
    except Malformed as error:
        assert str(error).startswith("expected an address")
    else:
        assert network(spelling) == spelling


def test_a_header_that_nobody_is_believed_by_gets_a_notice(configure: Configure) -> None:
    said = [str(one) for one in configure("RemoteIPHeader X-Forwarded-For").notices]
    assert [one.partition("notice: ")[2] for one in said] == [
        "RemoteIPHeader X-Forwarded-For: only proxies on a Unix socket are believed, "
        "until RemoteIPTrustedProxy names others"
    ]
    assert not configure("RemoteIPHeader X-Forwarded-For\nRemoteIPTrustedProxy 10").notices


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("RemoteIPHeader", "expected one name of a header"),
        ("RemoteIPHeader a:b", 'expected a header such as X-Forwarded-For, found "a:b"'),
        ("RemoteIPHeader Host", 'found "Host"'),
        ("RemoteIPTrustedProxy", "expected one network or more"),
        ("RemoteIPTrustedProxy proxy.example.org", "host names are not looked up"),
        ("RemoteIPInternalProxy 10.0.0.0/40", "an address"),
    ],
)
def test_what_cannot_be_a_proxy_is_refused(problems: Problems, line: str, expected: str) -> None:
    assert expected in problems(line)[0]


TRUSTED = Proxies(trusted=spelled(["198.51.100.0/24"]), internal=spelled(["10.0.0.0/8"]))


@pytest.mark.parametrize(
    ("peer", "header", "found"),
    [
        ("198.51.100.1", "203.0.113.9", ("203.0.113.9", "")),
        ("198.51.100.1", "192.0.2.1, 203.0.113.9", ("203.0.113.9", "192.0.2.1")),
        ("198.51.100.1", "192.0.2.1, 203.0.113.9, 198.51.100.2", ("203.0.113.9", "192.0.2.1")),
        ("198.51.100.1", "203.0.113.9:4711", ("203.0.113.9", "")),
        ("198.51.100.1", "[2001:db8::1]:4711", ("2001:db8::1", "")),
        ("198.51.100.1", "2001:db8::1", ("2001:db8::1", "")),
        ("198.51.100.1", "::ffff:203.0.113.9", ("203.0.113.9", "")),
        ("203.0.113.5", "192.0.2.1", None),
        ("198.51.100.1", "unknown", None),
        ("198.51.100.1", "", None),
        ("198.51.100.1", "203.0.113.9, junk, 198.51.100.2", ("198.51.100.2", "203.0.113.9, junk")),
        ("198.51.100.1", "192.168.1.1", None),
        ("198.51.100.1", "127.0.0.1", None),
        ("198.51.100.1", "::1", None),
        ("10.0.0.1", "192.168.1.1", ("192.168.1.1", "")),
        ("10.0.0.1", "192.168.1.1, 10.0.0.2", ("192.168.1.1", "")),
        (None, "192.168.1.1", ("192.168.1.1", "")),
        (None, "203.0.113.1, 10.0.0.2", ("203.0.113.1", "")),
        ("198.51.100.1", "203.0.113.9%eth0", None),
    ],
)
def test_the_walk_through_the_header(peer: str | None, header: str, found: tuple[str, str] | None) -> None:
    assert client_of(peer, header, TRUSTED) == found


@given(st.lists(st.sampled_from(["203.0.113.9", "198.51.100.2", "10.0.0.1", "x", ""]), max_size=5))
def test_an_untrusted_peer_never_changes_the_address(entries: list[str]) -> None:
    assert client_of("203.0.113.77", ",".join(entries), TRUSTED) is None
