"""What a test asks of a page: that its markup is whole, and what it links to."""

from __future__ import annotations

from html.parser import HTMLParser

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
FIELDS = {"input", "select", "textarea"}
RESOURCES = {"href", "src", "srcset", "action", "formaction", "poster", "data", "style"}


class Markup(HTMLParser):
    """A page, read: its elements with their attributes, the text of each list item, what is wrong with it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.items: list[str] = []
        self.problems: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        self.problems += [f"<{tag}> is not closed" for tag in self._open]
        self._check()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)
        if tag == "li":
            self.items.append("")

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes something else")

    def handle_data(self, data: str) -> None:
        if "li" in self._open:
            self.items[-1] += data

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of every element of this name."""
        return [attributes for name, attributes in self.elements if name == tag]

    def links(self) -> list[str]:
        """Where the page's <a> elements lead."""
        return [attributes["href"] for attributes in self.all("a")]

    @property
    def levels(self) -> list[int]:
        """The levels of the page's headings in their order."""
        return [int(tag[1]) for tag, _ in self.elements if tag in ("h1", "h2", "h3", "h4", "h5", "h6")]

    def item(self, name: str) -> str:
        """The text of the list item that begins with `name`, in one line."""
        texts = [" ".join(item.split()) for item in self.items]
        found = [text for text in texts if text.split(" ")[0] == name]
        assert len(found) == 1, (name, texts)
        return found[0]

    def _check(self) -> None:
        labelled = {attributes.get("for") for attributes in self.all("label")}
        for tag, attributes in self.elements:
            if tag == "img" and "alt" not in attributes:
                self.problems.append("an <img> without alt")
            if tag in FIELDS and attributes.get("type") != "hidden" and attributes.get("id") not in labelled:
                self.problems.append(f"a <{tag}> without a label")
            outside = [value for name, value in attributes.items() if name in RESOURCES and "//" in value]
            self.problems += [f"{value} lies outside" for value in outside]
        if [attributes.get("lang") for attributes in self.all("html")] != ["en"]:
            self.problems.append("the page does not name its language")
        for tag in ("h1", "title", "main"):
            if len(self.all(tag)) != 1:
                self.problems.append(f"{len(self.all(tag))} <{tag}> elements")
