from __future__ import annotations

import string
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
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

LINES: dict[Directive[Any], st.SearchStrategy[list[str]]] = {
    table.Listen: st.sampled_from([["80"], ["*:81"], ["127.0.0.1:82", "http"], ["[::1]:83"], ["unix:run/a b"]]),
    table.ServerName: name.map(lambda text: [f"{text}.example:80"]),
    table.ServerAlias: st.lists(name.map(lambda text: f"*.{text}"), min_size=1),
    table.LimitRequestBody: st.builds(str.__add__, number, st.sampled_from(["", "K", "M", "G"])).map(
        lambda text: [text]
    ),
    table.LogLevel: st.sampled_from(table.LOG_LEVELS).map(lambda text: [text.upper()]),
    table.DirectoryIndex: st.one_of(st.just(["disabled"]), st.lists(name, min_size=1)),
    table.Alias: st.builds(lambda url, target: [f"/{url}", target], path, path),
    table.ScriptAlias: st.builds(lambda url, target: [f"/{url}", f"{target}/"], path, path),
    table.AddHandler: st.lists(extension, min_size=1).map(lambda words: ["CGI-Script", *words]),
    table.SetHandler: st.sampled_from([["cgi-script"], ["none"]]),
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
    table.CGIActivationGroup: st.builds(
        lambda words, target: ["python", *words, f"interpreter=/{target}"],
        st.lists(extension, min_size=1),
        path,
    ),
    table.ErrorLog: st.one_of(st.just(["stderr"]), path.map(lambda text: [f"./{text}"])),
}


def written(row: Directive[Any], value: Any) -> Iterable[str]:
    return map(join_words, row.reader.lines(value))


def read(row: Directive[Any], lines: Iterable[str]) -> Any:
    return row.merging.within([row.reader.read(split_words(line), ROOT) for line in lines])


def test_every_kind_of_value_is_covered() -> None:
    assert {type(row.reader) for row in DIRECTIVES} == {type(row.reader) for row in LINES}


@pytest.mark.parametrize("row", LINES, ids=lambda row: row.name)
@given(data=st.data())
def test_every_value_is_read_as_it_was_written(row: Directive[Any], data: st.DataObject) -> None:
    lines = data.draw(st.lists(LINES[row], min_size=1, max_size=4))
    value = read(row, map(join_words, lines))
    assert read(row, written(row, value)) == value


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
        (table.Listen, "8443 https"),
        (table.MaxPersistentCGI, "-1"),
        (table.MaxPersistentCGI, "4 5"),
        (table.MaxPersistentCGI, "9" * 5000),
        (table.MaxCGIJobs, "0"),
        (table.PersistentCGIPreviousHandles, "9"),
        (table.Timeout, "0"),
        (table.ServerName, "a/b"),
        (table.ServerAlias, ""),
        (table.DirectoryIndex, ""),
        (table.AddHandler, "cgi-script a.b"),
        (table.AddHandler, "cgi-script"),
        (table.Alias, "icons htdocs"),
        (table.Alias, "/icons"),
        (table.AddHandler, "server-status .x"),
        (table.SetHandler, "server-status"),
        (table.Options, "ExecCGI +Indexes"),
        (table.Options, "ExecCGY"),
        (table.Options, "+None"),
        (table.Options, ""),
        (table.SetEnv, "A b c"),
        (table.SetEnv, "A=b"),
        (table.UnsetEnv, ""),
        (table.ErrorLog, "|rotatelogs"),
        (table.ErrorLog, ""),
        (table.CGIActivationGroup, "cobol .cob"),
        (table.CGIActivationGroup, "python"),
        (table.CGIActivationGroup, "python .py colour=red"),
        (table.LogLevel, "loud"),
    ],
)
def test_what_a_row_cannot_take_is_refused(row: Directive[Any], arguments: str) -> None:
    with pytest.raises(Malformed, match=r"expected .*, found "):
        row.reader.read(split_words(arguments), ROOT)
