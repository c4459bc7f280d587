"""`gateway new`: every starter is written, built as it says, and clicked through."""

from __future__ import annotations

import html
import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from urllib.parse import quote_plus, urlsplit

import pytest
from click.testing import CliRunner, Result

from gateway import helpers
from gateway.cli import main
from gateway.starters import STARTERS
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway

GROUPS = "CGIActivationGroup python .py\nCGIActivationGroup perl .pl\nCGIActivationGroup native .so\n"
TOOLS = {"perl": ["perl"], "bash": ["bash"], "c": ["cc"], "cobol": ["cobc"]}
NASTY = "<b>&\"'\\n ä%41"


def starters(*styles: str, hosted: bool = True) -> list[object]:
    """A case for every language that has one of these styles; `hosted`: shared objects too, which only a host
    can run."""
    return [
        pytest.param(
            language, style, marks=pytest.mark.needs(*TOOLS.get(language, [])), id=f"{language}-{style}"
        )
        for language, found in STARTERS.items()
        for style in found
        if style in styles and (hosted or found[style].program != ".so")
    ]


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    """One gateway with all kinds of hosts."""
    return serve_shared(GROUPS)


def new(*arguments: str) -> Result:
    """Run `gateway new`."""
    return CliRunner().invoke(main, ["new", *arguments])


def made(gateway: Gateway, language: str, style: str) -> str:
    """Write and build a starter as its output says; the URL path that it names."""
    result = new(f"{language}-{style}", "--language", language, "--style", style, "--conf", str(gateway.conf))
    assert result.exit_code == 0, result.output
    facts = dict(line.split(":", 1) for line in result.output.splitlines())
    assert not any(line.startswith("add to") for line in facts), result.output
    if "build" in facts:
        subprocess.run(shlex.split(facts["build"]), check=True, capture_output=True)
    url = urlsplit(facts["open"].strip())
    assert url.port == gateway.port
    return url.path


def form(page: str) -> str:
    """Where the page's form leads."""
    found = re.search(r'<form [^>]*action="([^"]*)"', page)
    assert found, page
    return html.unescape(found[1])


@pytest.mark.parametrize(("language", "style"), starters("plain"))
def test_a_plain_starter_answers_and_escapes(gateway: Gateway, language: str, style: str) -> None:
    path = made(gateway, language, style)
    page = gateway.get(path).text
    assert f"<title>{language}-plain</title>" in page and form(page) == path
    if language == "cobol":
        assert "<h1>Doubled: 42</h1>" in gateway.get(f"{path}?amount=21").text
        assert "<h1>Doubled: 0</h1>" in gateway.get(f"{path}?amount={quote_plus(NASTY)}").text
        return
    hello = re.search(r"<h1>Hello, (.*)</h1>", gateway.get(f"{path}?name={quote_plus(NASTY)}").text)
    assert hello and "<b>" not in hello[1]
    assert html.unescape(hello[1]) == NASTY


@pytest.mark.parametrize(("language", "style"), starters("returning", "looping"))
def test_a_persistent_starter_keeps_its_state_escapes_and_ends(
    gateway: Gateway, language: str, style: str
) -> None:
    path = made(gateway, language, style)
    first = gateway.get(path)
    here = form(first.text)
    assert first.status == 200 and here.startswith(f"{path}/") and first.header("accept-htsession") is None
    if language == "cobol":
        inputs = ["12", "<b>", "30"]
        shown = ["<h1>Total: 12</h1>", "<h1>Total: 12</h1>", "<h1>Total: 42</h1>"]
        field, last = "amount", "<h1>Total: 42</h1>"
    else:
        inputs, field, last = ["milk", NASTY], "item", "<h1>2 items</h1>"
        shown = ["<li>milk</li>", "<h1>2 items</h1>"]
    for value, expected in zip(inputs, shown, strict=True):
        page = gateway.post(here, f"{field}={quote_plus(value)}".encode()).text
        assert expected in page and form(page) == here and "<b>" not in page
    if language != "cobol":
        assert NASTY in [html.unescape(item) for item in re.findall(r"<li>(.*)</li>", page)]
    assert last in gateway.get(here).text
    end = gateway.get(f"{here}?end")
    assert last in end.text and f'<a href="{path}">' in end.text and "<form" not in end.text
    assert gateway.reason(here) == "ended"


