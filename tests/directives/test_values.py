from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.directives import table
from gateway.directives.directive import Directive
from gateway.directives.grammar import join_words, split_words
from gateway.directives.problems import Malformed
from gateway.directives.table import DIRECTIVES

ROOT = "/srv/www"
name = st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=8)
path = st.lists(st.text(st.characters(exclude_characters="\0\n/"), min_size=1), min_size=1).map("/".join)
extension = name.map(lambda text: f".{text}")
number = st.integers(0, 99_999).map(str)
time = st.builds(str.__add__, number, st.sampled_from(["", "ms", "s", " mins", "h"]))
option = st.sampled_from(["ExecCGI", "FollowSymLinks", "Indexes", "MultiViews", "All"])

LIMITS = st.lists(st.none() | st.integers(1, 99_999), min_size=1, max_size=2).filter(
    lambda pair: None in pair or pair == sorted(pair, key=lambda limit: limit or 0)
)

LINES: dict[Directive[Any], st.SearchStrategy[list[str]]] = {
    table.Listen: st.sampled_from(
        [["80"], ["*:81"], ["127.0.0.1:82", "http"], ["[::1]:83"], ["unix:run/a b"], ["84", "https"]]
    ),
    table.RequestReadTimeout: st.lists(
        st.sampled_from(["header=20-40,MinRate=500", "body=0", "handshake=5"]), min_size=1, unique=True
    ),
    table.SSLProtocol: st.sampled_from([["all"], ["ALL", "-SSLv3", "-TLSv1.2"], ["-all", "+TLSv1.2"]]),
    table.ServerStatusControl: st.sampled_from(
        [["none"], ["User", "ada"], ["ip", "10.0.0.0/8"], ["all", "granted"]]
    ),
    table.ControlSocket: st.one_of(st.just(["none"]), path.map(lambda text: [f"./{text}"])),
    table.ServerName: name.map(lambda text: [f"{text}.example:80"]),
    table.ServerAlias: st.lists(name.map(lambda text: f"*.{text}"), min_size=1),
    table.LimitRequestBody: st.builds(str.__add__, number, st.sampled_from(["", "K", "M", "G"])).map(
        lambda text: [text]
    ),
    table.LogLevel: st.lists(
        st.builds(str.__add__, st.sampled_from(["", "cgi:", "ssl:"]), st.sampled_from(table.LOG_LEVELS)),
        min_size=1,
    ).map(lambda words: [word.upper() for word in words]),
    table.LogFormat: st.one_of(st.just(["%h %s"]), name.map(lambda text: ['%r "%u"', text])),
    table.CustomLog: st.builds(
        lambda target, form, condition: [target, form, *condition],
        st.one_of(st.just("stdout"), path.map(lambda text: f"./{text}")),
        st.sampled_from(["common", '%h "%r"']),
        st.sampled_from([[], ["env=A"], ["env=!A"]]),
    ),
    table.TransferLog: path.map(lambda text: [f"./{text}"]),
    table.DirectoryIndex: st.one_of(st.just(["disabled"]), st.lists(name, min_size=1)),
    table.Alias: st.builds(lambda url, target: [f"/{url}", target], path, path),
    table.ScriptAlias: st.builds(lambda url, target: [f"/{url}", f"{target}/"], path, path),
    table.AddHandler: st.lists(extension, min_size=1).map(lambda words: ["CGI-Script", *words]),
    table.SetHandler: st.sampled_from([["cgi-script"], ["none"], ["Server-Status"], ["Server-Metrics"]]),
    table.SetEnvIf: st.builds(
        lambda attribute, words: [attribute, "(a) [[:alnum:]]+$", *words],
        st.sampled_from(["Referer", "^X-.*", "Request_URI"]),
        st.lists(st.sampled_from(["a", "b=", "c=$1 x", "!a", "nokeepalive"]), min_size=1),
    ),
    table.Options: st.one_of(
        st.just(["None"]),
        st.lists(option, min_size=1),
        st.lists(st.builds(str.__add__, st.sampled_from("+-"), option), min_size=1),
    ),
    table.SetEnv: st.builds(
        lambda key, text: [key, text], name, st.text(st.characters(exclude_characters="\0\n"))
    ),
    table.UnsetEnv: st.lists(name, min_size=1),
    table.PassEnv: st.lists(name, min_size=1),
    table.MaxPersistentCGI: number.map(lambda text: [text]),
    table.PersistentCGITimeout: time.map(lambda text: [text]),
    table.PersistentCGIExpired: st.sampled_from([["gone"], ["FRESH"]]),
    table.PersistentCGIPreviousHandles: st.integers(0, 8).map(lambda count: [str(count)]),
    table.PersistentCGIShared: st.sampled_from([["on"], ["OFF"]]),
    table.PersistentCGISharedSessions: st.integers(1, 99_999).map(lambda count: [str(count)]),
    table.MaxPersistentCGIPerUser: number.map(lambda text: [text]),
    table.MaxPersistentCGIPerClient: number.map(lambda text: [text]),
    table.PersistentCGILookupLimit: number.map(lambda text: [text]),
    table.PersistentCGIClientRate: st.sampled_from(
        [["5/second"], ["10/MINUTE", "3"], ["0"], ["0/second", "2"]]
    ),
    table.PersistentCGIBind: st.sampled_from([["user"], ["COOKIE"], ["None"]]),
    table.PersistentCGIDeny: st.sampled_from([["none"], ["bot"], ["^curl/", r"a\.b (c|d)", "[[:digit:]]+"]]),
    table.CGIActivationGroup: st.builds(
        lambda words, target: ["python", *words, f"interpreter=/{target}"],
        st.lists(extension, min_size=1),
        path,
    ),
    table.Require: st.builds(
        lambda sign, words: [*sign, *words],
        st.sampled_from([[], ["not"]]),
        st.sampled_from([["ALL", "granted"], ["valid-user"], ["user", "a", "b c"], ["ip", "10.1", "::1"]]),
    ),
    table.AuthMerging: st.sampled_from([["off"], ["And"], ["OR"]]),
    table.AuthType: st.sampled_from([["basic"], ["None"]]),
    table.AuthName: st.text(st.characters(exclude_categories=["Cc"]), min_size=1).map(lambda text: [text]),
    table.AuthBasicProvider: st.just(["File"]),
    table.Order: st.sampled_from([["Deny,Allow"], ["allow,deny"], ["mutual-failure"]]),
    table.Allow: st.sampled_from([["from", "ALL"], ["From", "10.", "192.0.2.1"]]),
    table.Deny: st.sampled_from([["from", "all"], ["from", "2001:db8::/32"]]),
    table.Satisfy: st.sampled_from([["Any"], ["all"]]),
    table.RemoteIPHeader: st.sampled_from([["X-Forwarded-For"], ["X-Real-IP"]]),
    table.RemoteIPTrustedProxy: st.just(["10", "192.0.2.0/255.255.255.0"]),
    table.RemoteIPInternalProxy: st.just(["127.0.0.1", "::1"]),
    table.AcceptPathInfo: st.sampled_from([["on"], ["Off"], ["DEFAULT"]]),
    table.ServerAdmin: name.map(lambda text: [f"{text}@example.org"]),
    table.AliasMatch: st.builds(lambda url, target: [f"^/{url}/(.*)$", f"{target}/$1"], name, name),
    table.AddType: st.lists(extension, min_size=1).map(lambda words: ["text/x-own;charset=utf-8", *words]),
    table.RemoveType: st.lists(extension, min_size=1),
    table.ForceType: st.sampled_from([["text/x-own"], ["none"]]),
    table.Redirect: st.one_of(
        st.builds(
            lambda status, url: [status, f"/{url}", "https://a/"], st.sampled_from(["301", "temp"]), name
        ),
        st.builds(lambda url: [f"/{url}", f"/new/{url}"], name),
        st.just(["seeother", "https://example.org/"]),
        st.builds(lambda url: ["gone", f"/{url}"], name),
    ),
    table.ErrorDocument: st.builds(
        lambda status, document: [str(status), document],
        st.integers(402, 599),
        st.one_of(
            st.sampled_from(["/errors/404.html?x=1", "https://example.org/e", "default"]),
            st.text(st.characters(exclude_characters="\0\n/"), min_size=1).filter(
                lambda text: "://" not in text
            ),
        ),
    ),
    table.StartCGI: st.tuples(st.integers(0, 1000), st.lists(name, max_size=1)).map(
        lambda pair: [str(pair[0]), *pair[1]]
    ),
    table.RLimitCPU: LIMITS.map(lambda pair: [str(limit or "max") for limit in pair]),
    table.RLimitMEM: LIMITS.map(lambda pair: [f"{limit}K" if limit else "Max" for limit in pair]),
    table.User: st.one_of(name, st.integers(0, 2**32 - 2).map(lambda uid: f"#{uid}")).map(lambda text: [text]),
    table.SuexecUserGroup: st.tuples(name, name).map(list),
    table.ErrorLog: st.one_of(st.just(["stderr"]), path.map(lambda text: [f"./{text}"])),
    table.SessionLog: st.one_of(st.just(["stdout"]), path.map(lambda text: [f"./{text}"])),
}


