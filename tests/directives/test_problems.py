"""What is wrong is said, all of it, with its place, what was expected, what was found and the nearest name."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Problems


def test_all_problems_of_all_files_are_reported_at_once(problems: Problems, site: Path) -> None:
    (site / "conf" / "part").write_text("Timeout soon\n")
    text = "MaxPersistentCGO 5\nInclude conf/part\nMaxCGIJobs many\n\nListen \\\n  99999\nRubbish\n"
    assert problems(text) == [
        "gateway.conf:1: expected a known directive, found MaxPersistentCGO; did you mean MaxPersistentCGI?",
        'gateway.conf:3: MaxCGIJobs: expected a whole number from 1 to 999999999, found "many"',
        'gateway.conf:5: Listen: expected a port from 1 to 65535, found "99999"',
        "gateway.conf:7: expected a known directive, found Rubbish",
        'part:1: Timeout: expected a time such as 90, 90s, 5m, 1h, 250ms or 2 mins 30 secs, found "soon"',
    ]


def test_misplaced_directives_and_sections_are_refused(problems: Problems) -> None:
    text = """\
<Location /x>
  MaxPersistentCGI 5
  <Directory /y>
    Timeout 5
  </Directory>
</Location>
<Directory>
</Directory>
Location /x
<Timeout 5>
</Timeout>
"""
    assert problems(text) == [
        "gateway.conf:2: MaxPersistentCGI: expected in server, found in <Location /x>",
        "gateway.conf:3: Directory: expected in server, <VirtualHost>, found in <Location /x>",
        "gateway.conf:4: Timeout: expected in server, <VirtualHost>, found in <Directory /y>",
        "gateway.conf:7: <Directory>: expected one path (or ~ and a regular expression), found nothing",
        "gateway.conf:9: expected <Location …>, found the name as a directive",
        "gateway.conf:10: expected Timeout …, found the name as a section",
    ]


def test_sections_that_do_not_nest_are_refused(problems: Problems) -> None:
    text = "</Files>\n<Directory /a>\n<Files b>\n</Directory>\n<IfDefine A>\n<Location /c>\n"
    assert problems(text) == [
        "gateway.conf:1: </Files>: expected no end of a section, found </Files>",
        "gateway.conf:3: <Files>: expected </Files>, found none that fits",
        "gateway.conf:5: <IfDefine>: expected </IfDefine>, found none that fits",
        "gateway.conf:6: <Location>: expected </Location>, found none that fits",
    ]


def test_a_section_without_its_bracket_is_one_problem(problems: Problems) -> None:
    [problem] = problems("<Location /c\n</Location>\n")
    assert problem == 'gateway.conf:1: <Location>: expected > at the end of <Location, found "/c"'


def test_an_end_that_fits_nothing_names_what_is_open(problems: Problems) -> None:
    [problem] = problems("<Location /a>\n</Locatoin>\n</Location>\n")
    assert problem.startswith("gateway.conf:2: </Locatoin>: expected </Location> (begun at ")


def test_broken_regular_expressions_are_refused(problems: Problems) -> None:
    [problem] = problems('<LocationMatch "(a">\n</LocationMatch>\n')
    assert problem.startswith('gateway.conf:1: <LocationMatch>: expected a regular expression, found "(a"')


def test_what_is_no_directive_is_unknown_not_ignored(problems: Problems) -> None:
    assert problems("PersistentCGIBound cookie\n") == [
        "gateway.conf:1: expected a known directive, found PersistentCGIBound; did you mean PersistentCGIBind?",
    ]


def test_paths_that_do_not_exist_are_refused(problems: Problems, site: Path) -> None:
    text = """\
DocumentRoot none
ScriptAlias /cgi-bin/ none/
Alias /ok htdocs
ErrorLog none/error.log
CGIActivationGroup python .py interpreter=none/python
"""
    there = "expected something that exists, found nothing at"
    assert problems(text) == [
        f"gateway.conf:1: DocumentRoot: {there} {site}/none",
        f"gateway.conf:2: ScriptAlias: {there} {site}/none/",
        f"gateway.conf:4: ErrorLog: {there} {site}/none",
        f"gateway.conf:5: CGIActivationGroup: {there} {site}/none/python",
    ]


def test_a_port_of_TLS_needs_a_certificate(problems: Problems) -> None:
    assert problems("Listen 8443 https\n") == [
        "gateway.conf:1: *:8443 is a port of TLS: expected SSLCertificateFile in the main server, found none"
    ]


def test_listening_twice_on_one_address_is_refused(problems: Problems) -> None:
    [problem] = problems("Listen 127.0.0.1:80\nListen 127.0.0.1:81\nListen 127.0.0.1:80\n")
    assert problem.startswith("gateway.conf:3: Listen: expected each address once, found 127.0.0.1:80 again")


def test_a_virtual_host_needs_an_address_that_can_be_compared(problems: Problems) -> None:
    found = problems(
        "<VirtualHost>\n</VirtualHost>\n"
        "<VirtualHost :80>\n</VirtualHost>\n"
        "<VirtualHost www.example.org:80>\n</VirtualHost>\n"
    )
    forms = "an IP address, * or _default_, with or without :port"
    assert found == [
        "gateway.conf:1: <VirtualHost>: expected one or more addresses such as *:80, found nothing",
        f'gateway.conf:3: <VirtualHost>: expected {forms}, found ":80"',
        "gateway.conf:5: <VirtualHost>: expected an IP address (names are not looked up), "
        'found "www.example.org"',
    ]


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("<IfDefine>\n</IfDefine>", "<IfDefine>: expected one name, or ! and a name, found nothing"),
        ("<Files a>\n</Files a>", '</Files>: expected nothing after the name, found "a"'),
        ("Include", "Include: expected one path, found nothing"),
        ("Define a:b", 'Define: expected a name (without : $ { } !) and at most one value, found "a:b"'),
        ("UnDefine", "UnDefine: expected one name, found nothing"),
        ("ServerRoot", "ServerRoot: expected one path (directory), found nothing"),
        ('SetEnv A "b', 'SetEnv: expected a closing quote followed by a blank, found ""b"'),
    ],
)
def test_malformed_lines_say_what_was_expected(problems: Problems, line: str, text: str) -> None:
    assert problems(line)[0].partition(": ")[2] == text


def test_files_within_files_have_a_limit(problems: Problems, site: Path) -> None:
    for number in range(30):
        (site / f"part{number}").write_text(f"Include part{number + 1}\n")
    [problem] = problems("Include part0\n")
    assert "expected at most 20 files within each other" in problem
