"""Whole games against all programs but database.py, which has tests of its own: what is the same everywhere."""

from __future__ import annotations

import re

import pytest

from tests.blackbox.harness import Gateway
from tests.hangman.player import PROGRAMS, WORDS, Player
from tests.hangman.whole import whole_games


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name != "database"])
def test_whole_games_are_won_lost_and_counted(site: Gateway, program: str) -> None:
    whole_games(site, program)


def test_six_wrong_letters_lose_and_each_draws_a_part(site: Gateway) -> None:
    player = Player(site, "memory")
    parts = ["head", "body", "left arm", "right arm", "left leg", "right leg"]
    while not player.is_over:
        player.press(player.letters()[-1])
        drawn = re.search(r": ([^:<]*)</title><path", player.text)
        assert drawn and drawn[1] == (", ".join(parts[: player.misses]) or "nobody yet")
    assert player.misses == 6 and player.shown in WORDS
    assert player.score == ("1", "0", "6.00")
    player.does("end")


def test_a_right_whole_word_wins(site: Gateway) -> None:
    player = Player(site, "cookie")
    word = re.findall(r"word=([a-z]+)", player.cookies["hangman-cookie"])[0]
    player.guess(f"  {word.upper()} ")
    assert (player.note, player.misses) == (f"You won: the word is {word}.", 0)
    assert player.score == ("1", "1", "0.00")


def test_a_game_that_was_begun_and_is_given_up_counts_as_lost(site: Gateway) -> None:
    player = Player(site, "memory")
    player.does("another")
    assert player.score[0] == "0"  # nothing was tried: another word for nothing
    player.press("e").does("another")
    assert player.score == ("1", "0", "6.00")
    player.does("end")


@pytest.mark.parametrize("program", [name for name in PROGRAMS if name not in ("hidden", "database")])
def test_a_form_that_is_no_form_does_no_harm(site: Gateway, program: str) -> None:
    player = Player(site, program)
    target = player.form().action
    for body in (b"do=fly", b"%FF%00=%zz&&&=", b"x" * 100_000, b"guess=%00%FF"):
        assert player.fetch("POST", target, body).status == 200, body
    player.go(target)
    assert (player.answer.status, player.misses, player.tried) == (200, 0, set())
