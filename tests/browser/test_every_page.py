"""What holds for every page: it works by keyboard, on a phone and in the dark, and asks nobody else.

Titles, languages, headings, labels, the console and other hosts are watched on every page of every test
(visitor.py); here a crawl brings the pages that no other test opens.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visit
from tests.browser.looks import PHONE, lightness, scrolls_sideways, unreached, wider
from tests.browser.visitor import PICTURE, keep_picture

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]

OF_THE_GATEWAY = {
    "/nothing-here": 404,
    "/cgi-bin/no-such-program": 404,
    "/cgi-bin/common/page.py": 403,
    "/cgi-bin/start.toml": 403,
}


BAD = """<html><title> </title><body><h1>One</h1><h1>Two</h1><p id=a><p id=a><input><a href="/x"></a>
<img alt="" src="http://elsewhere.invalid/a.png"><link rel="stylesheet" href="/no-such.css">
<script>throw Error("mine")</script>"""


def links(page: Page) -> list[str]:
    """Where a page's links within this site lead, each once."""
    found = page.locator("a[href]").evaluate_all("all => all.map((one) => one.href)")
    return [link for link in dict.fromkeys(found) if urlsplit(link).netloc == urlsplit(page.url).netloc]


def faults(page: Page) -> list[str]:
    """What is wrong with a page on a phone in the dark."""
    problems = [f"wider than a phone: {wider(page)}"] if scrolls_sideways(page) else []
    return problems + ([] if lightness(page) < 0.2 else ["a bright background in the dark"])


def test_every_program_of_the_start_page_is_whole_on_a_phone_in_the_dark(visit: Visit, built: None) -> None:
    page = visit(viewport=PHONE, color_scheme="dark").open("/")
    programs = [link for link in links(page) if urlsplit(link).path.startswith("/cgi-bin/")]
    plain = [link for link in programs if not urlsplit(link).query]
    sources = [link for link in programs if urlsplit(link).query][:2]
    assert len(plain) >= 6
    found = {"/": faults(page)}
    for link in plain + sources:
        answer = page.goto(link)
        assert answer is not None
        found[link] = faults(page) + ([] if answer.status == 200 else [f"status {answer.status}"])
        if link in sources:
            keep_picture(page, "source-phone-dark", whole=False)
    assert {link: problems for link, problems in found.items() if problems} == {}


@pytest.mark.parametrize(("path", "status"), OF_THE_GATEWAY.items())
def test_a_page_of_the_gateway_is_whole_on_a_phone_in_the_dark(visit: Visit, path: str, status: int) -> None:
    page = visit(viewport=PHONE, color_scheme="dark").context.new_page()
    answer = page.goto(path)
    assert answer is not None and answer.status == status
    assert faults(page) == []


def test_the_start_page_is_light_by_day_and_reads_without_a_script(visit: Visit) -> None:
    page = visit(java_script_enabled=False, viewport={"width": 1280, "height": 800}).open("/")
    assert page.locator("main a").count() >= 6
    page = visit(**PICTURE).open("/")
    assert lightness(page) > 0.9
    keep_picture(page, "start", whole=False)


@pytest.mark.parametrize(
    "path", ["/", "/cgi-bin/counter.py", "/cgi-bin/transfer.py", "/cgi-bin/hangman/memory.py"]
)
def test_the_tab_key_reaches_everything_in_order_and_shows_where_it_is(visit: Visit, path: str) -> None:
    assert unreached(visit().open(path)) == []


def test_a_counter_works_by_keyboard_alone(visit: Visit) -> None:
    page = visit().open("/")
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("() => document.activeElement.pathname === '/cgi-bin/counter.py'"):
            break
    page.keyboard.press("Enter")
    page.wait_for_url("**/counter.py")
    page.keyboard.type("by hand")  # the note has the focus
    page.keyboard.press("Enter")
    page.wait_for_url("**/counter.py/*")
    assert (page.inner_text("output"), page.input_value("#note")) == ("2", "by hand")


def test_the_watch_over_every_page_sees_what_is_wrong(visit: Visit) -> None:
    visitor = visit()
    visitor.context.route("**/bad", lambda route: route.fulfill(body=BAD, content_type="text/html"))
    visitor.open("/bad")
    said = "\n".join(visitor.problems)
    for what in (
        "no title", "no language", "quirks mode", "h1 elements", "main elements", "a field without a label",
        "a link or button without a text", "one id twice", "elsewhere.invalid", "404 for ", "mine",
    ):  # fmt: skip
        assert what in said, (what, said)
    visitor.problems.clear()
