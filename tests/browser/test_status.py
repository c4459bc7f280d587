"""The status page in a browser with 500 live sessions: it shows them all, live, and stays quick."""

from __future__ import annotations

import os
import re
import signal
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import Visit
from tests.browser.contrast import faint
from tests.browser.looks import lightness, scrolls_sideways, wider
from tests.browser.site import ARTIFACTS
from tests.browser.visitor import Visitor
from tests.browser.watched import MANY, WatchedSite

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium", "gcc")]
PAGE = "/server-status"
FEW = f"{PAGE}?rows=20"  # where the number of rows does not matter
PATIENCE = 60_000.0  # milliseconds for a page of hundreds of rows, drawn without a graphics card
DESKTOP = {"viewport": {"width": 1440, "height": 900}}
SMALL_PHONE = {"viewport": {"width": 360, "height": 740}}
SEEN = """(hidden) => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, built: None) -> Iterator[WatchedSite]:
    """A gateway with 500 sessions, each with a process of its own."""
    site = WatchedSite(tmp_path_factory.mktemp("many"))
    site.start()
    site.begin_many()
    yield site
    site.stop()


def look(visitor: Visitor, path: str = PAGE) -> Page:
    """A new tab on the status page."""
    visitor.context.set_default_navigation_timeout(PATIENCE)
    return visitor.open(path)


def rows(page: Page) -> Locator:
    return page.locator("#sessions tbody tr")


def live(page: Page) -> Page:
    """Wait for the first event."""
    expect(page.locator("#live")).to_have_text("live")
    return page


def cells(page: Page, place: int) -> list[str]:
    """A column of the sessions, from the top."""
    texts: list[str] = rows(page).evaluate_all(
        "(all, place) => all.map((tr) => tr.cells[place].textContent)", place
    )
    return texts


def column(page: Page, heading: str) -> int:
    """The place of a column."""
    headings: list[str] = page.locator("#sessions th").evaluate_all(
        "all => all.map((th) => th.textContent.trim())"
    )
    return headings.index(heading)


def picture(page: Page, name: str) -> None:
    """As keep_picture, without the style that hides a caret: the page's policy allows its own only."""
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"{name}.png", caret="initial")


def test_all_of_500_sessions_are_there_and_stay_current_without_a_request(
    visit: Visit, site: WatchedSite
) -> None:
    page = live(look(visit(**DESKTOP)))
    expect(rows(page)).to_have_count(MANY)
    expect(page.locator("#living")).to_have_text(str(MANY))
    page.evaluate("() => { window.same = true }")

    url = site.begin("/cgi-bin/counter.py")
    expect(rows(page)).to_have_count(MANY + 1)
    row = rows(page).filter(has_text="counter.py")
    expect(row).to_have_count(1)
    expect(row.locator("td").nth(column(page, "Requests"))).to_have_text("1")
    site.call(url)
    expect(row.locator("td").nth(column(page, "Requests"))).to_have_text("2")
    page.get_by_label("Find").fill("counter.py")
    expect(rows(page)).to_have_count(1)
    row.scroll_into_view_if_needed()  # what is not seen is not counted
    idle = row.locator("td").nth(column(page, "Idle"))
    before = idle.inner_text()
    expect(idle).not_to_have_text(before)  # counted in the page itself

    os.kill(int(row.locator("td").nth(column(page, "Pid")).inner_text()), signal.SIGKILL)
    expect(row).to_have_count(0)
    over = page.locator("#recent tbody tr").first
    expect(over).to_contain_text("counter.py")
    expect(over).to_contain_text("HTS007")
    assert page.evaluate("() => window.same")  # the same document all the time


def test_no_whole_handle_is_anywhere_in_the_page(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP)))
    text = page.content()
    assert not [url for url in site.urls if url.rpartition("/")[2] in text]


def test_the_document_does_not_grow_while_events_come(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP)))
    expect(rows(page)).to_have_count(MANY)
    nodes = page.evaluate("() => document.querySelectorAll('*').length")
    for _ in range(3):  # three charts and more than ten changes
        charts_change(page)
    assert abs(page.evaluate("() => document.querySelectorAll('*').length") - nodes) < 100  # nothing piles up


def charts_change(page: Page) -> None:
    """Wait until the pictures are replaced by newer ones."""
    chart = page.locator("[data-chart=sessions] svg")
    before = chart.get_attribute("data-end")
    assert before is not None
    expect(chart).not_to_have_attribute("data-end", before)


