"""Redirect, RedirectMatch, AliasMatch and ErrorDocument: what a line says and what it does to a URL path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives import table
from gateway.directives.directive import Directive
from gateway.directives.grammar import split_words
from gateway.directives.readers.redirects import Redirections
from gateway.directives.readers.substitution import Substitution
from tests.directives.conftest import Configure

ROOT = "/srv/www"


def location(row: Directive[Redirections], line: str, url: str) -> tuple[int, str | None]:
    (one,) = row.reader.read(split_words(line), ROOT)
    return one.status, one.location(url)


@pytest.mark.parametrize(
    ("line", "url", "expected"),
    [
        ("/old https://new.example/x", "/old", (302, "https://new.example/x")),
        ("/old https://new.example/x", "/old/a b/c", (302, "https://new.example/x/a%20b/c")),
        ("/old https://new.example/x", "/older", (302, None)),
        ("permanent / https://new.example/", "/a", (301, "https://new.example/a")),
        ("seeother /old /new", "/old/a", (303, "/new/a")),
        ("307 /old /new", "/old", (307, "/new")),
        ("gone /old", "/old/a", (410, "")),
        ("503 /old", "/old", (503, "")),
        ("https://all.example/", "/anything", (302, "https://all.example/")),
        ("308 https://all.example/", "/anything", (308, "https://all.example/")),
    ],
)
def test_Redirect_as_in_mod_alias(line: str, url: str, expected: tuple[int, str | None]) -> None:
    assert location(table.Redirect, line, url) == expected


def test_RedirectPermanent_and_RedirectTemp_are_301_and_302() -> None:
    assert location(table.RedirectPermanent, "/old /new", "/old") == (301, "/new")
    assert location(table.RedirectTemp, "/old /new", "/old") == (302, "/new")


@pytest.mark.parametrize(
    ("line", "url", "expected"),
    [
        (r"^/p(\d)$ /alias/$1.html", "/p7", (302, "/alias/7.html")),
        (r"301 (.*)\.gif$ https://images.example$1.png", "/a b.gif", (301, "https://images.example/a%20b.png")),
        (r"404 /\.git", "/x/.git/config", (404, "")),
        (r"^/cost$ /a/\$5", "/cost", (302, "/a/$5")),
        (r"^/x(?<name>.)$ /y$1?z", "/x?", (302, "/y%3F?z")),
    ],
)
def test_RedirectMatch_puts_what_matched_into_the_target(
    line: str, url: str, expected: tuple[int, str | None]
) -> None:
    assert location(table.RedirectMatch, line, url) == expected


@pytest.mark.parametrize("tail", ["/evil.example", "//evil.example", "/\\evil.example"])
def test_a_path_of_this_server_never_becomes_another_servers_name(tail: str) -> None:
    for row, line in [(table.Redirect, "/a /"), (table.RedirectMatch, "^/a(.*)$ /$1")]:
        found = location(row, line, f"/a{tail}")[1]
        assert found is not None and found.startswith("/") and not found.startswith(("//", "/\\"))


@given(st.text())
def test_no_text_of_a_URL_breaks_out_of_the_location(tail: str) -> None:
    found = location(table.RedirectMatch, "^/a(?s:(.*))$ https://b.example/$1", f"/a{tail}")[1]
    if found is not None:
        assert found.isascii() and found.isprintable() and not set(' ?#"<>') & set(found)


def test_the_base_of_a_pattern_is_the_folder_that_all_targets_share() -> None:
    assert Substitution("^/~([^/]+)/(.*)", "/home/$1/www/$2").base == "/home"
    assert Substitution("^/icons/(.*)", "/usr/share/icons/$1").base == "/usr/share/icons"
    assert Substitution("^/favicon", "/srv/favicon.ico").base == "/srv/favicon.ico"


@given(st.from_regex(r"[a-z./]{0,9}", fullmatch=True), st.from_regex(r"[a-z./]{0,9}", fullmatch=True))
def test_every_target_of_a_pattern_is_within_its_reach(first: str, second: str) -> None:
    one = Substitution("^/(.*)~(.*)$", "/srv/$1/cgi/$2")
    target = one.apply(f"/{first}~{second}")
    assert target is not None and one.reach.match(target)


def test_inner_redirects_come_before_outer_ones(configure: Configure) -> None:
    configuration = configure(
        "Redirect /a /server\n<VirtualHost *>\nRedirect /a /host\n</VirtualHost>\n"
        "<Location /a>\nRedirect /a /inner\n</Location>"
    )
    settings = configuration.hosts[0].lookup("/a", None)
    assert [one.target for one in settings[table.Redirect]] == ["/inner", "/host", "/server"]


def test_an_inner_ErrorDocument_replaces_the_outer_one_of_its_status_only(configure: Configure) -> None:
    configuration = configure(
        'ErrorDocument 404 /404\nErrorDocument 403 "no"\n<Location /a>\nErrorDocument 404 default\n</Location>'
    )
    documents = configuration.server.lookup("/a", None)[table.ErrorDocument]
    assert {status: one.kind for status, one in documents.items()} == {404: "default", 403: "text"}