def written(row: Directive[Any], value: Any) -> Iterable[str]:
    return map(join_words, row.reader.lines(value))


def read(row: Directive[Any], lines: Iterable[str]) -> Any:
    return row.merging.within([row.reader.read(split_words(line), ROOT) for line in lines])


def test_every_kind_of_value_is_covered() -> None:
    assert {type(row.reader) for row in DIRECTIVES} == {type(row.reader) for row in LINES}


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.name)
def test_every_value_is_read_as_it_was_written(row: Directive[Any]) -> None:
    @settings(max_examples=30)  # for each of many directives
    @given(st.lists(LINES[row], min_size=1, max_size=4))
    def is_read_as_written(lines: list[list[str]]) -> None:
        value = read(row, map(join_words, lines))
        assert read(row, written(row, value)) == value

    is_read_as_written()


@pytest.mark.parametrize("row", DIRECTIVES, ids=lambda row: row.name)
def test_every_default_can_be_written_in_a_file(row: Directive[Any]) -> None:
    lines = [] if isinstance(row.default, Directive) else list(written(row, row.default))
    assert not lines or read(row, lines) == row.default


@given(st.sampled_from(DIRECTIVES), st.lists(st.text()))
def test_only_the_declared_error_escapes(row: Directive[Any], words: list[str]) -> None:
    try:
        row.reader.read(words, ROOT)
    except Malformed as error:
        assert str(error).startswith("expected ")


