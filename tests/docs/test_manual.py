"""The generated pages: of the command, of the directives file; those in the repository are up to date."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from gateway.cli import main
from gateway.directives.steering import ROWS
from manual import gateway_1, gateway_conf_5, web
from manual.__main__ import PAGES, stale, write
from manual.commands import commands, common
from manual.roff import blocks, inline
from tests.blackbox.harness import ROOT

MAN = ROOT / "docs" / "man"
# without a date the same source gives the same page
_DATE = re.compile(r"^mandoc: .*: WARNING: missing date, using \"\": TH\n", re.MULTILINE)


def test_the_generated_pages_of_the_repository_are_up_to_date() -> None:
    assert stale(ROOT) == []


def test_a_stale_page_is_found(tmp_path: Path) -> None:
    assert stale(tmp_path) == list(PAGES)
    write(tmp_path)
    assert stale(tmp_path) == []
    (tmp_path / "docs" / "man" / "gateway.1").write_text("old")
    assert stale(tmp_path) == ["docs/man/gateway.1"]


@pytest.mark.parametrize("page", [gateway_1.page, web.page])
def test_every_command_and_option_of_the_parser_is_told(page: Callable[[], str]) -> None:
    text = page().replace(r"\-", "-").replace(r"\fB", "").replace(r"\fR", "").replace(r"\fI", "")
    for name, command in main.commands.items():
        assert f"gateway {name}" in text
        for parameter in command.params:
            for option in (*parameter.opts, *parameter.secondary_opts):
                assert option in text, (name, option)


def test_the_options_that_find_a_gateway_are_told_once() -> None:
    assert [option.names[-1] for option in common()] == ["--socket", "--conf", "--define", "--json"]
    asking = [command.name for command in commands() if command.asks]
    assert asking == ["drain", "end", "extend", "reload", "sessions", "show", "status", "stop"]
    assert gateway_1.page().count(r"\fB\-\-socket\fR \fI") == 1


def test_gateway_1_tells_signals_files_environment_and_exit_status() -> None:
    sections = re.findall(r"^\.SH (.*)$", gateway_1.page(), re.MULTILINE)
    assert sections[:4] == ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS"]
    assert sections[4:] == ["SIGNALS", "FILES", "ENVIRONMENT", "EXIT STATUS", "SEE ALSO"]


def test_gateway_conf_5_has_every_row_of_the_table() -> None:
    page = gateway_conf_5.page()
    for row in ROWS.values():
        assert re.search(rf"^\.TP\n\\fB<?{row.name}\b", page, re.MULTILINE), row.name


def test_every_help_text_is_a_sentence_and_fits_the_list_of_commands() -> None:
    for name, command in main.commands.items():
        first = (command.help or "").partition("\n\n")[0]
        assert re.fullmatch(r"[A-Z][^.]{8,70}\.", first), name
        assert command.get_short_help_str(limit=88) == first, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help and parameter.help.endswith((".", "]", ").")), (name, parameter.name)


def test_roff_takes_no_text_for_a_request() -> None:
    assert inline(".conf and 'a' \\n") == r"\&.conf and \(aqa\(aq \en"
    assert inline("*time* of `-D x`…") == r"\fItime\fR of \fB\-D x\fR\[u2026]"
    assert list(blocks("a\nb\n\n* c\n* d\n\ne")) == ["a b", r".IP \(bu 2", "c", r".IP \(bu 2", "d", ".PP", "e"]


@pytest.mark.realworld
@pytest.mark.needs("mandoc")
@pytest.mark.parametrize("file", ["gateway.1", "gateway.conf.5"])
def test_mandoc_has_nothing_to_say_against_a_page(file: str) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "warning", str(MAN / file)], capture_output=True, text=True
    )
    assert _DATE.sub("", done.stdout) == ""


@pytest.mark.realworld
@pytest.mark.needs("man", "groff")
@pytest.mark.parametrize("file", ["gateway.1", "gateway.conf.5"])
def test_man_shows_a_page_without_complaint(file: str) -> None:
    done = subprocess.run(
        ["man", "--warnings=w", "-E", "UTF-8", "-l", "-P", "cat", str(MAN / file)],
        capture_output=True, text=True, env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8", "MANWIDTH": "90"},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert "gateway" in done.stdout and "\\f" not in done.stdout


@pytest.mark.realworld
@pytest.mark.needs("man", "git")
def test_pip_install_brings_man_gateway(tmp_path: Path) -> None:
    """What pip does with the built package: the files below share/man, which man finds beside bin."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT, check=True, capture_output=True,
    )  # fmt: skip
    [file] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(tmp_path)
    [data] = tmp_path.glob("*.data/data")
    place = tmp_path / "venv"
    (place / "bin").mkdir(parents=True)
    shutil.copytree(data, place, dirs_exist_ok=True)
    for name in ("gateway", "gateway.conf"):
        done = subprocess.run(
            ["man", "-w", name], capture_output=True, text=True, env={"PATH": f"{place}/bin:/usr/bin:/bin"}
        )
        assert done.stdout.startswith(f"{place}/share/man/man"), (name, done)
