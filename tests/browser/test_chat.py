"""The chat room: what one browser types appears in another, where nobody clicks."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import keep_picture

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]


def enter(page: Page, name: str) -> None:
    page.get_by_label("Your name in the room").fill(name)
    page.keyboard.press("Enter")
    expect(page.get_by_text("Here are:")).to_contain_text(name)


def say(page: Page, name: str, text: str) -> None:
    page.get_by_role("link", name="Say something").click()
    expect(page.get_by_label(f"{name} says")).to_be_focused()
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.get_by_role("listitem").last).to_contain_text(text)


def test_a_message_typed_in_one_browser_appears_in_another_without_a_click(visit: Visit) -> None:
    ada, bob = visit().open("/cgi-bin/chat.py"), visit().open("/cgi-bin/chat.py")
    enter(ada, "Ada")
    enter(bob, "Bob")
    say(ada, "Ada", "Hello <b>Bob</b> & all")
    expect(bob.get_by_role("listitem").last).to_contain_text("Ada Hello <b>Bob</b> & all")
    say(bob, "Bob", "Hello Ada")
    expect(ada.get_by_role("listitem").last).to_contain_text("Bob Hello Ada")
    keep_picture(ada, "chat")
    ada.get_by_role("button", name="Leave").click()
    expect(ada.get_by_text("You have left.")).to_be_visible()
    expect(bob.get_by_role("listitem").last).to_contain_text("Ada left")
    expect(bob.get_by_text("Here are:")).to_have_text("Here are: Bob.")
    bob.get_by_role("button", name="Leave").click()
    expect(bob.get_by_text("You have left.")).to_be_visible()


def test_what_is_being_typed_is_not_lost_by_a_refresh(visit: Visit) -> None:
    ada, bob = visit().open("/cgi-bin/chat.py"), visit().open("/cgi-bin/chat.py")
    enter(ada, "Ada")
    enter(bob, "Bob")
    ada.get_by_role("link", name="Say something").click()
    ada.get_by_label("Ada says").fill("half a sent")
    with bob.expect_navigation():
        pass  # Bob's page has looked again by itself; Ada's must not
    expect(ada.get_by_label("Ada says")).to_have_value("half a sent")
