"""A Markdown extension for the site, which reads the pages as the repository shows them.

* A drawing (an SVG below docs/) becomes part of the page: its text can be selected and found, and it has the
  page's colours.
* The word behind a fenced block's language becomes the block's title.
* Names in tables (`persistent_cgi_sessions`) may break behind an underscore, a full stop and a slash.
"""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree.ElementTree import Element

from markdown import Markdown
from markdown.extensions import Extension
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

_PAGES = Path(__file__).parents[2] / "docs"
_OWN_STYLE = re.compile(r"<style>.*?</style>\n?", re.DOTALL)
_FENCE = re.compile(r"^( *)```(\w+) ([^\s={}]+)$")
_BREAKS = re.compile(r"(?<=[_./])(?=\w)")
_BEFORE_FENCES, _BEHIND_IMAGES = 26, 5  # pymdownx.superfences has 25, Markdown's inline patterns 20


class _Titles(Preprocessor):
    def run(self, lines: list[str]) -> list[str]:
        return [_FENCE.sub(r'\1```\2 title="\3"', line) for line in lines]


class _Drawings(Treeprocessor):
    def run(self, root: Element) -> None:
        for parent in root.iter():
            for place, child in enumerate(parent):
                if child.tag == "img" and child.get("src", "").endswith(".svg"):
                    parent[place] = self._drawing(child)

    def _drawing(self, image: Element) -> Element:
        """A stand-in, whose text Markdown replaces by the drawing."""
        svg = _OWN_STYLE.sub("", (_PAGES / image.get("src", "")).read_text(encoding="utf-8"))
        holder = Element("span", {"class": "drawing"})
        holder.text = self.md.htmlStash.store(svg.strip())
        holder.tail = image.tail
        return holder


class _Breaks(Treeprocessor):
    def run(self, root: Element) -> None:
        for cell in root.iter("td"):
            for code in cell.iter("code"):
                first, *others = _BREAKS.split(code.text or "")
                code.text = AtomicString(first)
                for place, part in enumerate(others):
                    chance = Element("wbr")
                    chance.tail = AtomicString(part)
                    code.insert(place, chance)


class Reading(Extension):
    """`markdown_extensions: [manual.reading]`."""

    def extendMarkdown(self, md: Markdown) -> None:
        """Take part in the reading of a page."""
        md.preprocessors.register(_Titles(md), "titles", _BEFORE_FENCES)
        md.treeprocessors.register(_Drawings(md), "drawings", _BEHIND_IMAGES)
        md.treeprocessors.register(_Breaks(md), "breaks", _BEHIND_IMAGES)


def makeExtension() -> Reading:
    """What Markdown asks a module for."""
    return Reading()
