"""The site in a browser, opened as files, as somebody without a network reads it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.blackbox.harness import wait_for

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]

PAGES = ("index", "architecture", "operations")


class Reader:
    """Opens pages. `wrong`: what asked for another host, or was said on the console."""

    def __init__(self, browser: Browser, site: Path, **options: object) -> None:
        self.site, self.wrong = site, list[str]()
        self.context = browser.new_context(**options)  # type: ignore[arg-type]
        self.page: Page = self.context.new_page()
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("console", lambda message: self._said(message.text))
        self.page.on("pageerror", lambda error: self.wrong.append(str(error)))

    def _asked(self, url: str) -> None:
        if not url.startswith((self.site.as_uri(), "data:", "about:", "blob:")):
            self.wrong.append(url)

    def _said(self, text: str) -> None:
        # A link into a page that has a search field: whether it is there before the jump is a matter of time
        if not text.startswith("Autofocus processing was blocked because a document's URL has a fragment"):
            self.wrong.append(text)

    def open(self, name: str) -> Page:
        """A page, with everything that it loads."""
        self.page.goto(f"{self.site.as_uri()}/{name}.html", wait_until="load")
        return self.page


@pytest.fixture
def reader(browser: Browser, built: Path, request: pytest.FixtureRequest) -> Iterator[Reader]:
    reader = Reader(browser, built, **getattr(request, "param", {}))
    yield reader
    reader.context.close()
    assert reader.wrong == []


def test_pages_ask_no_other_host_and_find_everything_they_load(reader: Reader) -> None:
    for name in PAGES:
        page = reader.open(name)
        expect(page.locator("h1")).to_be_visible()
        broken = "images => images.filter(image => !image.naturalWidth).map(image => image.src)"
        assert page.locator("img").evaluate_all(broken) == []


def test_the_search_works_without_a_server(reader: Reader) -> None:
    page = reader.open("index")
    field = page.get_by_role("combobox", name="Search")

    def opened() -> bool:
        page.keyboard.press("Control+k")
        return field.is_visible()

    wait_for("the search", opened)
    field.fill("PersistentCGIWarning")
    found = page.get_by_role("option").filter(has_text="PersistentCGIWarning").first
    expect(found).to_be_visible()
    expect(field).to_have_value("PersistentCGIWarning")
    found.click()
    expect(page).to_have_url(re.compile(r"/directives\.html.*#persistentcgiwarning$"))


def test_the_text_of_a_drawing_can_be_selected(reader: Reader) -> None:
    page = reader.open("architecture")
    keeper = page.locator("svg[role=img] text", has_text="standard library only").first
    keeper.dblclick()
    assert page.evaluate("getSelection().toString()").strip()
    for drawing in page.locator("svg[role=img]").all():
        assert drawing.get_attribute("aria-labelledby")


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2) of `rgb(…)`."""
    parts = [int(part) / 255 for part in colour.partition("(")[2].strip(")").split(",")[:3]]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("reader", [{"color_scheme": "light"}, {"color_scheme": "dark"}], indirect=True)
def test_text_links_and_drawings_stand_out_in_light_and_dark(reader: Reader) -> None:
    page = reader.open("architecture")
    style = "([selector, name]) => getComputedStyle(document.querySelector(selector))[name]"
    paper = luminance(page.evaluate(style, ["body", "backgroundColor"]))
    assert (paper < 0.1) == page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    for selector, name in (
        ("article p", "color"),
        ("article h2", "color"),
        ("article p a", "color"),
        (".drawing text", "fill"),
    ):
        ink = luminance(page.evaluate(style, [selector, name]))
        assert (max(ink, paper) + 0.05) / (min(ink, paper) + 0.05) >= 4.5, selector


@pytest.mark.parametrize("reader", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_pages_fit_a_phone(reader: Reader) -> None:
    for name in PAGES:
        page = reader.open(name)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), name


# the characters behind which the lines of a name end
_ENDS_OF_LINES = """codes => codes.flatMap(code => {
  const walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT)
  const range = document.createRange(), found = []
  let before = null
  for (let node = walker.nextNode(); node; node = walker.nextNode())
    for (let at = 0; at < node.data.length; at++) {
      range.setStart(node, at)
      range.setEnd(node, at + 1)
      const top = range.getBoundingClientRect().top
      if (before && top > before.top + 4) found.push(before.letter)
      before = {top, letter: node.data[at]}
    }
  return found
})"""


@pytest.mark.parametrize("reader", [{"viewport": {"width": 360, "height": 740}}], indirect=True)
def test_the_names_of_metrics_break_between_their_words(reader: Reader) -> None:
    names = reader.open("operations").locator(
        "td:first-child code", has_text=re.compile(r"^persistent_cgi_\w+$")
    )
    assert set(names.evaluate_all(_ENDS_OF_LINES)) == {"_"}


def test_a_table_has_no_row_without_words(reader: Reader) -> None:
    rows = reader.open("index").locator("article tr:visible").all()
    assert rows and all(row.inner_text().strip() or row.locator("img").count() for row in rows)
