"""The rules of hangman, and nothing else: no page, no file. A state is a value; a move makes another."""

import re
from collections.abc import Mapping
from typing import NamedTuple

WRONG = 6  # so many wrong guesses lose
WORD = re.compile(r"[a-z]{3,20}")


class State(NamedTuple):
    """A game, and the player's score of the games that are over, this one included when it is."""

    word: str
    tried: str = ""  # the letters, in the order of the guesses
    called: str = ""  # the whole word that was guessed, right or wrong
    played: int = 0
    won: int = 0
    wrong: int = 0  # the wrong guesses of all these games; a game that is lost counts WRONG

    @property
    def misses(self) -> int:
        """The wrong guesses of this game; a wrong word counts like all of them."""
        return WRONG if self.called not in ("", self.word) else sum(x not in self.word for x in self.tried)

    @property
    def is_won(self) -> bool:
        return self.called == self.word or (not self.called and set(self.word) <= set(self.tried))

    @property
    def is_over(self) -> bool:
        return self.is_won or self.misses >= WRONG

    @property
    def shown(self) -> str:
        """The word as far as it is known, `_` for each letter that is not."""
        return "".join(x if x in self.tried or self.is_over else "_" for x in self.word)

    @property
    def average(self) -> float | None:
        """Wrong guesses for each game, from 0 to WRONG; None before the first game is over."""
        return self.wrong / self.played if self.played else None


def guess(state: State, text: str) -> tuple[State, str]:
    """The state after a guess, a letter or the whole word, and why it did not count ("" if it did)."""
    said, length = text.strip().lower(), len(state.word)
    if state.is_over:
        return state, "This game is over: begin another."
    if not re.fullmatch("[a-z]+", said) or len(said) not in (1, length):
        found = f"“{text.strip()[:40]}”" if said else "nothing"
        return (
            state,
            f"Expected a letter from a to z, or a word of {length} letters; found {found}. It costs nothing.",
        )
    if said in state.tried and len(said) == 1:
        return state, f"You have tried {said} already. It costs nothing."
    if len(said) == 1:
        return _counted(state._replace(tried=state.tried + said)), ""
    return _counted(state._replace(called=said)), ""


def another(state: State, word: str) -> State:
    """A game with another word. A game that was begun and is not over is given up, and counts as lost."""
    if state.tried and not state.is_over:
        state = state._replace(played=state.played + 1, wrong=state.wrong + WRONG)
    return state._replace(word=word, tried="", called="")


def clear(state: State) -> State:
    """The same game with a score of nothing."""
    return state._replace(played=0, won=0, wrong=0)


def _counted(state: State) -> State:
    if not state.is_over:
        return state
    wrong = state.wrong + state.misses
    return state._replace(played=state.played + 1, won=state.won + state.is_won, wrong=wrong)


# ---- a state as text, for places that keep nothing else


def to_fields(state: State) -> dict[str, str]:
    """The state's fields by name."""
    return {name: str(value) for name, value in state._asdict().items()}


def from_fields(texts: Mapping[str, str]) -> State:
    """The state of these fields, no more and no fewer. Raises ValueError for what cannot be one."""
    if set(texts) != set(State._fields):
        raise ValueError("expected the fields of a game")
    numbers = [texts[name] for name in ("played", "won", "wrong")]
    if not all(re.fullmatch("[0-9]{1,9}", number) for number in numbers):
        raise ValueError("expected numbers for the score")
    state = State(texts["word"], texts["tried"], texts["called"], *map(int, numbers))
    _check(state)
    return state


def _check(state: State) -> None:
    if not WORD.fullmatch(state.word):
        raise ValueError("expected a word of 3 to 20 letters")
    if not re.fullmatch("[a-z]*", state.tried) or len(set(state.tried)) < len(state.tried):
        raise ValueError("expected letters, each once")
    if state.called and not (WORD.fullmatch(state.called) and len(state.called) == len(state.word)):
        raise ValueError("expected a guessed word as long as the word")
    if sum(x not in state.word for x in state.tried) > WRONG:
        raise ValueError(f"expected {WRONG} wrong guesses at most")
    if not (state.won <= state.played and state.wrong <= WRONG * state.played):
        raise ValueError("expected a score that can be reached")
