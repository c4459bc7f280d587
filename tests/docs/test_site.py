"""The site as `make docs` builds it: whole, strict, and without another host."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest
import yaml

from tests.blackbox.harness import ROOT
from tests.docs.conftest import build

pytestmark = pytest.mark.realworld


class Read(HTMLParser):
    """What a page links to, what it loads, and its anchors."""

    def __init__(self, file: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.ids: set[str] = set()
        self.feed(file.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.ids |= {found[name] for name in ("id", "name") if name in found}
        if tag == "a" and "href" in found:
            self.links.append(found["href"])
        elif tag == "link" and found.get("rel") not in ("canonical", "next", "prev", "alternate"):
            self.loads.append(found["href"])
        elif "src" in found:
            self.loads.append(found["src"])


def pages(site: Path) -> Iterator[tuple[Path, Read]]:
    for file in sorted(site.rglob("*.html")):
        if file.name != "404.html":  # its links are those of a server's root
            yield file, Read(file)


def test_every_page_of_docs_is_in_the_navigation_and_on_the_site(built: Path) -> None:
    there = sorted(file.stem for file in (ROOT / "docs").rglob("*.md"))
    assert sorted(file.stem for file, _ in pages(built)) == there
    shown = Read(built / "index.html").links
    assert [name for name in there if name != "index" and f"./{name}.html" not in shown] == []


def test_links_and_anchors_of_the_built_pages_lead_somewhere(built: Path) -> None:
    found = dict(pages(built))
    for file, page in found.items():
        for link in page.links:
            path, _, anchor = unquote(link).partition("#")
            target = (file.parent / path).resolve() if path else file
            assert target.is_relative_to(built) and target.exists(), (file.name, link)
            if anchor:
                assert anchor in found[target].ids or anchor == "__top", (file.name, link)


def test_the_pages_load_nothing_from_another_host(built: Path) -> None:
    for file, page in pages(built):
        assert page.loads
        for load in page.loads:
            assert not re.match(r"[a-z]+:|//", load), (file.name, load)
            assert (file.parent / load.partition("?")[0]).resolve().exists(), (file.name, load)
    for style in built.rglob("*.css"):
        assert not re.search(r"(?:url\(|@import)\s*['\"]?(?:https?:)?//", style.read_text()), style.name


def test_no_page_uses_what_a_script_would_load_from_elsewhere(built: Path) -> None:
    for file, _ in pages(built):
        text = file.read_text()
        assert not re.search(r'class="(?:mermaid|glightbox|pyodide)', text), file.name
        assert "```" not in text, file.name  # a fence that was not taken for one


def test_drawings_are_part_of_their_page(built: Path) -> None:
    text = (built / "architecture.html").read_text()
    assert text.count('<span class="drawing"><svg') == 4
    drawings = re.findall(r'<span class="drawing">.*?</span>', text, re.DOTALL)
    assert not any("prefers-color-scheme" in drawing for drawing in drawings)
    assert (built / "images" / "processes.svg").exists()


def test_the_build_fails_for_a_missing_page_and_a_missing_heading(tmp_path: Path) -> None:
    settings = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
    settings |= {"nav": [{"Start": "index.md"}, {"Tutorial": "tutorial.md"}]}
    (tmp_path / "mkdocs.yml").write_text(yaml.safe_dump(settings))
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "tutorial.md").write_text("# Tutorial\n")
    (tmp_path / "docs" / "index.md").write_text("# Start\n\n[a](gone.md) [b](tutorial.md#gone)\n")
    done = build(tmp_path)
    assert done.returncode != 0
    assert "page does not exist" in done.stderr and "anchor does not exist" in done.stderr


def test_make_docs_names_what_it_checks_and_builds() -> None:
    steps = subprocess.run(["make", "--dry-run", "docs"], cwd=ROOT, capture_output=True, text=True).stdout
    assert re.search(r"python -m manual\n.*zensical build --strict", steps)