def test_headings_sort_at_once_by_click_and_by_keyboard(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP)))
    heading = page.locator("#sessions th", has_text="Pid")
    heading.locator("a").focus()
    page.keyboard.press("Enter")
    expect(heading).to_have_attribute("aria-sort", "ascending")
    pids = [int(text) for text in cells(page, column(page, "Pid"))]
    assert pids == sorted(pids) and len(pids) == MANY
    heading.locator("a").click()
    expect(heading).to_have_attribute("aria-sort", "descending")
    assert [int(text) for text in cells(page, column(page, "Pid"))] == pids[::-1]
    assert "sort=pid&order=desc" in page.url
    page.reload()  # the same order again, from the server
    expect(page.locator("#sessions th[aria-sort]")).to_have_text("Pid")
    live(page)
    assert [int(text) for text in cells(page, column(page, "Pid"))] == pids[::-1]


def test_the_filter_works_while_one_types(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP)))
    pid = cells(page, column(page, "Pid"))[MANY // 2]
    page.get_by_label("Find").press_sequentially(pid)
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#shown")).to_have_text(f"1 of {MANY} shown")
    assert f"find={pid}" in page.url
    page.get_by_label("State").select_option("busy")
    expect(rows(page)).to_have_count(0)
    page.get_by_label("State").select_option("")
    page.get_by_label("Find").fill("")
    expect(rows(page)).to_have_count(MANY)


def test_without_javascript_it_is_a_plain_table_with_links_and_a_form(visit: Visit, site: WatchedSite) -> None:
    page = look(visit(**DESKTOP, java_script_enabled=False))
    expect(rows(page)).to_have_count(MANY)
    expect(page.locator("[data-chart] svg")).to_have_count(6)
    page.locator("#sessions th a", has_text="Pid").click()
    expect(page.locator("#sessions th[aria-sort=ascending]")).to_have_text("Pid")
    first = rows(page).first.locator("td")
    place = [text.strip() for text in page.locator("#sessions th").all_inner_texts()].index("Pid")
    pid = int(first.nth(place).inner_text())
    page.locator("#sessions th a", has_text="Pid").click()
    expect(page.locator("#sessions th[aria-sort=descending]")).to_have_text("Pid")
    assert int(first.nth(place).inner_text()) > pid
    page.get_by_label("Find").fill(str(pid))
    page.get_by_role("button", name="Show").click()
    expect(rows(page)).to_have_count(1)
    expect(page.locator("#sessions th[aria-sort=descending]")).to_have_text("Pid")  # kept
    page.get_by_role("link", name="24 hours").click()
    expect(page.locator("nav [aria-current]")).to_have_text("24 hours")
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role("button", name="Pause")).to_have_count(0)
    picture(page, "status-plain")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_by_day_and_by_night(visit: Visit, site: WatchedSite, scheme: str) -> None:
    page = live(look(visit(**DESKTOP, color_scheme=scheme), f"{PAGE}?rows=40"))
    assert (lightness(page) > 0.5) is (scheme == "light")
    assert faint(page) == {}
    picture(page, f"status-{scheme}")
    rows(page).first.get_by_role("link", name=re.compile("^End")).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert faint(page) == {}


@pytest.mark.parametrize("script", [True, False])
def test_a_phone_shows_cards_and_never_scrolls_sideways(visit: Visit, site: WatchedSite, script: bool) -> None:
    page = look(visit(**SMALL_PHONE, color_scheme="dark", java_script_enabled=script))
    expect(rows(page)).to_have_count(MANY)
    if not script:
        end = rows(page).first.get_by_role("link", name=re.compile("^End"))
        box = end.bounding_box()
        assert box is not None and box["x"] + box["width"] <= 360
        return
    live(page)
    rows(page).nth(3).scroll_into_view_if_needed()
    picture(page, "status-phone")
    assert not scrolls_sideways(page), wider(page)
    rows(page).nth(3).get_by_role("link", name=re.compile("^Extend")).click()
    expect(page.get_by_role("dialog")).to_be_visible()
    assert not scrolls_sideways(page), wider(page)


@pytest.mark.parametrize("script", [True, False])
def test_a_phone_sorts_too(visit: Visit, site: WatchedSite, script: bool) -> None:
    page = look(visit(**SMALL_PHONE, java_script_enabled=script), f"{PAGE}?rows=20")
    if script:
        live(page)
    expect(page.get_by_text("Actions")).not_to_be_visible()
    for order in ("ascending", "descending"):
        page.locator("#sessions th a", has_text="Pid").click()
        expect(page.locator(f"#sessions th[aria-sort={order}]")).to_have_text("Pid")
        pids = [int(text) for text in cells(page, column(page, "Pid"))]
        assert pids == sorted(pids, reverse=order == "descending") and len(pids) == 20
    picture(page, f"status-phone-sorted-{'live' if script else 'plain'}")


