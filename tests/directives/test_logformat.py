"""Formats of access logs: what is read, and what is refused where."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.directives import table
from gateway.directives.log_names import format_text
from gateway.directives.problems import Malformed
from gateway.directives.readers.logformat import COMMON, READY_MADE, Code, parse
from tests.directives.conftest import Configure, Problems

PLAIN = [f"%{letter}" for letter in "aABbDfhHklLmpPqrRsTtuUvVXIOS"] + ["%^FB"]
NAMED = [
    "%{Referer}i",
    "%{Location}o",
    "%{seen}C",
    "%{HOME}e",
    "%{note}n",
    "%{X}^ti",
    "%{X}^to",
    "%{SSL_CIPHER}x",
]
FORMS = ["%{c}a", "%{c}h", "%{canonical}p", "%{local}p", "%{remote}p", "%{pid}P", "%{tid}P", "%{hextid}P"]
TIMES = ["%{ms}T", "%{us}T", "%{s}T", "%{%F}t", "%{sec}t", "%{msec}t", "%{usec}t", "%{msec_frac}t"]
MORE = [
    "%{usec_frac}t",
    "%{begin:%T}t",
    "%{end:sec}t",
    "%>s",
    "%<s",
    "%<u",
    "%400,501{User-Agent}i",
    "%!200,304r",
]


@pytest.mark.parametrize("text", PLAIN + NAMED + FORMS + TIMES + MORE)
def test_every_code_of_apache_is_known(text: str) -> None:
    (part,) = parse(text)
    assert isinstance(part, Code)


@pytest.mark.parametrize("name", READY_MADE)
def test_the_ready_made_formats_are_formats(name: str) -> None:
    assert parse(READY_MADE[name])


def test_the_request_as_it_came_is_meant_by_apaches_codes_only() -> None:
    assert "".join(code for code in "sUTDrRmquHfB" if parse(f"%{code}")[0][2]) == "sUTDrR"
    assert parse("%>s")[0] == Code("s", "", False) and parse("%<m")[0] == Code("m", "", True)


def test_statuses_before_a_code_and_their_negation() -> None:
    assert parse("%400,501{User-Agent}i") == (Code("i", "User-Agent", False, frozenset({400, 501})),)
    assert parse("%!200,304,302{Referer}i") == (Code("i", "Referer", False, frozenset({200, 302, 304}), True),)


def test_text_between_the_codes_has_the_escapes_of_c() -> None:
    assert parse(r'a\tb\n\\ %% "%h\"\q"') == ("a\tb\n\\ ", "%", ' "', Code("h", "", False), '\\"\\q"')


@pytest.mark.parametrize(
    ("text", "place", "found"),
    [
        ("%h %y", "character 4", "%y"),
        ("%h %", "character 4", "%"),
        ("%{Referer", "character 1", "%{Referer"),
        ("%i", "%{name}i at character 1", "%i"),
        ("x%{days}T", "%{us}T at character 2", "%{days}T"),
        ("%{both}p", "%{local}p", "%{both}p"),
        ("%2r", "character 1", "%2r"),
    ],
)
def test_an_unknown_code_is_refused_with_its_place_and_what_is_known(text: str, place: str, found: str) -> None:
    with pytest.raises(Malformed) as caught:
        parse(text)
    assert place in str(caught.value) and f'found "{found}' in str(caught.value)
    if "name" not in place and "}" not in place:
        assert "%{…}i" in str(caught.value) and "%h" in str(caught.value)


@given(st.text())
def test_only_the_declared_error_escapes(text: str) -> None:
    try:
        parse(text)
    except Malformed:
        assert "%" in text


@given(st.lists(st.sampled_from(PLAIN + NAMED + FORMS + TIMES + MORE)))
def test_codes_side_by_side_are_read_one_by_one(codes: list[str]) -> None:
    assert parse("".join(codes)) == tuple(parse(code)[0] for code in codes)


# ---- which format a log has


def formats(configure: Configure, text: str) -> list[str]:
    host = configure(text).server
    return [format_text(host.settings, log.format) for log in host.settings[table.CustomLog]]


def test_a_name_may_be_given_before_or_after_it_is_used(configure: Configure) -> None:
    text = 'CustomLog conf/a short\nLogFormat "%h %s" short\nCustomLog conf/b common\nCustomLog conf/c "%U"\n'
    assert formats(configure, text) == ["%h %s", COMMON, "%U"]


def test_a_files_own_format_wins_over_the_ready_made_one(configure: Configure) -> None:
    assert formats(configure, 'LogFormat "%v" combined\nCustomLog conf/a combined\n') == ["%v"]


def test_transfer_log_has_the_format_without_a_name(configure: Configure) -> None:
    assert formats(configure, "TransferLog conf/a\n") == [COMMON]
    assert formats(configure, 'TransferLog conf/a\nLogFormat "%h"\n') == ["%h"]
    assert formats(configure, "LogFormat combined\nTransferLog conf/a\n") == [READY_MADE["combined"]]


def test_a_virtual_host_knows_the_main_servers_formats_and_its_own(configure: Configure) -> None:
    text = (
        'LogFormat "%h" short\n<VirtualHost *:80>\nLogFormat "%U" own\nCustomLog conf/a short\n'
        "CustomLog conf/b own\n</VirtualHost>\n"
    )
    (host,) = configure(text).hosts
    assert [format_text(host.settings, log.format) for log in host.settings[table.CustomLog]] == ["%h", "%U"]


def test_a_virtual_host_without_a_log_has_the_main_servers(configure: Configure) -> None:
    text = "CustomLog conf/a common\n<VirtualHost *:80>\n{}</VirtualHost>\n"
    for own, files in (("", ["a"]), ("CustomLog conf/b common\nTransferLog conf/c\n", ["b", "c"])):
        (host,) = configure(text.format(own)).hosts
        assert [log.path.rpartition("/")[2] for log in host.settings[table.CustomLog]] == files


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (
            "CustomLog conf/a comon",
            "CustomLog: expected a format with % or the name of one (common, combined, "
            'vhost_combined, json), found "comon"; did you mean common?',
        ),
        ('CustomLog "|/usr/bin/rotatelogs l" common', "logrotate renames them, then SIGUSR1"),
        ("CustomLog syslog common", "a file, stdout or stderr"),
        ("CustomLog none/a common", "found nothing at"),
        ("TransferLog none/a", "found nothing at"),
        ("ScriptLog none/a", "found nothing at"),
        ("CustomLog conf/a", 'file|stdout|stderr "format"|name'),
        ('CustomLog conf/a common "expr=%{TLS}"', "env=variable or env=!variable"),
        ('CustomLog conf/a "%y"', "a known code at character 1"),
        ('LogFormat "%y" x', "a known code at character 1"),
        ('LogFormat "%h" "%x"', "a name without %"),
        ("LogFormat nobody", "the name of one"),
        ("LogLevel loud", "one of emerg"),
        ("LogLevel cgi:loud", "one of emerg"),
        ("LogLevel", "[module:]level"),
        ("ErrorLog syslog:local1", "file|stderr"),
    ],
)
def test_what_cannot_be_meant_is_a_problem_with_its_place(problems: Problems, line: str, problem: str) -> None:
    (found,) = problems(f"# first\n{line}\n")
    assert found.startswith("gateway.conf:2: ") and problem in found


def test_a_name_of_another_virtual_host_is_unknown(problems: Problems) -> None:
    one = '<VirtualHost *:80>\nLogFormat "%U" own\n</VirtualHost>\n'
    (found,) = problems(f"{one}<VirtualHost *:81>\nCustomLog conf/a own\n</VirtualHost>\n")
    assert found.startswith("gateway.conf:5: CustomLog: ") and '"own"' in found


# ---- LogLevel


@pytest.mark.parametrize(
    ("lines", "levels"),
    [
        ("", {"": "info"}),
        ("LogLevel WARN", {"": "warn"}),
        ("LogLevel warn cgi:debug", {"": "warn", "cgi": "debug"}),
        ("LogLevel cgi:debug warn", {"": "warn"}),
        ("LogLevel mod_cgid.c:trace8 http_core:error", {"cgi": "trace8", "http": "error"}),
        ("LogLevel core_module:crit\nLogLevel ssl:warn", {"core": "crit", "ssl": "warn"}),
    ],
)
def test_levels_of_all_modules_and_of_one(configure: Configure, lines: str, levels: dict[str, str]) -> None:
    assert configure(lines).server.settings[table.LogLevel] == levels


def test_a_virtual_hosts_levels_are_those_of_the_main_server_changed(configure: Configure) -> None:
    text = "LogLevel warn cgi:debug\n<VirtualHost *:80>\nLogLevel {}\n</VirtualHost>\n"
    for own, levels in (("core:crit", {"": "warn", "cgi": "debug", "core": "crit"}), ("error", {"": "error"})):
        assert configure(text.format(own)).hosts[0].settings[table.LogLevel] == levels
