"""The status page in the states of a gateway: draining, with another front, with processes of every kind."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from playwright.sync_api import Page, expect

from tests.blackbox.clients import Gate
from tests.blackbox.commands import Begun, asked
from tests.blackbox.conftest import CHILD_TEXT
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.status import URL, snapshot
from tests.blackbox.warm import PROGRAM
from tests.browser.conftest import Visit

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]
DIRECTIVES = """
MaxPersistentCGI 50
MaxCGIJobs 60
CGIActivationGroup python .py
StartCGI 2
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""
DRAINING = "The gateway is draining"


class Small(Gateway):
    """A gateway with a few sessions; its status page is the built-in one."""

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Small]:
    programs = {"child": CHILD_TEXT, "other": CHILD_TEXT, "shared/child": CHILD_TEXT, "warm.py": PROGRAM}
    site = Small(tmp_path_factory.mktemp("states"), DIRECTIVES, programs)
    site.start()
    yield site
    site.stop()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def live(page: Page) -> Page:
    expect(page.locator("#live")).to_have_text("live")
    return page


def keys(page: Page) -> list[str]:
    """The sessions that are shown, from the top."""
    found: list[str] = page.locator("#sessions tbody tr").evaluate_all("all => all.map((tr) => tr.dataset.key)")
    return found


def by_the_server(site: Small, page: Page) -> list[str]:
    """The same as the server finds by the address that the page has now."""
    query = page.url.partition("?")[2]
    return [one["id"] for one in json.loads(site.get(f"{URL}?json&{query}").text)["sessions"]]


def test_a_gateway_that_drains_says_so_in_a_banner_with_and_without_the_script(
    visit: Visit, site: Small
) -> None:
    Begun(site)
    page = live(visit().open(URL))
    banner = page.get_by_text(DRAINING)
    expect(banner).to_be_hidden()
    asked(site, "drain", on="yes")
    try:
        expect(banner).to_be_visible()
        expect(page.locator("header .state")).to_have_text("draining")
        expect(visit(java_script_enabled=False).open(URL).get_by_text(DRAINING)).to_be_visible()
    finally:
        asked(site, "drain", on="no")
    expect(banner).to_be_hidden()
    expect(page.locator("header .state")).to_have_text("serving")


def test_another_front_that_finishes_its_requests_is_told_until_it_is_gone(
    visit: Visit, site: Small, pool: ThreadPoolExecutor
) -> None:
    begun, gate = Gate(site.folder), Gate(site.folder)
    session = Begun(site)
    answer = pool.submit(session.call, f"count&{begun.touch}&{gate.wait}")
    begun.wait_open()
    site.reload()
    page = live(visit().open(URL))
    banner = page.get_by_text("Another front is at work too")
    expect(banner).to_be_visible()
    gate.open()
    assert answer.result() == 200
    expect(banner).to_be_hidden()
    expect(page.locator("#sessions tbody tr", has_text=str(session.pid))).to_have_count(1)


def test_endings_of_one_place_in_a_shared_instance_are_two_rows(visit: Visit, site: Small) -> None:
    assert site.get("/cgi-bin/shared/child?handle=stays-here&count").status == 200
    page = live(visit().open(URL))
    for name in ("first-guest", "second-guest"):  # each gets the place that the one before has left
        assert site.get(f"/cgi-bin/shared/child?handle={name}&count").status == 200
        assert site.get(f"/cgi-bin/shared/child/{name}").status == 200
        ended = page.locator("#recent tbody tr", has_text=name[:4])
        expect(ended).to_have_count(1)
    expect(page.locator("#recent tbody tr", has_text="firs")).to_have_count(1)
    assert site.get("/cgi-bin/shared/child/stays-here").status == 200


def test_every_kind_of_process_is_shown_as_it_comes_and_goes(
    visit: Visit, site: Small, pool: ThreadPoolExecutor
) -> None:
    page = live(visit(viewport={"width": 1440, "height": 900}).open(URL))
    for name in ("shared-a", "shared-b"):
        assert site.get(f"/cgi-bin/shared/child?handle={name}-handle&count").status == 200
    own = Begun(site)
    page.locator("#of-instances summary").click()
    rows = page.locator("#instances tbody tr")
    shared = rows.filter(has_text="/cgi-bin/shared/child")
    expect(shared).to_have_count(1)  # one process, two sessions
    expect(shared.locator("td").nth(4)).to_have_text("2")
    expect(shared.locator("td").nth(5)).to_have_text("yes")
    expect(rows.filter(has_text=str(own.pid)).locator("td").nth(5)).to_have_text("–")
    sessions = page.locator("#sessions tbody tr", has_text="/cgi-bin/shared/child")
    expect(sessions).to_have_count(2)

    gate = Gate(site.folder)
    oneshot = pool.submit(site.get, f"/cgi-bin/child?echo=1&{gate.wait}")
    alone = page.locator("#oneshots tbody tr")
    expect(alone).to_have_count(1)
    expect(alone).to_contain_text("/cgi-bin/child")
    expect(alone.locator("td").nth(1)).to_have_text("first")
    expect(alone.locator("td").last).to_contain_text(str(site.cgi_bin / "child"))
    gate.open()
    assert oneshot.result().status == 200
    expect(alone).to_have_count(0)
    expect(page.locator("#oneshots-none")).to_be_visible()

    ready = page.locator("#warm tbody tr")
    expect(ready).to_have_count(1)
    expect(ready.locator("td").nth(3)).to_have_text("2")
    expect(ready.locator("td").nth(4)).to_have_text("2")
    os.kill(int(shared.locator("td").first.text_content() or ""), signal.SIGKILL)
    expect(shared).to_have_count(0)
    expect(sessions).to_have_count(0)


