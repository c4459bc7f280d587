"""A visitor: a browser context whose every page is watched for what no page of ours may have."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    WebError,
    expect,
)

from tests.browser.site import ARTIFACTS

BOUND = 60_000.0  # milliseconds after which an awaited event counts as missing
# A window for pictures that go into documents: narrow enough to be read there, sharp enough for fine screens
PICTURE = {"viewport": {"width": 800, "height": 680}, "device_scale_factor": 2}
_COMPLAINT = "not a page of ours: "
# Every document says how it is made before anybody looks at it; a page that streams does when it is whole
_CHECK = """
addEventListener("DOMContentLoaded", () => {
  if (document.contentType !== "text/html" || location.protocol === "about:") return;
  const all = (selector) => [...document.querySelectorAll(selector)];
  const wrong = {
    "no title": !document.title.trim(),
    "no language": !document.documentElement.lang,
    "quirks mode": document.compatMode !== "CSS1Compat",
    "h1 elements other than one": all("h1").length !== 1 || !all("h1")[0].textContent.trim(),
    "main elements other than one": all("main").length !== 1,
    "a field without a label": all("input:not([type=hidden]), select, textarea").some(
      (field) => !field.labels.length && !field.ariaLabel),
    "a link or button without a text": all("a[href], button").some(
      (one) => !(one.innerText.trim() || one.ariaLabel || one.querySelector("svg title"))),
    "one id twice": new Set(all("[id]").map((one) => one.id)).size !== all("[id]").length,
  };
  for (const [what, found] of Object.entries(wrong)) if (found) console.error("COMPLAINT" + what);
});
""".replace("COMPLAINT", _COMPLAINT)


class Visitor:
    """One browser context (cookies, storage) on one site; `problems` is what was wrong on its pages so far."""

    def __init__(self, browser: Browser, address: str, options: Mapping[str, object]) -> None:
        self.address, self.problems = address, list[str]()
        self.context: BrowserContext = browser.new_context(base_url=address, **options)  # type: ignore[arg-type]
        self.context.set_default_timeout(BOUND)
        self.context.add_init_script(_CHECK)
        self.context.on("console", self._console)
        self.context.on("weberror", self._error)
        self.context.on("request", self._request)
        self.context.on("response", self._response)

    def open(self, path: str) -> Page:
        """A new tab on this path."""
        page = self.context.new_page()
        page.goto(path)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        # a document's own status shows there too: pages for 404 and 410 are meant to be seen
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self.problems.append(f"{message.text} on {message.location['url']}")

    def _error(self, error: WebError) -> None:
        self.problems.append(f"{error.error} on {error.page and error.page.url}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith((f"{self.address}/", "data:")):
            self.problems.append(f"a request to {urlsplit(request.url).netloc}")

    def _response(self, response: Response) -> None:
        if response.status >= 400 and response.request.resource_type != "document":
            self.problems.append(f"{response.status} for {response.url}")


def process(page: Page) -> int:
    """The process that a counter's page names; the page may still be arriving, as a program writes it."""
    named = re.compile(r"process (\d+)")
    expect(page.locator("main")).to_contain_text(named)
    found = named.search(page.inner_text("main"))
    assert found is not None
    return int(found[1])


def keep_picture(page: Page, name: str, *, whole: bool = True) -> None:
    """Put what the tab shows into tests/artifacts/, for people to look at; docs/images/ has copies of some."""
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", full_page=whole, animations="disabled")