@pytest.mark.parametrize(("language", "style"), starters("returning", "looping"))
def test_two_sessions_of_a_starter_do_not_meet(gateway: Gateway, language: str, style: str) -> None:
    path = f"/cgi-bin/{language}-{style}{STARTERS[language][style].program}"
    if gateway.get(path).status != 200:
        made(gateway, language, style)
    one, other = (form(gateway.get(path).text) for _ in range(2))
    value = b"amount=7" if language == "cobol" else b"item=seven"
    page = gateway.post(one, value).text
    assert "Total: 7" in page or "seven" in page
    page = gateway.get(other).text
    assert "Total: 0" in page or "<h1>0 items</h1>" in page
    for session in (one, other):
        gateway.get(f"{session}?end")


@pytest.mark.parametrize(("language", "style"), starters("returning", "looping", "plain", hosted=False))
def test_a_starter_answers_under_a_server_that_knows_no_sessions(site: Path, language: str, style: str) -> None:
    starter = STARTERS[language][style]
    build = re.search(r"build: *(.*)", new("shop", "--language", language, "--style", style).output)
    if build:
        subprocess.run(shlex.split(build[1]), check=True, capture_output=True)
    for library in ("htsession.py", "HTSession.pm", "htsession.bash"):
        shutil.copy(os.path.join(helpers.FOLDER, library), "cgi-bin")
    variables = {"PATH": os.environ["PATH"], "REQUEST_METHOD": "POST", "CONTENT_LENGTH": "9"}
    variables |= {"SCRIPT_NAME": "/cgi-bin/shop", "QUERY_STRING": "", "GATEWAY_INTERFACE": "CGI/1.1"}
    answer = subprocess.run(
        [f"./shop{starter.program}"], input=b"item=milk", cwd="cgi-bin", env=variables, capture_output=True
    )
    assert answer.returncode == 0 and answer.stderr == b""
    assert b'action="/cgi-bin/shop' in answer.stdout
    assert style == "plain" or b"<li>milk</li>" in answer.stdout


