"""Ending and extending sessions on the status page: asked first, told after, only for those who may."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.looks import unreached
from tests.browser.visitor import Visitor
from tests.browser.watched import WatchedSite

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium", "gcc")]
PAGE = "/server-status"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, built: None) -> Iterator[WatchedSite]:
    site = WatchedSite(tmp_path_factory.mktemp("acting"))
    site.start()
    yield site
    site.stop()


def live(page: Page) -> Page:
    expect(page.locator("#live")).to_have_text("live")
    return page


def newest(page: Page) -> Locator:
    """The row of the session that began last."""
    return page.locator("#sessions tbody tr").last


def ask(row: Locator, what: str) -> None:
    row.get_by_role("link", name=re.compile(f"^{what} session")).click()


def refused(visitor: Visitor, status: int) -> None:
    """One answer to this visitor was such a one, and was to be."""
    problem = f"{status} for {visitor.address}{PAGE}"
    assert visitor.problems == [problem]
    visitor.problems.clear()


def test_a_session_ends_only_after_it_was_confirmed(visit: Visit, site: WatchedSite) -> None:
    url = site.begin()
    page = live(visit().open(PAGE))
    row = newest(page)
    number = row.get_attribute("data-key")
    dialog = page.get_by_role("dialog", name=f"End session {number}?")
    ask(row, "End")
    expect(dialog).to_contain_text("counter.cgi")
    expect(dialog.get_by_role("link", name="Cancel")).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    ask(row, "End")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    url = site.call(url)  # it was only asked

    ask(row, "End")
    dialog.get_by_role("button", name=f"End session {number}").click()
    expect(page.locator("#said")).to_have_text(f"Session {number} was ended.")
    expect(page.locator("#said")).to_have_attribute("role", "status")
    expect(page.locator(f"#sessions tr[data-key='{number}']")).to_have_count(0)
    expect(page.locator("#recent tbody tr").first).to_contain_text("HTS006")
    assert site.reason(url) == "ended"


def test_a_session_is_extended_and_a_time_that_is_too_long_is_explained(
    visit: Visit, site: WatchedSite
) -> None:
    url, visitor = site.begin(), visit()
    page = live(visitor.open(PAGE))
    row = newest(page)
    left = row.locator("td.left span")
    expect(left).to_have_text(re.compile(r"^(19 min \d+|20 min 0) s$"))
    ask(row, "Extend")
    field = page.get_by_role("dialog").get_by_label("It may live so long")
    expect(field).to_be_focused()
    expect(field).to_have_value("30m")
    field.fill("90h")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("expected at most MaxPersistentCGITimeout, 30m, found 90h")
    expect(left).to_have_text(re.compile("^(19|20) min"))
    ask(row, "Extend")
    field.fill("25m")
    page.keyboard.press("Enter")
    expect(page.locator("#said")).to_contain_text("was extended")
    expect(left).to_have_text(re.compile("^(24|25) min"))
    site.call(url)
    refused(visitor, 409)


def test_a_session_that_is_gone_meanwhile_is_explained(visit: Visit, site: WatchedSite) -> None:
    site.begin()
    visitor = visit()
    page = live(visitor.open(PAGE))
    row = newest(page)
    ask(row, "End")
    button = page.get_by_role("dialog").get_by_role("button")
    expect(button).to_be_visible()
    other = live(visitor.open(PAGE))
    ask(newest(other), "End")
    other.get_by_role("dialog").get_by_role("button").click()
    expect(other.locator("#said")).to_contain_text("was ended")
    page.bring_to_front()
    button.click()
    expect(page.locator("#said")).to_contain_text("is over: ended")
    refused(visitor, 404)


def test_without_javascript_the_same_by_forms(visit: Visit, site: WatchedSite) -> None:
    url = site.begin()
    page = visit(java_script_enabled=False).open(PAGE)
    ask(newest(page), "Extend")
    expect(page.get_by_role("heading", level=1)).to_have_text(re.compile(r"^Extend session \d+\?$"))
    page.get_by_label("It may live so long").fill("25m")
    page.get_by_role("button", name="Extend session").click()
    expect(page.locator("#said")).to_contain_text("was extended")
    expect(newest(page).locator("td.left span")).to_have_text(re.compile("^(24|25) min"))
    ask(newest(page), "End")
    page.get_by_role("link", name="Cancel").click()
    url = site.call(url)
    ask(newest(page), "End")
    asking = page.url
    page.get_by_role("button", name="End session").click()
    expect(page.locator("#said")).to_contain_text("was ended")
    page.goto(asking)
    expect(page.get_by_role("heading", level=1)).to_contain_text("is over: ended")
    page.get_by_role("link", name="Back to the status page").click()  # no way without a way back
    expect(page.get_by_role("heading", level=1)).to_have_text("Gateway status")
    assert site.reason(url) == "ended"


def test_who_may_not_act_sees_no_buttons(visit: Visit, site: WatchedSite) -> None:
    site.begin()
    page = live(visit().open("/look"))
    expect(newest(page)).to_be_visible()
    expect(page.locator(".act")).to_have_count(0)
    bert = live(visit(http_credentials={"username": "bert", "password": "treb"}).open("/users"))
    expect(newest(bert)).to_be_visible()
    expect(bert.locator(".act")).to_have_count(0)


def test_who_may_act_by_name_does(visit: Visit, site: WatchedSite) -> None:
    url = site.begin()
    page = live(visit(http_credentials={"username": "anna", "password": "anna"}).open("/users"))
    ask(newest(page), "End")
    page.get_by_role("dialog").get_by_role("button").click()
    expect(page.locator("#said")).to_contain_text("was ended")
    assert site.reason(url) == "ended"
    site.wait_log(r"was ended by user anna")


def test_the_tab_key_reaches_everything_in_order(visit: Visit, site: WatchedSite) -> None:
    page = live(visit(viewport={"width": 1440, "height": 900}).open(f"{PAGE}?rows=2"))
    page.get_by_role("button", name="Pause").click()
    assert unreached(page) == []


def test_numbers_read_the_same_with_and_without_the_script(visit: Visit, site: WatchedSite) -> None:
    """status.js writes as status/words.py does."""
    site.begin()
    script = live(visit().open(PAGE))
    plain = visit(java_script_enabled=False).open(PAGE)
    still = ("Program", "Session", "Handle", "User", "State", "Requests", "Queue", "Pid", "In", "Out", "Host")
    headings = [text.strip() for text in plain.locator("#sessions th").all_inner_texts()]
    for heading in still:
        place = headings.index(heading)
        texts = [newest(page).locator("td").nth(place).inner_text() for page in (script, plain)]
        assert texts[0] == texts[1], heading
