#!/usr/bin/env python3
"""Hangman whose state lives in the path of its URL (PATH_INFO): the third of the lecture's six places.

A one-shot program. Each move is answered by a redirect to the URL of the state behind it, so that every
position of the game can be bookmarked. For the gateway the segment is path info like any other: no session was
ever issued under it (R3).
"""

import os

from common.page import own_path
from game.play import Place, Refused, play
from game.rules import State
from game.words import from_text, to_text


class Uri(Place):
    title = "Hangman in the URL"
    about = (
        "The word, your guesses and your score are in the address of this page; a bookmark keeps the game, "
        "and the server keeps nothing. "
        "The address is long, and whoever sees it, in the history or in a log, reads the word. "
        "A cheat edits it or goes back to an older one, and as long as it is still a game "
        "nothing can be noticed."
    )
    in_url = True

    def load(self) -> State | None:
        text = os.environ.get("PATH_INFO", "").removeprefix("/")
        try:
            return from_text(text) if text else None
        except ValueError as error:
            raise Refused(f"This address is not a game: {error}. Here is a new one.") from error

    def save(self, state: State) -> None:
        """Nothing: the address is the place."""

    def action(self, state: State) -> str:
        return own_path(to_text(state))


if __name__ == "__main__":
    play(Uri())
