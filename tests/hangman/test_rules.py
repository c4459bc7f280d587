"""The rules, and a state as text: pure, with hypothesis."""

from __future__ import annotations

import importlib
import string
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hangman.player import HANGMAN, WORDS

sys.path.insert(0, str(HANGMAN))
rules: Any = importlib.import_module("game.rules")
words: Any = importlib.import_module("game.words")
gallows: Any = importlib.import_module("game.gallows")

MOVES = st.lists(
    st.one_of(st.sampled_from(string.ascii_lowercase), st.sampled_from(WORDS), st.text(max_size=8))
    | st.sampled_from(["ANOTHER", "CLEAR"]),
    max_size=60,
)


def test_the_words_are_ones_that_can_be_guessed() -> None:
    assert len(set(WORDS)) == len(WORDS) >= 250
    assert all(rules.WORD.fullmatch(word) for word in WORDS)
    assert {words.new_word() for _ in range(50)} <= set(WORDS)


@given(st.sampled_from(WORDS), MOVES)
def test_any_moves_keep_the_rules_and_survive_as_text(word: str, moves: list[str]) -> None:
    state = rules.State(word)
    for move in moves:
        before, note = state, ""
        if move == "ANOTHER":
            state = rules.another(state, "banana")
        elif move == "CLEAR":
            state = rules.clear(state)
        else:
            state, note = rules.guess(state, move)
            assert (state == before) == bool(note)
            assert state.misses >= before.misses
            assert state.played - before.played == (state.is_over and not before.is_over)
        assert 0 <= state.misses <= rules.WRONG
        assert not (state.is_won and state.misses == rules.WRONG)
        assert 0 <= state.won <= state.played and 0 <= (state.average or 0) <= rules.WRONG
        assert ("_" in state.shown) == (not state.is_over)
        text = words.to_text(state)
        assert words.from_text(text) == state
        assert len(text) < 200 and set(text) <= set(string.ascii_letters + string.digits + "=&")
        assert gallows.drawing(state.misses).count("<path") >= 2


@given(st.sampled_from(WORDS))
def test_all_letters_of_a_word_win_and_six_others_lose(word: str) -> None:
    state = lost = rules.State(word)
    for letter in sorted(set(word)):
        assert not state.is_over
        state, _ = rules.guess(state, letter)
    assert state.is_won and state.average == 0
    for letter in sorted(set(string.ascii_lowercase) - set(word))[:6]:
        assert not lost.is_over
        lost, _ = rules.guess(lost, letter)
    assert lost.is_over and not lost.is_won and (lost.played, lost.won, lost.average) == (1, 0, 6)


@pytest.mark.parametrize("text", ["", " ", "7", "é", "ab", "e!", "\0", "bananas", "<b>", "ſ"])
def test_an_invalid_guess_costs_nothing_and_says_so(text: str) -> None:
    state = rules.State("banana")
    after, note = rules.guess(state, text)
    assert after == state and note.startswith("Expected a letter from a to z, or a word of 6 letters; found ")
    assert note.endswith("It costs nothing.")


def test_a_guess_in_a_game_that_is_over_changes_nothing() -> None:
    lost, _ = rules.guess(rules.State("banana"), "orange")
    assert rules.guess(lost, "b") == (lost, "This game is over: begin another.")


GOOD = "word=banana&tried=ae&called=&played=3&won=1&wrong=9"


@given(st.text(max_size=80) | st.text("abcdeworntilpyg=&0123456789_%+;", max_size=80))
def test_what_is_no_state_is_refused(text: str) -> None:
    with pytest.raises(ValueError):
        words.from_text(text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("banana", "ba"), ("banana", "b4n4n4"), ("banana", "a" * 21), ("banana", "BANANA"),
        ("word=banana&", ""), ("tried=ae", "tried=aa"), ("tried=ae", "tried=a%20"),
        ("tried=ae", "tried=cdefghi"), ("called=", "called=apple"), ("played=3", "played=-3"),
        ("played=3", "played=3x"), ("played=3", "played="), ("played=3", "played=0"),
        ("played=3", "played=9999999999"), ("played=3", "played=٣"), ("won=1", "won=4"),
        ("wrong=9", "wrong=19"), ("wrong=9", "wrong=9&more=1"), ("wrong=9", "wrong=9&word=apple"),
    ],
)  # fmt: skip
def test_a_state_that_no_game_can_have_is_refused(old: str, new: str) -> None:
    assert words.from_text(GOOD).wrong == 9 and old in GOOD
    with pytest.raises(ValueError):
        words.from_text(GOOD.replace(old, new))
