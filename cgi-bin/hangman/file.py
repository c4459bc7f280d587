#!/usr/bin/env python3
"""Hangman whose state lives in a file on the server, one for each visitor; a cookie has its name.

A one-shot program. From reading the file to replacing it a lock is held: of two requests that come at once the
second sees what the first one did.
"""

import secrets
from contextlib import AbstractContextManager, nullcontext

from game import cookies, files
from game.play import Place, Refused, play
from game.rules import State
from game.words import from_text, to_text

NAME = "hangman-file"


class File(Place):
    title = "Hangman in a file"
    about = (
        "The word, your guesses and your score are in a file on the server, which a random number in a cookie "
        "names; the game survives a restart, and is cleaned up when nobody came for 30 days. "
        "The server has to lock the file while you move, and to replace it as a whole. "
        "A cheat sees a number that says nothing, and could only guess another player's: one of 2 to the "
        "power of 128."
    )

    def __init__(self) -> None:
        super().__init__()
        self.asked = cookies.read(NAME)
        self.name = self.asked if self.asked and files.NAME.fullmatch(self.asked) else None
        self.cookie, self.expired = "", False

    def locked(self) -> AbstractContextManager[None]:
        return files.locked(self.name) if self.name else nullcontext()

    def load(self) -> State | None:
        if self.asked and not self.name:
            raise Refused("The cookie is not the name of a game. Here is a new one.")
        if not self.name:
            return None
        name, self.name = self.name, None  # until there is a game in it: no name is taken from a visitor
        text = files.read(name)
        if text is None:
            self.expired = True
            return None
        try:
            state = from_text(text)
        except ValueError as error:
            broken = "The file of your game cannot be read. Here is a new one."
            raise Refused(broken, "500 Internal Server Error") from error
        self.name = name
        return state

    def save(self, state: State) -> None:
        if not self.name:
            self.name = secrets.token_hex(16)
            files.clean(self.name)
        files.write(self.name, to_text(state))
        self.cookie = cookies.line(NAME, self.name)

    def head(self) -> tuple[str, ...]:
        return (self.cookie,) if self.cookie else ()

    def note(self) -> str:
        return "Your game may have expired. Here is a new one." if self.expired else super().note()


if __name__ == "__main__":
    play(File())
