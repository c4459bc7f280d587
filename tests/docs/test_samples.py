"""Every code sample of every page is tested in some way; samples.py says in which."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from gateway.configuration.load import ConfigurationErrors
from manual.links import pages
from tests.blackbox.harness import ROOT
from tests.docs.blocks import Fenced, blocks_of, fenced, indented, text_of
from tests.docs.examples import page as page_text
from tests.docs.samples import ELSEWHERE, WAYS, check_command, check_said, commands_of, elsewhere, said_in
from tests.docs.walk import steps

BLOCKS = fenced()
HERE = [block for block in BLOCKS if elsewhere(block) is None]
GENERATED = ("docs/directives.md", "docs/command-line.md")


def sample(language: str, text: str) -> Fenced:
    [block] = blocks_of("page.md", f"```{language}\n{text}```\n")
    return block


def test_every_block_has_a_language_and_a_way_to_be_tested() -> None:
    assert len(BLOCKS) > 100
    assert [str(block) for block in HERE if block.language not in WAYS] == []


def test_no_code_stands_outside_a_fenced_block() -> None:
    found = [f"{page.name}:{line}" for page in pages(ROOT) for line in indented(text_of(page))]
    assert found == []


def test_the_tests_that_run_samples_are_there_and_name_their_page() -> None:
    for page, _, _, test in ELSEWHERE:
        assert Path(page).name in (ROOT / test).read_text(), test
        assert any(elsewhere(block) == test for block in BLOCKS if block.page == page), test


def test_no_block_of_the_tutorial_stands_outside_its_steps() -> None:
    walked = [block.text for blocks in steps(page_text("tutorial.md")).values() for block in blocks]
    assert [block.text for block in BLOCKS if block.page == "docs/tutorial.md"] == walked


@pytest.mark.parametrize("block", [one for one in HERE if one.page not in GENERATED], ids=str)
def test_a_sample_is_right(block: Fenced, tmp_path: Path) -> None:
    WAYS[block.language](block, tmp_path)


def test_generated_usages_are_right(tmp_path: Path) -> None:
    for block in HERE:
        if block.page in GENERATED:
            WAYS[block.language](block, tmp_path)


def test_commands_within_sentences_are_right() -> None:
    said = [found for page in pages(ROOT) for found in said_in(text_of(page))]
    assert len(said) > 30
    for found in said:
        check_said(found)


@pytest.mark.parametrize(
    ("language", "text", "error"),
    [
        ("apache", "StartCGl 2\n", ConfigurationErrors),
        ("json", "{,}\n", ValueError),
        ("sh", "gateway chekc\n", KeyError),
        ("sh", "gateway serve --quick\n", click.UsageError),
        ("sh", "make serv\n", AssertionError),
        ("sh", "cd a && sytsemctl start b\n", AssertionError),
        ("console", "$ gateway show\n", click.UsageError),
        ("text", "gateway states   nothing\n", KeyError),
        ("text", "gateway end | extent ID   nothing\n", AssertionError),
        ("text", "gateway status --watch   nothing\n", AssertionError),
        ("mermaid", "sequenceDiagram\n participant A as a\n A->>B: nothing\n", AssertionError),
    ],
)
def test_a_wrong_sample_is_found(language: str, text: str, error: type[Exception], tmp_path: Path) -> None:
    with pytest.raises(error):
        WAYS[language](sample(language, text), tmp_path)


def test_commands_are_taken_apart_as_a_shell_does() -> None:
    text = "set -a; . /etc/x; set +a   # a comment\ncd a && gateway check 'b c' | jq .\n"
    assert list(commands_of(text)) == [
        ["set", "-a"],
        [".", "/etc/x"],
        ["set", "+a"],
        ["cd", "a"],
        ["gateway", "check", "b c"],
        ["jq", "."],
    ]
    check_command(["gateway", "sessions", "--watch", "--conf", "a.conf"])
