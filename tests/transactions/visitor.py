"""A visitor with a browser of the simplest kind: it follows redirects, and sends the forms of its page."""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from urllib.parse import urlencode

from tests.blackbox.harness import Answer, Gateway

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Visitor:
    """Somebody at a program; `page` is what they see, `url` where they are."""

    def __init__(self, gateway: Gateway, url: str) -> None:
        self._gateway = gateway
        self.url = url
        self.page = self.get(url)

    def get(self, url: str) -> Answer:
        """Open a URL, relative to nothing, as a link does."""
        return self._follow(url, self._gateway.get(url))

    def look(self) -> Answer:
        """The same page once more."""
        return self.get(self.url)

    def post(self, **fields: str) -> Answer:
        """Send the page's form with these fields, and follow."""
        return self._follow(self.url, self.send(self.action, **fields))

    def send(self, url: str, **fields: str) -> Answer:
        """Send fields to a URL; what comes is not followed, and this visitor stays where they are."""
        return self._gateway.request("POST", url, urlencode(fields).encode(), FORM)

    @property
    def action(self) -> str:
        """Where the page's first form leads."""
        found = re.search(r'<form[^>]* action="([^"]*)"', self.page.text)
        assert found, self.page
        return unescape(found[1])

    @property
    def note(self) -> str:
        """What the page says about the last step."""
        found = re.search(r'<p[^>]* role="status">(.*?)</p>', self.page.text, re.DOTALL)
        return unescape(found[1]) if found else ""

    @property
    def title(self) -> str:
        """The page's heading."""
        found = re.search("<h1>(.*?)</h1>", self.page.text, re.DOTALL)
        assert found, self.page
        return unescape(found[1])

    def _follow(self, url: str, answer: Answer) -> Answer:
        while answer.status == 303:
            url = answer.header("location") or ""
            answer = self._gateway.get(url)
        self.url, self.page = url, answer
        return answer


class Cells(HTMLParser):
    """The tables of a page: rows of the text of their cells."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._within = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        self._within = tag in ("td", "th")

    def handle_endtag(self, tag: str) -> None:
        self._within = False

    def handle_data(self, data: str) -> None:
        if self._within:
            self.rows[-1][-1] += data
