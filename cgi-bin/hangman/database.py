#!/usr/bin/env python3
"""Hangman whose state lives in a row of a database; the row's id, 128 random bits, is in the URL's path.

A one-shot program. The first visit is sent to a path with a fresh id. An id that has no row, expired or
invented, is answered by another fresh id: none is ever taken from a visitor (session fixation).
HANGMAN_DATABASE is the URL of a server, `mysql+pymysql:…` or `postgresql+psycopg:…`; else SQLite has a file.
"""

import os
import re
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape

from sqlalchemy import Connection, Engine, delete, insert, not_, select, update
from sqlalchemy.exc import SQLAlchemyError

from common.page import CLOSED, answer, own_path, query
from game.play import PRIVATE, Place, play
from game.rows import DAYS, LONGEST_NAME, database, games, living
from game.rules import State

COLUMNS = [games.c[name] for name in ("word", "tried", "called", "played", "won", "wrong", "name")]
EXPIRED = f"Your game may have expired: what nobody has played for {DAYS} days is deleted. Here is a new one."
TOP = 10


class Database(Place):
    title = "Hangman in a database"
    about = (
        "The word, your guesses and your score are a row of a database on the server, and a random number in "
        "the address names it; a bookmark keeps the game, until nobody has played it for 30 days. "
        "The row is locked while you move, and nobody but the server sees the word. "
        "A cheat could only guess another player's number, one of 2 to the power of 128; who is given the "
        "address has the game."
    )
    in_url = True

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine = engine
        self.connection: Connection
        self.asked = os.environ.get("PATH_INFO", "").strip("/")
        self.id = ""  # of a row that is there
        self.name = ""  # of the player, as told

    @contextmanager
    def locked(self) -> Iterator[None]:
        with self.engine.begin() as self.connection:
            yield

    def load(self) -> State | None:
        if not re.fullmatch("[0-9a-f]{32}", self.asked):
            return None
        here = select(*COLUMNS).where(games.c.id == self.asked, living(self.engine))
        row = self.connection.execute(here.with_for_update()).one_or_none()
        if row is None:
            return None
        self.id, self.name = self.asked, row.name
        return State(*row[:-1])

    def move(self, state: State) -> tuple[State, str]:
        if self.form.get("do") != "name":
            return super().move(state)
        printable = "".join(x for x in self.form.get("name", "") if x.isprintable())
        self.name = printable.strip()[:LONGEST_NAME]
        self._update({"name": self.name})
        return state, f"Among the winners you are {self.name or 'nameless'}."

    def save(self, state: State) -> None:
        if self.id:
            self._update(state._asdict())
            return
        self.id = secrets.token_hex(16)
        self.connection.execute(delete(games).where(not_(living(self.engine))))
        self.connection.execute(insert(games).values(id=self.id, **state._asdict()))

    def _update(self, values: dict[str, str]) -> None:
        self.connection.execute(update(games).where(games.c.id == self.id).values(values))

    def action(self, state: State) -> str:
        return own_path(self.id)

    def query(self) -> str:
        return "?expired" if self.asked else ""

    def note(self) -> str:
        return EXPIRED if "expired" in query() else ""

    def extras(self, state: State) -> str:
        here = escape(self.action(state))
        return f"""<h2>Winners</h2>
<form method="post" action="{here}"><input type="hidden" name="do" value="name">
<label for="name">Your name among them, if you like</label>
<input id="name" name="name" value="{escape(self.name)}" maxlength="{LONGEST_NAME}">
<button>Be called so</button></form>
<p><a href="{here}?winners">Top winners</a></p>"""


def winners(engine: Engine) -> None:
    """A page of the players who won most; of equals the one with fewer wrong guesses a game comes first."""
    average = games.c.wrong / games.c.played
    best = select(games.c.name, games.c.won, games.c.played, average.label("average"))
    best = best.where(games.c.won > 0, living(engine))
    with engine.connect() as connection:
        rows = connection.execute(best.order_by(games.c.won.desc(), average, games.c.id).limit(TOP)).all()
    lines = "".join(
        f"<tr><td>{escape(row.name) or '<i>nameless</i>'}</td><td>{row.won}</td><td>{row.played}</td>"
        f"<td>{row.average:.2f}</td></tr>\n"
        for row in rows
    )
    head = "".join(f'<th scope="col">{x}</th>' for x in ("Player", "Won", "Played", "Wrong guesses a game"))
    table = f"<table><thead><tr>{head}</tr></thead><tbody>\n{lines}</tbody></table>"
    back = own_path(*filter(None, [os.environ.get("PATH_INFO", "").strip("/")]))
    answer(
        "Top winners",
        f"{table if rows else '<p>Nobody has won yet.</p>'}\n"
        f'<nav><a href="{escape(back)}">Play</a> <a href="/">All programs</a></nav>',
        *PRIVATE,
        *CLOSED,
    )


def unreachable(error: Exception) -> None:
    """The page for visitors; what is wrong is for the error log."""
    print(f"{type(error).__name__}: {error}", file=sys.stderr)
    answer(
        "The database cannot be reached",
        "<p>Your game is not lost: try again in a minute.</p>"
        f'<nav><a href="{escape(own_path())}">Start another</a> <a href="/">All programs</a></nav>',
        "Status: 503 Service Unavailable",
        "Retry-After: 60",
        *PRIVATE,
        *CLOSED,
    )


if __name__ == "__main__":
    try:
        engine = database()
        if "winners" in query() and os.environ["REQUEST_METHOD"] != "POST":
            winners(engine)
        else:
            play(Database(engine))
    except (SQLAlchemyError, ImportError) as error:  # of the driver that the URL asks for
        unreachable(error)
