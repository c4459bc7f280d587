"""PersistentCGIWarning in a browser: who stays keeps the session, who does not is told that it is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.site import Site
from tests.browser.visitor import Visitor

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]
WARNS = """
<Directory cgi-bin>
  PersistentCGITimeout 12s
  PersistentCGIWarning 9s
</Directory>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), WARNS)
    site.start()
    yield site
    site.stop()


def over(visitor: Visitor) -> None:
    """Pages have asked for a session that is over, or for one by an older handle, and for nothing else."""
    assert all(problem.startswith("410 for ") for problem in visitor.problems), visitor.problems
    visitor.problems.clear()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_stays_keeps_the_session_and_who_does_not_is_told(visit: Visit, scheme: str) -> None:
    visitor = visit(color_scheme=scheme)
    page = visitor.open("/cgi-bin/counter.py")
    note, dialog = page.get_by_label("Note"), page.get_by_role("alertdialog")
    note.fill("half a sentence")
    expect(dialog).to_contain_text("Your session ends in")
    stay = dialog.get_by_role("button", name="Stay")
    expect(stay).to_be_focused()
    colour = dialog.evaluate("one => getComputedStyle(one).backgroundColor")
    assert (colour == "rgb(255, 255, 255)") is (scheme == "light")
    with page.expect_response(lambda response: response.status == 204):
        page.keyboard.press("Enter")
    expect(dialog).to_have_count(0)
    expect(dialog).to_be_visible()  # as late as it ever was: the clock began anew
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(note).to_have_value("half a sentence")
    page.get_by_role("button", name="Count on").click()
    expect(page.locator("output")).to_have_text("2")  # the program was not called meanwhile
    expect(note).to_have_value("half a sentence")  # sent, and shown again

    expect(dialog).to_contain_text("Your session is over.")
    expect(stay).to_be_disabled()
    expect(dialog.get_by_role("button", name="Close")).to_be_focused()
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Count on").click()
    expect(page.locator("h1")).to_contain_text("session", ignore_case=True)
    over(visitor)


def test_a_page_that_a_newer_one_has_replaced_never_says_that_the_session_is_over(visit: Visit) -> None:
    visitor = visit()
    older = visitor.open("/cgi-bin/counter.py")
    with older.expect_response(lambda response: response.status == 410):
        newer = visitor.open(older.get_by_role("link", name="Count on").get_attribute("href") or "")
        expect(newer.get_by_role("alertdialog")).to_be_visible()
    newer.get_by_role("button", name="Stay").click()
    expect(newer.get_by_role("alertdialog")).to_have_count(0)
    expect(newer.get_by_role("alertdialog")).to_be_visible()  # the session goes on
    expect(older.get_by_role("alertdialog")).to_have_count(0)
    over(visitor)


def test_who_stays_in_one_tab_is_not_told_that_it_is_over_in_another(visit: Visit) -> None:
    visitor = visit()
    first, second = visitor.open("/cgi-bin/counter.py"), visitor.context.new_page()
    content = first.content()
    second.route("**/copy", lambda route: route.fulfill(content_type="text/html", body=content))
    second.goto("/copy")  # the same page of the same session
    for tab in (first, second):
        expect(tab.get_by_role("alertdialog")).to_be_visible()
    first.get_by_role("button", name="Stay").click()
    expect(second.get_by_role("alertdialog")).to_have_count(0)
    expect(second.get_by_role("alertdialog")).to_be_visible()  # as late as the clock that began anew says
    expect(second.get_by_role("alertdialog")).to_contain_text("Your session ends in")