def test_no_heading_number_or_time_is_cut_off_nor_a_button(visit: Visit, site: WatchedSite) -> None:
    site.begin("/cgi-bin/counter.py")
    page = live(look(visit(**DESKTOP), FEW))
    page.get_by_label("Find").fill("counter.py")
    os.kill(int(rows(page).locator("td").nth(column(page, "Pid")).inner_text()), signal.SIGKILL)
    expect(page.locator("#recent tbody tr").first).to_contain_text("HTS007")
    page.get_by_label("Find").fill("")
    page.locator("#of-instances summary").click()
    cut: list[str] = page.locator("thead th:not(.act), td.clock, td.number, td.size, td.span").evaluate_all(
        "all => all.filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.textContent)"
    )
    assert cut == []
    for left in (0, 9999):
        page.locator(".box").first.evaluate("(box, left) => { box.scrollLeft = left }", left)
        row, end = rows(page).first, rows(page).first.get_by_role("link", name=re.compile("^End"))
        boxes = [
            one.bounding_box() for one in (page.locator("#sessions th.act"), row.locator("td.act"), end, row)
        ]
        heading, cell, link, whole = [(box["x"], box["x"] + box["width"]) for box in boxes if box]
        assert heading == cell
        assert link[1] <= cell[1] <= whole[1] + 1  # what is outside of its row is not painted


def test_charts_show_and_tell_the_value_under_pointer_and_keyboard(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP), FEW))
    sessions = page.locator("[data-chart=sessions]")
    expect(sessions.get_by_role("img", name="Live sessions, last 10 minutes")).to_be_visible()
    value = sessions.locator(".value")
    expect(value).to_have_text(re.compile(r"^now: \d+$"))
    sessions.focus()
    page.keyboard.press("ArrowLeft")
    expect(value).to_have_text(re.compile(r"^\d\d:\d\d:\d\d: \d+$"))
    charts_change(page)
    expect(value).to_have_text(re.compile(r"^\d\d:\d\d:\d\d: \d+$"))  # still told, of the newer picture
    sessions.blur()
    expect(value).to_have_text(re.compile("^now: "))
    box = sessions.locator("svg").bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 0.95 * box["width"], box["y"] + 20)
    expect(value).to_have_text(re.compile(r"^\d\d:\d\d:\d\d: "))
    site.urls[0] = site.call(site.urls[0])
    for name in ("p50", "p95", "p99"):
        line = page.locator(f"[data-chart=program] path[data-name={name}]")
        expect(line).to_have_attribute("data-values", re.compile(r"\d"))


def test_limits_are_meters_with_a_text(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP), FEW))
    meter = page.get_by_role("meter", name="MaxPersistentCGI")
    expect(meter).to_have_attribute("max", "600")
    expect(meter).to_have_js_property("value", MANY)
    expect(page.locator("[data-limit=MaxPersistentCGI] dd")).to_contain_text(f"{MANY} of 600")


def test_it_pauses_and_catches_up(visit: Visit, site: WatchedSite) -> None:
    visitor = visit(**DESKTOP)
    page = live(look(visitor, FEW))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#live")).to_have_text("paused")
    site.begin("/cgi-bin/counter.py")
    other = live(look(visitor, FEW))
    expect(other.locator("#living")).to_have_text(str(MANY + 1))
    expect(page.locator("#living")).to_have_text(str(MANY))
    page.get_by_role("button", name="Resume").click()
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#living")).to_have_text(str(MANY + 1))
    page.get_by_label("Find").fill("counter.py")
    pid = int(rows(page).locator("td").nth(column(page, "Pid")).inner_text())
    os.kill(pid, signal.SIGTERM)
    expect(page.locator("#living")).to_have_text(str(MANY))


def test_it_rests_while_its_tab_is_hidden(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP), FEW))
    with page.expect_event("requestfailed", lambda request: "?events" in request.url):
        page.evaluate(SEEN, True)
    with page.expect_request(lambda request: "?events" in request.url):
        page.evaluate(SEEN, False)
    charts_change(live(page))


def test_after_a_reload_of_the_gateway_it_is_live_again_by_itself(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP)))
    front = page.locator("[data-fact='front.pid']")
    before = front.inner_text()
    site.reload()
    expect(front).not_to_have_text(before)
    expect(page.locator("#live")).to_have_text("live")
    expect(rows(page)).to_have_count(MANY)
    charts_change(page)


def test_after_a_front_that_died_it_is_live_again_by_itself(visit: Visit, site: WatchedSite) -> None:
    page = live(look(visit(**DESKTOP), FEW))
    front = page.locator("[data-fact='front.pid']")
    before = front.inner_text()
    site.kill_front()
    expect(front).not_to_have_text(before)
    expect(page.locator("#live")).to_have_text("live")
    expect(page.locator("#living")).to_have_text(str(MANY))