def test_a_request_that_waits_is_shown_as_waiting(visit: Visit, site: Small, pool: ThreadPoolExecutor) -> None:
    handles = ("first-of-two-here", "other-of-two-here")
    for name in handles:
        assert site.get(f"/cgi-bin/shared/child?handle={name}&count").status == 200
    page = live(visit(viewport={"width": 1440, "height": 900}).open(URL))
    gate = Gate(site.folder)
    paths = [f"/cgi-bin/shared/child/{name}?handle={name}&count&{gate.wait}" for name in handles]
    first = pool.submit(site.get, paths[0])
    wait_for("the first", lambda: "busy" in [one["state"] for one in snapshot(site)["sessions"]])
    second = pool.submit(site.get, paths[1])
    for name, state in zip(handles, ("busy", "waiting"), strict=True):
        row = page.locator("#sessions tbody tr", has_text=name[:4])
        expect(row.locator("td.state")).to_have_text(state)
    expect(page.locator("[data-fact='queue.session']")).to_have_text("1")
    plain = visit(java_script_enabled=False).open(f"{URL}?state=waiting")
    expect(plain.locator("#sessions tbody tr")).to_have_count(1)
    gate.open()
    assert (first.result().status, second.result().status) == (200, 200)


def test_the_filter_of_the_script_finds_what_the_servers_does(visit: Visit, site: Small) -> None:
    begun = [Begun(site), Begun(site, "other")]
    begun[0].call("count", "/Some/Place")
    words = ("", "other", "CHILD", str(begun[0].pid), begun[1].handle[:4], "some/place", " ", "no such thing")
    page = live(visit().open(URL))
    for word in words:
        for state in ("", "idle", "busy"):
            page.get_by_label("Find").fill(word)
            page.get_by_label("State").select_option(state)
            assert keys(page) == by_the_server(site, page), (word, state)
    page.get_by_label("Find").fill("")
    page.get_by_label("State").select_option("")
    for heading in ("Program", "Session", "Handle", "State", "Requests", "Pid", "Last request"):
        for _ in range(2):
            page.locator("#sessions th", has_text=heading).locator("a").click()
            assert keys(page) == by_the_server(site, page), page.url


def test_refresh_loads_the_page_anew_by_itself_without_a_script(visit: Visit, site: Small) -> None:
    page = visit(java_script_enabled=False).open(f"{URL}?refresh=1&find=child")
    pid = str(Begun(site).pid)
    expect(page.locator("#sessions")).to_contain_text(pid)
    assert page.url.endswith("?refresh=1&find=child")


def test_nothing_moves_for_those_who_do_not_want_it(visit: Visit, site: Small) -> None:
    Begun(site)
    moving = "() => getComputedStyle(document.querySelector('.bar rect')).transitionDuration"
    for wish, seconds in (("reduce", "0s"), ("no-preference", "0.3s")):
        assert visit(reduced_motion=wish).open(URL).evaluate(moving) == seconds


def test_on_paper_are_all_rows_and_nothing_to_press(visit: Visit, site: Small) -> None:
    Begun(site)
    page = live(visit(viewport={"width": 1440, "height": 900}).open(URL))
    page.emulate_media(media="print")
    for name in ("#filter", ".live", "nav", ".foot"):
        expect(page.locator(name).first).to_be_hidden()
    expect(page.locator("#sessions tbody tr").last).to_be_visible()
    high = (
        "() => [...document.querySelectorAll('.box')].every((box) => box.scrollHeight <= box.clientHeight + 1)"
    )
    wide = "() => document.documentElement.scrollWidth <= innerWidth"
    page.set_viewport_size({"width": 1047, "height": 740})  # A4, across
    assert page.evaluate(high) and page.evaluate(wide)
    assert page.pdf(format="A4", landscape=True).startswith(b"%PDF")
