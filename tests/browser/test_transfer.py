"""The bank counter with two browsers: nobody sees what is not committed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import PICTURE, keep_picture

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]

PUBLIC = "/cgi-bin/transfer.py?balances"


def balances(page: Page) -> dict[str, str]:
    """What the last column of the table says of each account."""
    page.wait_for_load_state()
    rows = page.locator("table.figures tr", has=page.locator("td"))
    return {row.locator("th").inner_text(): row.locator("td").last.inner_text() for row in rows.all()}


def look_again(page: Page) -> dict[str, str]:
    page.get_by_role("link", name="Look again").click()
    return balances(page)


def begin(page: Page) -> tuple[str, str]:
    """Open a transaction over the first two accounts; their names."""
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Transaction")
    return page.locator("#source option").nth(0).inner_text(), page.locator("#source option").nth(
        1
    ).inner_text()


def post(page: Page, amount: str, text: str) -> None:
    """By keyboard: the amount has the focus, the text is next."""
    expect(page.get_by_label("Amount")).to_be_focused()
    page.keyboard.type(amount)
    page.keyboard.press("Tab")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text(f"Posted: {amount}")


def cents(amount: str) -> int:
    return int(amount.replace(",", "").replace(".", ""))


def test_a_second_browser_sees_the_old_balances_until_commit_then_the_new_ones(visit: Visit) -> None:
    teller, other = visit(**PICTURE), visit()
    public = other.open(PUBLIC)
    before = balances(public)
    counter = teller.open("/cgi-bin/transfer.py")
    source, target = begin(counter)
    post(counter, "12.50", "Rent")
    post(counter, "1.05", "<b>Interest</b>")
    keep_picture(counter, "transfer")
    moved = balances(counter)
    assert cents(moved[source]) == cents(before[source]) - 1355
    assert cents(moved[target]) == cents(before[target]) + 1355
    assert look_again(public) == before
    counter.get_by_role("button", name="Commit").click()
    expect(counter.get_by_role("heading", level=1)).to_have_text("Committed")
    assert look_again(public) == before | moved
    expect(public.get_by_text("<b>Interest</b>")).to_be_visible()


def test_roll_back_leaves_what_everybody_sees_as_it_was(visit: Visit) -> None:
    public = visit().open(PUBLIC)
    before = balances(public)
    counter = visit().open("/cgi-bin/transfer.py")
    begin(counter)
    post(counter, "3.00", "A mistake")
    counter.get_by_role("button", name="Roll back").click()
    expect(counter.get_by_role("heading", level=1)).to_have_text("Rolled back")
    assert look_again(public) == before


def test_back_cannot_post_a_second_time(visit: Visit) -> None:
    counter = visit().open("/cgi-bin/transfer.py")
    begin(counter)
    post(counter, "3.00", "Once")
    counter.go_back()
    expect(counter.get_by_role("heading", level=1)).to_contain_text("This page is out of date")
