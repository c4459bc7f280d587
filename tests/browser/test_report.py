"""A long job in a browser: its bar grows while the page still loads, its result stays in the session."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.visitor import keep_picture

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]

STEPS = 20
# Whatever is added to the bar is written down: how far it reaches, its last words, whether the page still loads
_WATCH = """
window.seen = [];
new MutationObserver(() => {
  const segment = document.querySelector("ol.bar > li:last-child");
  if (segment && document.querySelectorAll("ol.bar > li").length !== (window.seen.at(-1) || {}).count)
    window.seen.push({
      count: document.querySelectorAll("ol.bar > li").length,
      right: segment.getBoundingClientRect().right,
      text: segment.innerText,
      loads: document.readyState === "loading",
    });
}).observe(document, {childList: true, subtree: true});
"""


def test_the_bar_moves_while_the_page_loads_and_the_report_is_kept(visit: Visit, tmp_path: Path) -> None:
    visitor = visit()
    visitor.context.add_init_script(_WATCH)
    page = visitor.open("/cgi-bin/report.py")
    expect(page.get_by_label("Thousands of numbers")).to_be_focused()
    page.keyboard.press("Enter")
    done = page.get_by_role("link", name="See the report")
    expect(done).to_be_visible()
    keep_picture(page, "report-progress")

    seen = page.evaluate("window.seen")
    during = [one for one in seen if one["loads"]]
    assert len(during) >= 3, seen
    reached = [one["right"] for one in seen]
    assert reached == sorted(set(reached)), seen  # further each time
    assert len({one["text"] for one in during}) == len(during)
    expect(page.locator("ol.bar > li")).to_have_count(STEPS)
    expect(page.locator("ol.bar > li").last).to_contain_text("100 %")

    done.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("The report")
    rows = page.locator("table tr", has=page.locator("td"))
    expect(rows).to_have_count(STEPS)
    keep_picture(page, "report")
    with page.expect_download() as started:
        page.get_by_role("link", name="Download as CSV").click()
    started.value.save_as(tmp_path / "report.csv")
    with open(tmp_path / "report.csv", newline="") as file:
        kept = list(csv.reader(file))[1:]
    assert kept == [
        [cell.replace(",", "") for cell in row.locator("th, td").all_inner_texts()] for row in rows.all()
    ]


def test_a_job_is_not_done_again_by_a_reload(visit: Visit) -> None:
    page = visit(java_script_enabled=False).open("/cgi-bin/report.py")  # and it needs no script
    page.get_by_label("Thousands of numbers").fill("2")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="See the report")).to_be_visible()
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("The report")
    expect(page.get_by_text(re.compile("Of the numbers up to 2,000"))).to_be_visible()
