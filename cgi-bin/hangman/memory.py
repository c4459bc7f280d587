#!/usr/bin/env python3
"""Hangman whose state lives in a variable of a process that waits for the next move: persistent CGI.

Each move gets a new handle (H5): the older pages of the game are out of date, and the gateway says so to
whoever goes back to one. A page that is only fetched again keeps its handle.
"""

import os

from common.page import answer, button, keep, own_handle, own_path
from game.play import Place, play
from game.rules import State

state: State | None = None  # this is all the storage there is


class Memory(Place):
    title = "Hangman in memory"
    about = (
        "The word, your guesses and your score are a variable of a process that waits for your next move: "
        "nothing is stored and nothing restored. "
        "The game ends with the session, some minutes after your last move at the latest. "
        "A cheat sees only a handle in the address, can change nothing by it, "
        "and finds older pages out of date."
    )

    def __init__(self) -> None:
        super().__init__()
        self.handle = own_handle()

    def load(self) -> State | None:
        return state

    def save(self, new: State) -> None:
        global state
        state, self.handle = new, os.environ["HTSESSION_NEXT_HANDLE"]

    def action(self, state: State) -> str:
        return own_path(self.handle)

    def head(self) -> tuple[str, ...]:
        return keep(self.handle)

    def extras(self, state: State) -> str:
        return button(own_path(self.handle), "End this session", [("do", "end")])


def end() -> None:
    """A page without Accept-HTSession: the session is over, and the process with it (H8)."""
    again = f'<a href="{own_path()}">Start another</a>'
    answer(
        "The session has ended",
        f'<p>Its process is gone, and the game with it.</p><nav>{again} <a href="/">All programs</a></nav>',
    )


if __name__ == "__main__":
    place = Memory()
    if state and place.form.get("do") == "end":
        end()
    else:
        play(place)