# ---- the command


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of a site with a directives file that has no host; it is the present one."""
    for folder in ("conf", "cgi-bin", "htdocs"):
        (tmp_path / folder).mkdir()
    (tmp_path / "conf/gateway.conf").write_text(
        "Listen 127.0.0.1:8080\nDocumentRoot htdocs\nScriptAlias /programs/ cgi-bin/\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_says_what_was_written_which_line_is_missing_and_the_url(site: Path) -> None:
    assert new("shop", "--language", "python").output.splitlines() == [
        "written: cgi-bin/shop.py",
        "add to conf/gateway.conf: CGIActivationGroup python .py",
        "open:    http://127.0.0.1:8080/programs/shop.py",
    ]
    assert os.access("cgi-bin/shop.py", os.X_OK)
    assert "STARTER" not in (site / "cgi-bin/shop.py").read_text()


def test_it_says_how_to_build_what_is_compiled(site: Path) -> None:
    lines = new("shop", "--language", "c", "--style", "looping").output.splitlines()
    assert lines[0] == "written: cgi-bin/shop.c" and not os.access("cgi-bin/shop.c", os.X_OK)
    assert re.fullmatch(r"build:   cc -O2 -Wall -I \S+/helpers -o cgi-bin/shop\.cgi cgi-bin/shop\.c", lines[1])
    assert lines[2] == "open:    http://127.0.0.1:8080/programs/shop.cgi"


def test_the_line_of_a_group_is_not_asked_for_where_a_section_has_it(site: Path) -> None:
    with (site / "conf/gateway.conf").open("a") as file:
        file.write("<Directory cgi-bin>\n  CGIActivationGroup python .py\n</Directory>\n")
    assert "add to" not in new("shop", "--language", "python").output


def test_it_writes_into_the_folder_that_is_named(site: Path) -> None:
    (site / "more").mkdir()
    assert new("shop", "--language", "bash", "--directory", "more").output.splitlines() == [
        "written: more/shop.sh",
        f"add to conf/gateway.conf: ScriptAlias /more/ {site}/more/",
        "open:    http://127.0.0.1:8080/more/shop.sh",
    ]


def test_it_works_without_a_directives_file(site: Path) -> None:
    (site / "conf/gateway.conf").unlink()
    assert new("shop", "--language", "perl", "--style", "plain").output.splitlines() == [
        "written: cgi-bin/shop.pl",
        f"add to the directives file: ScriptAlias /cgi-bin/ {site}/cgi-bin/",
        "open:    /cgi-bin/shop.pl",
    ]


@pytest.mark.parametrize("there", ["shop.c", "shop.so"])
def test_it_never_overwrites(site: Path, there: str) -> None:
    (site / "cgi-bin" / there).write_text("mine")
    result = new("shop", "--language", "c")
    assert result.exit_code == 1
    assert result.output == f"Error: expected a new name, found cgi-bin/{there}: nothing is overwritten\n"
    assert [file.name for file in (site / "cgi-bin").iterdir()] == [there]
    assert (site / "cgi-bin" / there).read_text() == "mine"


@pytest.mark.parametrize("name", ["", "shop.py", "../shop", "-shop", "a b", "1shop", "x" * 32, "shop-", "ä"])
def test_names_are_checked(site: Path, name: str) -> None:
    result = new("--language", "python", "--", name)
    assert result.exit_code == 1 and f"the extension is added), found {name!r}" in result.output
    assert list((site / "cgi-bin").iterdir()) == []


@pytest.mark.parametrize(
    ("language", "name"),
    [("python", name) for name in ("html", "email", "calendar", "token")]
    + [("cobol", name) for name in ("main", "return", "index", "time")],
)
def test_a_name_that_would_take_a_languages_own_is_refused(site: Path, language: str, name: str) -> None:
    result = new(name, "--language", language)
    assert result.exit_code == 1 and f"expected another name, found {name!r}: " in result.output
    assert list((site / "cgi-bin").iterdir()) == []
    assert new(name, "--language", "perl").exit_code == new(name.upper(), "--language", language).exit_code == 0


@pytest.mark.parametrize(
    ("language", "style", "expected"),
    [
        ("bash", "returning", "expected --style looping or plain for bash, found returning"),
        ("cobol", "looping", "expected --style returning or plain for cobol, found looping"),
    ],
)
def test_a_style_that_a_language_lacks_is_said(site: Path, language: str, style: str, expected: str) -> None:
    result = new("shop", "--language", language, "--style", style)
    assert result.exit_code == 1 and expected in result.output


def test_an_unknown_language_is_said() -> None:
    result = new("shop", "--language", "fortran")
    assert result.exit_code == 2 and "'fortran' is not one of 'python', 'perl', 'bash'" in result.output


def test_a_missing_folder_is_said(site: Path) -> None:
    result = new("shop", "--language", "bash", "--directory", "none")
    assert result.exit_code == 1
    assert result.output == "Error: expected a folder to write into, found none at none\n"


def test_a_directives_file_without_programs_is_said(site: Path) -> None:
    (site / "conf/gateway.conf").write_text("Listen 127.0.0.1:8080\nDocumentRoot htdocs\n")
    result = new("shop", "--language", "bash")
    assert result.exit_code == 1
    assert "expected a ScriptAlias that names a folder, or --directory: found neither" in result.output


def test_problems_of_the_directives_file_are_said(site: Path) -> None:
    (site / "conf/gateway.conf").write_text("Rubbish\n")
    result = new("shop", "--language", "bash")
    assert result.exit_code == 1 and "conf/gateway.conf:1: " in result.output
