"""The doctor in a browser: the conversation that everybody knows begins the way that everybody knows."""

from __future__ import annotations

import subprocess

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import keep_picture

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]

CLASSIC = [
    ("Men are all alike.", "In what way?"),
    ("They're always bugging us about something or other.", "Can you think of a specific example?"),
    ("Well, my boyfriend made me come here.", "Your boyfriend made you come here?"),
    ("He says I'm depressed much of the time.", "I am sorry to hear you are depressed."),
]


def say(page: Page, text: str) -> None:
    """Type into the field that has the focus, and Enter."""
    expect(page.get_by_label("Tell the doctor")).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Enter")


def said(page: Page, place: int, text: str) -> None:
    """What stands at this place of the conversation, counted from its end."""
    expect(page.get_by_role("list").get_by_role("listitem").nth(place)).to_contain_text(text)


@pytest.mark.parametrize("name", ["doctor.py", pytest.param("doctor.pl", marks=pytest.mark.needs("perl"))])
def test_the_classic_opening_by_keyboard(visit: Visit, name: str) -> None:
    if name == "doctor.pl" and subprocess.run(["perl", "-MCGI", "-e1"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("not installed here: libcgi-pm-perl")
    page = visit().open(f"/cgi-bin/{name}")
    for number, (question, reply) in enumerate(CLASSIC):
        say(page, question)
        expect(page.get_by_role("listitem")).to_have_count(2 * number + 3)  # the doctor's welcome comes first
        said(page, -2, question)
        said(page, -1, reply)
    keep_picture(page, name)
    say(page, "Goodbye")
    expect(page.get_by_label("Tell the doctor")).to_have_count(0)
    page.get_by_role("link", name="All programs").click()
    expect(page).to_have_url("/")


def test_what_is_said_stays_text_and_a_reload_says_nothing_twice(visit: Visit) -> None:
    page = visit().open("/cgi-bin/doctor.py")
    nasty = "I like <img src=x onerror=alert(1)> & <b>you</b>"
    say(page, nasty)
    expect(page.get_by_role("listitem")).to_have_count(3)
    page.reload()
    expect(page.get_by_role("listitem")).to_have_count(3)
    said(page, -2, nasty)
    assert page.locator("main img, li b + b").count() == 0
