"""One request of a game, from top to bottom. What differs between the programs is their Place."""

import os
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from common.page import CLOSED, answer, form, own_path, redirect
from game import page, rules
from game.rules import State
from game.words import new_word

PRIVATE = (
    "Cache-Control: no-store",
    "Referrer-Policy: same-origin",
)  # a page is good for one look by one person


class Refused(Exception):
    """A state that is not taken: what the visitor is told, and the status of the page, which has a new game."""

    def __init__(self, text: str, status: str = "400 Bad Request") -> None:
        super().__init__(text)
        self.text, self.status = text, status


class Place:
    """Where the state of a game lives between two requests. A program fills in what is different there."""

    title = "Hangman"
    about = ""  # where the state lives, and what a cheat could do
    in_url = False  # the state, or its name, is in the URL: a new game is sent there
    in_page = False  # the state is in the page alone: the answer to a form is the page itself

    def __init__(self) -> None:
        self.posted = os.environ["REQUEST_METHOD"] == "POST"
        self.form = form() if self.posted else {}

    def load(self) -> State | None:
        """The state that this request belongs to; None where there is none yet. Raises Refused."""
        raise NotImplementedError

    def move(self, state: State) -> tuple[State, str]:
        """The state after the move of the form, and why it did not count ("" if it did)."""
        match self.form.get("do"):
            case "another":
                return rules.another(state, new_word()), ""
            case "clear":
                return rules.clear(state), ""
        return rules.guess(state, self.form["guess"]) if "guess" in self.form else (state, "")

    def save(self, state: State) -> None:
        """Keep a state that is new or has changed."""
        raise NotImplementedError

    def locked(self) -> AbstractContextManager[object]:
        """What is held from before load until after save: nobody else changes the state meanwhile."""
        return nullcontext()

    def action(self, state: State) -> str:
        """The path that the forms of the page post to, and that the browser is sent to after a move."""
        return own_path()

    def head(self) -> tuple[str, ...]:
        """Lines for the head of the response, after save."""
        return ()

    def fields(self, state: State) -> Mapping[str, str]:
        """Hidden fields for the forms of the page."""
        return {}

    def extras(self, state: State) -> str:
        """More of the page (HTML)."""
        return ""

    def note(self) -> str:
        """Something that the visitor should know (text), when no move was made."""
        return "There was no game to go on with. Here is a new one." if self.posted else ""

    def query(self) -> str:
        """What stands behind the path where a new game is sent."""
        return ""


def play(place: Place) -> None:
    """Answer a request: load the state, make the move of the form, save, show it.

    After a move the browser is sent to fetch the page (303), so that a reload repeats nothing. A guess that
    does not count is answered by the page at once: nothing has changed.
    """
    status, note = "200 OK", ""
    with place.locked():
        try:
            before = place.load()
        except Refused as refused:
            before, status, note = None, refused.status, refused.text
        if before and place.posted:
            state, note = place.move(before)
        else:
            state, note = before or State(new_word()), note or place.note()
        if state != before:
            place.save(state)
    fresh = before is None and place.in_url
    moved = place.posted and before not in (None, state) and not place.in_page
    if status == "200 OK" and (fresh or moved):
        redirect(place.action(state) + (place.query() if fresh else ""), *place.head(), *PRIVATE)
    else:
        show(place, state, status, note)


def show(place: Place, state: State, status: str, note: str) -> None:
    """Print the page of a state."""
    text = page.body(state, note, place.action(state), place.fields(state), place.about, place.extras(state))
    answer(place.title, text, *place.head(), f"Status: {status}", *PRIVATE, *CLOSED)
