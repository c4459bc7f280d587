"""The counters in a browser: one number, one process, one newest page.

Playwright turns off the browser's cache of whole pages. Where it is on, Back may show an older page as it was,
in spite of no-store, and the first click on it is told to be out of date: the test of a link on an older page.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import PICTURE, keep_picture, process

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]

OUT_OF_DATE = "This page is out of date: a newer page of this session exists"
COUNTERS = [
    pytest.param("counter.py"),
    pytest.param("counter.pl", marks=pytest.mark.needs("perl")),
    pytest.param("counter.sh", marks=pytest.mark.needs("bash")),
    *(pytest.param(name, marks=pytest.mark.needs("make", "cc")) for name in ("counter.cgi", "counter.so")),
    pytest.param("counter-cob.so", marks=pytest.mark.needs("make", "cobc")),
]


NASTY = '<script>alert(1)</script> & "it\'s" ä'


def shows(page: Page, count: int) -> None:
    expect(page.locator("output")).to_have_text(str(count))


@pytest.mark.parametrize("name", COUNTERS)
def test_count_on_start_another_and_end(visit: Visit, built: None, name: str) -> None:
    page = visit().open(f"/cgi-bin/{name}")
    shows(page, 1)
    first = process(page)
    page.get_by_role("button", name="Count on").click()
    shows(page, 2)
    page.get_by_role("link", name="Count on").click()
    shows(page, 3)
    assert process(page) == first
    page.get_by_role("link", name="Start another").click()
    shows(page, 1)
    assert process(page) != first
    page.get_by_role("link", name="End this session").click()
    shows(page, 2)
    expect(page.get_by_role("link", name="Count on")).to_have_count(0)
    page.get_by_role("link", name="Start another").click()
    shows(page, 1)


def test_R4_back_shows_that_the_page_is_out_of_date_and_where_to_go_on(visit: Visit) -> None:
    page = visit(**PICTURE | {"viewport": {"width": 800, "height": 400}}).open("/cgi-bin/counter.py")
    for count in (2, 3):
        page.get_by_role("link", name="Count on").click()
        shows(page, count)
    answer = page.go_back()
    assert answer is not None and answer.status == 410
    expect(page.get_by_role("heading", level=1)).to_have_text(OUT_OF_DATE)
    keep_picture(page, "out-of-date", whole=False)
    page.get_by_role("link", name="Start a new session").click()
    shows(page, 1)


def test_H5_a_link_on_an_older_page_is_out_of_date_and_the_session_goes_on(visit: Visit) -> None:
    visitor = visit()
    older = visitor.open("/cgi-bin/counter.py")
    with visitor.context.expect_page() as opened:
        older.get_by_role("link", name="Count on").click(modifiers=["Control"])
    newest = opened.value
    shows(newest, 2)
    older.get_by_role("button", name="Count on").click()
    expect(older.get_by_role("heading", level=1)).to_have_text(OUT_OF_DATE)
    newest.get_by_role("button", name="Count on").click()
    shows(newest, 3)


def test_sending_a_form_again_by_a_reload_counts_nothing_twice(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/cgi-bin/counter.py")
    page.get_by_role("button", name="Count on").click()
    shows(page, 2)
    newest = page.get_by_role("link", name="Count on").get_attribute("href")
    answer = page.reload()
    assert answer is not None and (answer.request.method, answer.status) == ("POST", 410)
    shows(visitor.open(str(newest)), 3)


def test_two_tabs_are_two_sessions(visit: Visit) -> None:
    visitor = visit()
    one, other = visitor.open("/cgi-bin/counter.py"), visitor.open("/cgi-bin/counter.py")
    for count in (2, 3, 4):
        one.get_by_role("button", name="Count on").click()
        shows(one, count)
    other.get_by_role("button", name="Count on").click()
    shows(other, 2)
    assert process(one) != process(other)


def test_a_note_with_markup_stays_text(visit: Visit) -> None:
    page = visit().open("/cgi-bin/counter.py")
    note = page.get_by_label("Note")
    expect(note).to_be_focused()
    page.keyboard.type(NASTY)
    page.keyboard.press("Enter")
    shows(page, 2)
    expect(note).to_have_value(NASTY)
    page.get_by_role("link", name="End this session").click()
    expect(page.locator("q")).to_have_text(NASTY)
    assert page.locator("script").count() == 0
