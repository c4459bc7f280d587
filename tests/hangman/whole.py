"""A game as a visitor plays it, the same for every program: where its state lives makes no difference."""

from __future__ import annotations

import re
from collections.abc import Callable
from html import unescape

from tests.blackbox.harness import Gateway
from tests.hangman.player import WORDS, Player

READABLE = {"hidden", "cookie", "uri", "signed"}


def whole_games(site: Gateway, program: str, peek: Callable[[Player], str] | None = None) -> None:
    """Play a game by letters and one by a wrong word; look at page, score and notes as they go.

    `peek` tells the word where a request costs much: then not every page is looked at.
    """
    player = Player(site, program)
    assert (player.score, player.misses, player.tried) == (("0", "0", "–"), 0, set())
    assert set(player.shown) == {"_"}
    check_page(player)
    check_guesses_that_do_not_count(player)

    word = known(player, peek(player)) if peek else player.solve()
    won, wrong = int(player.misses < 6), player.misses
    assert word in WORDS and player.score == ("1", str(won), f"{wrong:.2f}")
    assert player.note == (f"You won: the word is {word}." if won else f"You lost: the word was {word}.")
    # the word is secret where it should be, and readable where the page says so
    assert (word in player.seen) == (program in READABLE)
    assert ("reads the word" in unescape(player.text)) == (program in READABLE)

    player.does("another")
    assert (player.misses, player.tried, set(player.shown)) == (0, set(), {"_"})
    player.guess("q" * len(player.shown))
    assert (player.note, player.misses) == (f"You lost: the word was {player.shown}.", 6)
    assert player.score == ("2", str(won), f"{(wrong + 6) / 2:.2f}")
    player.does("clear")
    assert player.score == ("0", "0", "–") and player.is_over
    if program == "memory":
        player.does("end")


def known(player: Player, word: str) -> str:
    """Play on by the letters of the word; the word."""
    *letters, last = sorted(set(word) - {"e"})
    for letter in letters:
        assert player.fetch("POST", player.form().action, f"guess={letter}".encode()).status == 303
    assert not player.press(last).misses or "e" not in word
    return player.shown


def check_page(player: Player) -> None:
    """It explains itself, the drawing has a text, it is not for caches."""
    found = re.search(r"<h2>Where the state lives</h2>\s*<p>(.*?)</p>", player.text, re.S)
    assert found
    sentences = re.split(r"(?<=\.) ", unescape(found[1]))
    assert len(sentences) == 3
    assert sentences[0].startswith("The word, your guesses and your score are ")
    assert sentences[2].startswith("A cheat ")
    assert re.search(r'<svg [^>]*role="img"[^>]*><title id="gallows">Gallows, 0 of 6 ', player.text)
    assert player.answer.header("cache-control") == "no-store"
    assert player.answer.header("referrer-policy") == "same-origin"
    assert "default-src 'none'" in str(player.answer.header("content-security-policy"))


def check_guesses_that_do_not_count(player: Player) -> None:
    """A repeated or invalid guess costs nothing and says so; to fetch the page again repeats nothing."""
    player.guess("E")
    before = player.misses, player.shown, player.tried, player.score
    assert player.tried == {"e"}
    for text, note in {
        " e ": "You have tried e already. It costs nothing.",
        "<b>&\"'\0\x1b": "It costs nothing.",
    }.items():
        player.guess(text)
        assert player.answer.status == 200 and note in player.note, player.note
        assert (player.misses, player.shown, player.tried, player.score) == before
        assert "<b>" not in player.text
    if "hidden fields" not in player.text:
        player.go(player.form().action)
        assert (player.misses, player.shown, player.tried, player.score) == before
