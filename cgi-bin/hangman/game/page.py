"""The page of a game, the same for all places: word, gallows, letters, score, and where the state lives."""

from collections.abc import Mapping
from html import escape
from string import ascii_lowercase

from common.page import button
from game.gallows import drawing
from game.rules import WRONG, State

TIMES = {1: "once", 2: "twice"}


def body(state: State, note: str, action: str, fields: Mapping[str, str], about: str, extras: str) -> str:
    """The page below its heading (HTML): `note` is text for the visitor, `about` text, `extras` HTML."""
    said = " ".join(part for part in (note, news(state)) if part)
    return f"""<p role="status" class="said">{escape(said)}</p>
<div class="hangman">
{drawing(state.misses)}
{word(state)}
</div>
{"" if state.is_over else guesses(state, action, fields)}
{button(action, "Another game", (*fields.items(), ("do", "another")))}
{score(state, action, fields)}
{extras}
<h2>Where the state lives</h2>
<p>{escape(about)}</p>
<nav><a href="/">All programs</a></nav>"""


def news(state: State) -> str:
    """What the last guess did."""
    left = WRONG - state.misses
    if state.is_over:
        return (
            f"You won: the word is {state.word}." if state.is_won else f"You lost: the word was {state.word}."
        )
    if not state.tried:
        return f"A word of {len(state.word)} letters: guess one of them, or the whole word."
    last = state.tried[-1]
    if count := state.word.count(last):
        return f"Yes: {last} occurs {TIMES.get(count, f'{count} times')}."
    return f"No {last}. " + (f"{left} more wrong guesses lose." if left > 1 else "One more wrong guess loses.")


def word(state: State) -> str:
    """The word as far as it is known, for eyes and for ears."""
    spoken = ", ".join(x if x != "_" else "blank" for x in state.shown)
    return (
        f'<p class="word"><span aria-hidden="true">{" ".join(state.shown)}</span>'
        f'<span class="unseen">The word: {spoken}</span></p>'
    )


def guesses(state: State, action: str, fields: Mapping[str, str]) -> str:
    """A button for each letter, and a field for a letter or the word."""
    start = f'<form method="post" action="{escape(action)}"'
    letters = "".join(letter(x, state) for x in ascii_lowercase)
    return f"""{start} class="letters" aria-label="Letters">{hidden(fields)}{letters}</form>
{start}>{hidden(fields)}<label for="guess">A letter or the word</label>
<input id="guess" name="guess" maxlength="20" autocomplete="off" autocapitalize="none"
spellcheck="false" autofocus>
<button>Guess</button></form>
<p><small>A wrong word loses at once. A game that was begun and is given up counts as lost.</small></p>"""


def letter(x: str, state: State) -> str:
    """The button of a letter, which cannot be pressed twice."""
    if x not in state.tried:
        return f'<button name="guess" value="{x}">{x}</button>'
    done = "right" if x in state.word else "wrong"
    return f'<button name="guess" value="{x}" class="{done}" aria-label="{x}, {done}" disabled>{x}</button>'


def score(state: State, action: str, fields: Mapping[str, str]) -> str:
    """The score, and the button that clears it."""
    average = "–" if state.average is None else f"{state.average:.2f}"
    return f"""<h2>Score</h2>
<dl class="score">
<div><dt>Games played</dt><dd>{state.played}</dd></div>
<div><dt>Won</dt><dd>{state.won}</dd></div>
<div><dt>Wrong guesses a game</dt><dd>{average}</dd></div>
</dl>
{button(action, "Clear scores", (*fields.items(), ("do", "clear")))}"""


def hidden(fields: Mapping[str, str]) -> str:
    """Hidden fields of a form (HTML)."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields.items()
    )
