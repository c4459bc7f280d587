"""PersistentCGIWarning in a browser: who stays keeps the session, who does not is told that it is over."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.site import Site

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]
WARNS = """
<Directory cgi-bin>
  PersistentCGITimeout 6s
  PersistentCGIWarning 3s
</Directory>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    site = Site(tmp_path_factory.mktemp("site"), WARNS)
    site.start()
    yield site
    site.stop()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_stays_keeps_the_session_and_who_does_not_is_told(visit: Visit, scheme: str) -> None:
    page = visit(color_scheme=scheme).open("/cgi-bin/counter.py")
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
    dialog.get_by_role("button", name="Close").click()
    page.get_by_role("link", name="Count on").click()
    expect(page.locator("h1")).to_contain_text("session", ignore_case=True)
