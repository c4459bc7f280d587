#!/usr/bin/env python3
"""Hangman whose state lives in hidden fields of its forms: the first of the lecture's six places.

A one-shot program that keeps nothing: each form brings the whole state along, and the answer takes it back.
"""

from collections.abc import Mapping

from game.play import Place, Refused, play
from game.rules import State, from_fields, to_fields


class Hidden(Place):
    title = "Hangman in hidden fields"
    about = (
        "The word, your guesses and your score are hidden fields of the forms of this page; "
        "the server keeps nothing, and when you close the page the game is gone. "
        "Whoever looks at the page's source reads the word. "
        "A cheat edits the fields, and as long as they still make a game nothing can be noticed."
    )
    in_page = True

    def load(self) -> State | None:
        found = {name: text for name, text in self.form.items() if name not in ("guess", "do")}
        if not found:
            return None
        try:
            return from_fields(found)
        except ValueError as error:
            raise Refused(f"These fields are not a game: {error}. Here is a new one.") from error

    def save(self, state: State) -> None:
        """Nothing: the page is the place."""

    def fields(self, state: State) -> Mapping[str, str]:
        return to_fields(state)


if __name__ == "__main__":
    play(Hidden())
