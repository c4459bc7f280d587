"""Links and images of all pages lead somewhere, in the repository as on the site. No other host is asked."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from manual.links import links, links_of, pages, problem, problems
from tests.blackbox.harness import ROOT

# the other hosts that pages link to: whoever adds one looks whether it is the right one
HOSTS: set[str] = set()
NAVIGATION = "nav:\n  - Here: page.md\n  - More:\n      - Other: other.md\n"


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A repository of three pages."""
    (tmp_path / "docs").mkdir()
    (tmp_path / "README.md").write_text("# Read\n")
    (tmp_path / "docs" / "other.md").write_text("# Other\n\n## A heading\n\n```sh\n# nowhere\n```\n")
    (tmp_path / "docs" / "page.md").write_text("# Here\n")
    (tmp_path / "mkdocs.yml").write_text(NAVIGATION)
    return tmp_path


def test_links_images_and_navigation_of_the_repository_are_right() -> None:
    assert len(list(links(ROOT))) > 40
    assert problems(ROOT) == []


def test_links_to_other_hosts_are_known() -> None:
    assert {link.host for link in links(ROOT) if link.host} == HOSTS


def test_every_image_says_what_it_shows() -> None:
    for page in pages(ROOT):
        assert not re.search(r"!\[\s{0,3}\]\(", page.read_text()), page


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("other.md", ""),
        ("other.md#a-heading", ""),
        ("#here", ""),
        ("https://www.example.org/a", ""),
        ("http://www.example.org/a", "expected an https: URL"),
        ("https:///a", "expected an https: URL"),
        ("missing.md", "there is no such file"),
        ("images/missing.png", "there is no such file"),
        ("other.md#nowhere", "there is no such heading"),
        ("../README.md", "the site does not have it"),
        ("../../README.md", "there is no such file"),
    ],
)
def test_a_broken_link_is_found(small: Path, target: str, why: str) -> None:
    text = f"# Here\n\n[a\nlink]({target})\n`[code](nothing.md)`\n"
    (small / "docs" / "page.md").write_text(text)
    [link] = links_of("docs/page.md", text)
    assert (link.line, problem(link, small)) == (4, why)
    assert problems(small) == [f"docs/page.md:4: {target}: {why}"] * bool(why)


def test_a_page_that_the_navigation_leaves_out_or_has_twice_is_found(small: Path) -> None:
    assert problems(small) == []
    (small / "docs" / "lost.md").write_text("# Lost\n")
    (small / "mkdocs.yml").write_text(f"{NAVIGATION}  - Again: other.md\n  - Gone: gone.md\n")
    assert problems(small) == [
        "docs/lost.md: it is not in the navigation of mkdocs.yml",
        "mkdocs.yml: gone.md: there is no such page",
        "mkdocs.yml: other.md is named twice",
    ]
