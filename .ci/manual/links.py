"""Whether the pages hang together: their links, images, headings, and the site's navigation.

Other hosts are not asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import yaml

FENCE = re.compile(r"^( *)(`{3,})([^\n`]*)\n(.*?)^\1\2$", re.DOTALL | re.MULTILINE)
_HEADING = re.compile(r"^#{1,6} (.*)$", re.MULTILINE)
_LINK = re.compile(r"!?\[((?:[^][]|\[[^]]*\])*)\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
_CODE = re.compile(r"`[^`\n]+`")


class Link(NamedTuple):
    """A link or an image: its page below the repository, line and target."""

    page: str
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}: {self.target}"

    @property
    def host(self) -> str | None:
        """Another host, if it leads to one."""
        return urlsplit(self.target).hostname


def pages(root: Path) -> list[Path]:
    """What is written for readers."""
    front = [root / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    return [page for page in front if page.exists()] + sorted((root / "docs").rglob("*.md"))


def prose(text: str) -> str:
    """A text without its fenced blocks; lines keep their numbers."""
    return FENCE.sub(lambda found: "\n" * found[0].count("\n"), text)


def links(root: Path) -> Iterator[Link]:
    """Every link of every page."""
    for page in pages(root):
        yield from links_of(str(page.relative_to(root)), page.read_text(encoding="utf-8"))


def links_of(page: str, text: str) -> Iterator[Link]:
    """The links and images of a text, those in code left out."""
    text = _CODE.sub(lambda found: " " * len(found[0]), prose(text))
    for found in _LINK.finditer(text):
        line = text.count("\n", 0, found.start(2)) + 1
        yield Link(page, line, found[2])
        yield from (Link(page, line, inner[2]) for inner in _LINK.finditer(found[1]))


def anchors(text: str) -> set[str]:
    """The headings of a text as anchors, as far as they are the same in the repository and on the site."""
    found = set()
    for heading in _HEADING.findall(prose(text)):
        plain = re.sub(r"[`*]|\[([^]]*)\]\([^)]*\)", r"\1", heading)
        repository = re.sub(r"[^\w\- ]", "", plain.lower()).strip().replace(" ", "-")
        site = re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", plain).strip().lower())
        if repository == site:
            found.add(site)
    return found


def problem(link: Link, root: Path) -> str:
    """What is wrong with a link, "" for nothing."""
    if urlsplit(link.target).scheme:
        return "" if link.target.startswith("https://") and link.host else "expected an https: URL"
    path, _, anchor = link.target.partition("#")
    page = root / link.page
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(root) or not target.exists():
        return "there is no such file"
    docs = root / "docs"
    if page.is_relative_to(docs) and not target.is_relative_to(docs):
        return "the site does not have it"
    if anchor and anchor not in anchors(target.read_text(encoding="utf-8")):
        return "there is no such heading"
    return ""


def problems(root: Path) -> list[str]:
    """What is wrong with links, and with the navigation in mkdocs.yml: each page stands in it once."""
    found = [f"{link}: {why}" for link in links(root) if (why := problem(link, root))]
    there = sorted(str(page.relative_to(root / "docs")) for page in (root / "docs").rglob("*.md"))
    named = sorted(_named(yaml.safe_load((root / "mkdocs.yml").read_text())["nav"]))
    found += [f"docs/{page}: it is not in the navigation of mkdocs.yml" for page in there if page not in named]
    found += [f"mkdocs.yml: {page}: there is no such page" for page in named if page not in there]
    found += [f"mkdocs.yml: {page} is named twice" for page in set(named) if named.count(page) > 1]
    return found


def _named(navigation: Any) -> Iterator[str]:
    if isinstance(navigation, str):
        yield navigation
    else:
        for entry in navigation.values() if isinstance(navigation, dict) else navigation:
            yield from _named(entry)
