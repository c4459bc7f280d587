"""Whole games of hangman in a browser, by keyboard."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from playwright.sync_api import Page, expect

from tests.blackbox.harness import ROOT
from tests.browser.conftest import Visit
from tests.browser.visitor import PICTURE, keep_picture

pytestmark = [pytest.mark.realworld, pytest.mark.needs("chromium")]

WORDS = (ROOT / "cgi-bin/hangman/game/words.txt").read_text().split()
OVER = re.compile(r"You (won: the word is|lost: the word was) (\w+)\.")


def shown(page: Page) -> str:
    """The word, `_` for what is not known."""
    return page.inner_text(".word [aria-hidden]").replace(" ", "")


def guess(page: Page, text: str) -> str:
    """Type a letter or the word, and Enter; what the page says to it."""
    field = page.get_by_label("A letter or the word")
    expect(field).to_be_focused()
    before = page.url
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    if "/memory.py" in before:  # a page of its own for each move
        expect(page).not_to_have_url(before)
    said = page.get_by_role("status")
    expect(said).to_contain_text(re.compile(rf"\b{text}\b|You "))
    page.wait_for_load_state()  # what follows on the page is there as well
    return said.inner_text()


def best_letter(pattern: str, tried: str) -> str:
    """The letter that most of the words hold that fit what is known."""
    form = re.compile(pattern.replace("_", f"[^{tried}]" if tried else "."))
    fitting = [word for word in WORDS if form.fullmatch(word) and not set(tried) - set(pattern) & set(word)]
    assert fitting, (pattern, tried)
    return Counter(x for word in fitting for x in set(word) - set(tried)).most_common(1)[0][0]


def score(page: Page) -> list[str]:
    """Games played, won, wrong guesses a game."""
    return page.locator("dl.score dd").all_inner_texts()


def test_a_whole_game_by_keyboard_and_another_one(visit: Visit) -> None:
    page = visit(**PICTURE).open("/cgi-bin/hangman/memory.py")
    tried, said = "", ""
    while not OVER.search(said):
        tried += best_letter(shown(page), tried)
        said = guess(page, tried[-1])
        if len(tried) == 3:
            keep_picture(page, "hangman", whole=False)
    ending = OVER.search(said)
    assert ending is not None and ending[2] in WORDS and len(tried) < 26
    won = "won" in ending[1]
    assert score(page)[:2] == ["1", str(int(won))]

    page.get_by_role("button", name="Another game").press("Enter")
    expect(page.get_by_role("status")).to_contain_text("A word of")
    assert "You lost" in guess(page, "x" * len(shown(page)))  # a wrong word loses at once
    assert score(page)[:2] == ["2", str(int(won))]
    page.get_by_role("button", name="End this session").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("The session has ended")


def test_an_older_page_of_a_game_is_out_of_date(visit: Visit) -> None:
    page = visit().open("/cgi-bin/hangman/memory.py")
    for letter in "eat":
        guess(page, letter)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_contain_text("This page is out of date")


def test_a_game_in_a_cookie_survives_closing_the_page_and_the_browser(visit: Visit) -> None:
    visitor = visit()
    page = visitor.open("/cgi-bin/hangman/cookie.py")
    guess(page, "e")
    guess(page, "a")
    word = shown(page)
    page.close()
    page = visitor.open("/cgi-bin/hangman/cookie.py")
    assert shown(page) == word
    lasting = [cookie for cookie in visitor.context.cookies() if cookie["expires"] > 0]
    page = visit(storage_state={"cookies": lasting, "origins": []}).open("/cgi-bin/hangman/cookie.py")
    assert shown(page) == word
    expect(page.get_by_role("button", name=re.compile("^e, (right|wrong)$"))).to_be_disabled()
    page = visit().open("/cgi-bin/hangman/cookie.py")  # another browser has another game
    expect(page.get_by_role("button", name="e", exact=True)).to_be_enabled()