@pytest.mark.parametrize(
    ("row", "arguments"),
    [
        (table.Listen, ""),
        (table.Listen, "0"),
        (table.Listen, "127.0.0.1"),
        (table.Listen, "99999"),
        (table.Listen, "example.org:80"),
        (table.Listen, "8080 gopher"),
        (table.Listen, "unix:socket https"),
        (table.LimitRequestLine, "0"),
        (table.SSLProtocol, "TLSv1.1"),
        (table.RequestReadTimeout, "header=20-10,MinRate=1"),
        (table.MaxPersistentCGI, "-1"),
        (table.MaxPersistentCGI, "4 5"),
        (table.MaxPersistentCGI, "9" * 5000),
        (table.MaxCGIJobs, "0"),
        (table.StartCGI, ""),
        (table.StartCGI, "many"),
        (table.StartCGI, "1001"),
        (table.StartCGI, "2 A B"),
        (table.PersistentCGIPreviousHandles, "9"),
        (table.PersistentCGIShared, "fresh"),
        (table.PersistentCGIShared, ""),
        (table.MaxPersistentCGIPerUser, "-1"),
        (table.MaxPersistentCGIPerClient, "all"),
        (table.PersistentCGILookupLimit, "60/minute"),
        (table.PersistentCGIClientRate, ""),
        (table.PersistentCGIClientRate, "5"),
        (table.PersistentCGIClientRate, "5/hour"),
        (table.PersistentCGIClientRate, "5/second 0"),
        (table.PersistentCGIClientRate, "5/second 1 2"),
        (table.PersistentCGIBind, "address"),
        (table.PersistentCGIBind, ""),
        (table.PersistentCGIDeny, ""),
        (table.PersistentCGIDeny, "(bot"),
        (table.PersistentCGISharedSessions, "0"),
        (table.PersistentCGISharedSessions, "many"),
        (table.Timeout, "0"),
        (table.ServerName, "a/b"),
        (table.ServerAlias, ""),
        (table.DirectoryIndex, ""),
        (table.AddHandler, "cgi-script a.b"),
        (table.AddHandler, "cgi-script"),
        (table.Alias, "icons htdocs"),
        (table.Alias, "/icons"),
        (table.AddHandler, "php5-script .php"),
        (table.SetHandler, "cgi-skript"),
        (table.SetHandler, "proxy:unix:/run/php.sock|fcgi://localhost"),
        (table.SetEnvIf, "Referer x"),
        (table.SetEnvIf, "Remote_Host x a"),
        (table.SetEnvIf, "Referer (x a"),
        (table.SetEnvIf, "Referer (x) a=$2"),
        (table.SetEnvIf, "Referer (x) LD_PRELOAD=$1"),
        (table.SetEnvIf, "Referer x PATH_INFO=/"),
        (table.SetEnvIf, "Referer x !a=b"),
        (table.BrowserMatch, "x"),
        (table.BrowserMatch, "[[:^alnum:]] a"),
        (table.Options, "ExecCGI +Indexes"),
        (table.Options, "ExecCGY"),
        (table.Options, "+None"),
        (table.Options, ""),
        (table.SetEnv, "A b c"),
        (table.SetEnv, "A=b"),
        (table.UnsetEnv, ""),
        (table.ErrorLog, "|rotatelogs"),
        (table.SessionLog, "|rotatelogs"),
        (table.ErrorLog, ""),
        (table.CGIActivationGroup, "cobol .cob"),
        (table.CGIActivationGroup, "python"),
        (table.CGIActivationGroup, "python .py colour=red"),
        (table.LogLevel, "loud"),
        (table.AliasMatch, "("),
        (table.AliasMatch, "^/a/(.*) /srv/$2"),
        (table.AliasMatch, "^/a"),
        (table.AddType, "text .txt"),
        (table.AddType, "text/plain"),
        (table.RemoveHandler, ""),
        (table.RemoveType, "a.b"),
        (table.ForceType, "html"),
        (table.AcceptPathInfo, "maybe"),
        (table.ServerAdmin, "two words"),
        (table.Redirect, ""),
        (table.Redirect, "permanent"),
        (table.Redirect, "/old new"),
        (table.Redirect, "old /new"),
        (table.Redirect, "200 /old /new"),
        (table.Redirect, "99999999999999999999 /old /new"),
        (table.Redirect, "gone /old /new"),
        (table.Redirect, "sometimes /old /new"),
        (table.RedirectMatch, "/new"),
        (table.RedirectMatch, "^/(a) /$2"),
        (table.RedirectMatch, "[ /new"),
        (table.RedirectPermanent, "permanent /old /new"),
        (table.ErrorDocument, "404"),
        (table.ErrorDocument, "404 not here"),
        (table.ErrorDocument, "302 /moved"),
        (table.ErrorDocument, "600 /moved"),
        (table.ErrorDocument, "401 https://example.org/"),
        (table.ErrorDocument, '404 "/not found"'),
    ],
)
def test_what_a_row_cannot_take_is_refused(row: Directive[Any], arguments: str) -> None:
    with pytest.raises(Malformed, match=r"expected .*, found "):
        row.reader.read(split_words(arguments), ROOT)
