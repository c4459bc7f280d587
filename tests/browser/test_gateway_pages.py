"""Sessions that are over: the page says why, and where to go on."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.blackbox.harness import ROOT, wait_for
from tests.browser.conftest import Visit
from tests.browser.site import Site
from tests.browser.visitor import keep_picture, process

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]

SMALL = """
MaxPersistentCGI 2
ScriptAlias /brief/ {folder}/
<Directory {folder}>
  PersistentCGITimeout 1s
</Directory>
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The programs with place for two sessions; one again under /brief/, where it waits for a second."""
    folder = tmp_path_factory.mktemp("small")
    site = Site(folder, SMALL.format(folder=folder / "cgi-bin"))
    site.program("counter.py", (ROOT / "cgi-bin" / "counter.py").read_text())
    site.start()
    yield site
    site.stop()


def heading(page: Page, text: str) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text(text)


def go_on(page: Page) -> int:
    """Follow the page's only link to a fresh start; the process of that session."""
    page.get_by_role("link", name="Start again", exact=True).click()
    expect(page.locator("output")).to_have_text("1")
    return process(page)


def end(page: Page) -> None:
    """End a counter's session: its place is free when its process is gone."""
    ended = process(page)
    page.get_by_role("link", name="End this session").click()
    expect(page.locator("output")).to_have_text("2")
    gone(ended)


def gone(pid: int) -> None:
    wait_for("the process to be gone", lambda: not os.path.exists(f"/proc/{pid}"))


def test_a_session_that_timed_out_says_so_and_links_to_a_fresh_start(visit: Visit, site: Site) -> None:
    page = visit().open("/brief/counter.py")
    expect(page.locator("main")).to_contain_text("waits 1 s for your next visit")
    site.wait_log("HTS002")
    with page.expect_response(re.compile("/brief/counter.py/")) as answer:
        page.get_by_role("button", name="Count on").click()
    assert (answer.value.status, answer.value.headers["x-htsession-ended"]) == (410, "timed-out")
    heading(page, "This session timed out")
    expect(page.locator("main")).to_contain_text("timed out after 1 second")
    keep_picture(page, "timed-out")
    gone(go_on(page))  # that one times out too


def test_a_session_that_its_visitor_ended_says_so(visit: Visit) -> None:
    page = visit().open("/cgi-bin/counter.py")
    end(page)
    page.reload()
    heading(page, "This session has ended")
    go_on(page)
    end(page)


def test_a_session_whose_program_crashed_says_so(visit: Visit, site: Site) -> None:
    page = visit().open("/cgi-bin/counter.py")
    os.kill(process(page), signal.SIGKILL)
    site.wait_log("HTS007")
    page.get_by_role("button", name="Count on").click()
    heading(page, "This session was ended by an error")
    go_on(page)
    end(page)


def test_a_session_too_many_says_when_to_try_again(visit: Visit, site: Site) -> None:
    visitor = visit()
    kept = [visitor.open("/cgi-bin/counter.py") for _ in range(2)]
    page = visitor.open("/cgi-bin/counter.py")
    expect(page.locator("output")).to_have_text("1")  # the page is delivered, its process is not kept
    with page.expect_response(re.compile("/counter.py/")) as answer:
        page.get_by_role("button", name="Count on").click()
    assert (answer.value.status, answer.value.headers["retry-after"]) == (503, "30")
    heading(page, "This session could not be kept: too many are open")
    for one in kept:
        end(one)
