"""database.py on SQLite, and the same on a real MariaDB and a real PostgreSQL."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import pytest
import sqlalchemy
from sqlalchemy import text

from tests.blackbox.harness import ROOT, Answer, Gateway
from tests.blackbox.markup import Markup
from tests.databases import folder_for_servers, mariadb, postgresql
from tests.hangman.conftest import Serve
from tests.hangman.player import Player
from tests.hangman.whole import whole_games

SERVERS = {"mariadb": mariadb, "postgresql": postgresql}
ID = re.compile("/programs/hangman/database.py/([0-9a-f]{32})")
AGO = {  # a time so many days ago
    "sqlite": "datetime('now', '-{} days')",
    "mysql": "CURRENT_TIMESTAMP - INTERVAL {} DAY",
    "postgresql": "CURRENT_TIMESTAMP - INTERVAL '{} days'",
}
EXPIRED = "Your game may have expired: what nobody has played for 30 days is deleted. Here is a new one."


class Served(NamedTuple):
    """A gateway, and the database of its program, reached without it."""

    site: Gateway
    engine: sqlalchemy.Engine

    def sql(self, statement: str, **values: object) -> Any:
        """Run a statement; the rows of a query."""
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), values)
            return result.all() if result.returns_rows else None

    def row(self, name: str) -> Any:
        """The row of a game."""
        return self.sql("SELECT * FROM hangman WHERE id = :id", id=name)[0]

    def age(self, name: str, days: int) -> None:
        """Set `modified` as if nobody had played for so many days."""
        ago = AGO[self.engine.dialect.name].format(days)
        self.sql(f"UPDATE hangman SET modified = {ago} WHERE id = :id", id=name)


@pytest.fixture(
    scope="module",
    params=["sqlite", *(pytest.param(server, marks=pytest.mark.realworld) for server in SERVERS)],
)
def served(
    serve: Serve, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Served]:
    with ExitStack() as stack:
        options: dict[str, object] = {}
        if request.param == "sqlite":
            url, options = f"sqlite:///{tmp_path_factory.mktemp('sqlite')}/games.sqlite", {"timeout": 30}
        else:
            folder = stack.enter_context(folder_for_servers())
            url = stack.enter_context(SERVERS[request.param](folder))
        engine = sqlalchemy.create_engine(url, connect_args=options)
        yield Served(serve(f'SetEnv HANGMAN_DATABASE "{url}"'), engine)
        engine.dispose()


PROGRAM = "/programs/hangman/database.py"


def named(path: str | None) -> str:
    """The id in a URL."""
    found = ID.fullmatch((path or "").removesuffix("?expired"))
    assert found, path
    return found[1]


def issued(served: Served, path: str = PROGRAM) -> str:
    """The id that a first visit is sent to; a request takes a third of a second of a processor."""
    answer = served.site.get(path)
    assert answer.status == 303, answer
    return named(answer.header("location"))


def post(served: Served, name: str, /, **fields: str) -> Answer:
    """Post a form of a game; what it answers at once."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return served.site.request("POST", f"{PROGRAM}/{name}", urlencode(fields).encode(), kind)


def test_first_requests_that_come_at_once_make_one_table(served: Served, pool: ThreadPoolExecutor) -> None:
    served.sql("DROP TABLE IF EXISTS hangman")  # whichever test was first
    assert len(set(pool.map(lambda _: issued(served), range(3)))) == 3
    assert served.sql("SELECT count(*) FROM hangman")[0][0] == 3


def test_a_game_is_a_row_whose_id_is_issued_by_a_redirect(served: Served) -> None:
    name = issued(served)
    player = Player(served.site, "database", f"{PROGRAM}/{name}")
    assert named(player.url) == name  # a bookmark keeps the game
    word = served.row(name).word
    assert word not in player.seen
    player.press(word[0]).guess(word)
    row = served.row(name)
    assert (row.tried, row.called, row.played, row.won, row.wrong) == (word[0], word, 1, 1, 0)
    assert player.note == f"You won: the word is {word}." and player.score == ("1", "1", "0.00")


def test_whole_games_are_won_lost_and_counted_in_a_row(served: Served) -> None:
    whole_games(served.site, "database", lambda player: str(served.row(named(player.url)).word))


def test_modified_is_kept_by_the_database_and_a_look_does_not_change_it(served: Served) -> None:
    name = issued(served)
    served.age(name, 5)
    aged = served.row(name).modified
    assert served.site.get(f"{PROGRAM}/{name}").status == 200
    assert served.row(name).modified == aged
    served.sql("UPDATE hangman SET won = 1, played = 1 WHERE id = :id", id=name)  # not by the program
    assert str(served.row(name).modified) > str(aged)
    served.age(name, 5)
    assert post(served, name, guess="e").status == 303
    assert str(served.row(name).modified) > str(aged)


def test_rows_older_than_30_days_are_deleted_and_younger_ones_stay(served: Served) -> None:
    old, young = issued(served), issued(served)
    served.age(old, 31)
    served.age(young, 29)
    issued(served)
    left = {row.id for row in served.sql("SELECT id FROM hangman")}
    assert old not in left and young in left
    assert served.site.get(f"{PROGRAM}/{young}").status == 200


def test_an_expired_bookmark_is_honoured_with_a_note_under_a_fresh_id(served: Served) -> None:
    old = issued(served)
    post(served, old, guess="e")
    served.age(old, 31)
    player = Player(served.site, "database", f"{PROGRAM}/{old}")
    assert player.note.startswith(EXPIRED) and player.tried == set()
    assert named(player.url) != old
    assert served.sql("SELECT * FROM hangman WHERE id = :id", id=old) == []
    player.press("e")
    assert player.tried == {"e"} and EXPIRED not in player.note


def test_a_move_in_an_expired_game_is_not_made_in_the_new_one(served: Served) -> None:
    old = issued(served)
    served.age(old, 31)
    fresh = post(served, old, guess="e").header("location")
    assert str(fresh).endswith("?expired") and served.row(named(fresh)).tried == ""


def test_an_invented_id_is_never_adopted(served: Served) -> None:
    real = issued(served)
    for invented in ("0123456789abcdef" * 2, real.upper(), f"{real}%20", f"{real}/more", "%FF", "x" * 3000):
        assert issued(served, f"{PROGRAM}/{invented}") not in (invented, real)
        assert served.sql("SELECT * FROM hangman WHERE id = :id AND id <> :real", id=invented, real=real) == []


def test_of_guesses_that_come_at_once_on_one_row_all_count(served: Served, pool: ThreadPoolExecutor) -> None:
    name = issued(served)
    word = served.row(name).word
    wrong = [letter for letter in "qxjzvkwbp" if letter not in word][:4]
    letters = sorted({*word[1:]} - {word[0]})[:4] + wrong
    answers = list(pool.map(lambda letter: post(served, name, guess=letter).status, letters))
    assert answers == [303] * len(letters)
    assert sorted(served.row(name).tried) == sorted(letters)


def test_visitors_with_expired_bookmarks_that_come_at_once_do_not_lock_each_other_out(
    served: Served, pool: ThreadPoolExecutor
) -> None:
    paths = [f"{PROGRAM}/{number:032x}" for number in range(4)]
    assert len(set(pool.map(lambda path: issued(served, path), paths))) == 4


def test_sql_in_any_field_is_only_text(served: Served) -> None:
    name, other = issued(served), issued(served)
    before = served.row(other)
    for attack in ("'; DROP TABLE hangman; --", "\\' OR 1=1 -- %s %(id)s :id ? #"):
        page = post(served, name, guess=attack, word=attack, played=attack, do=attack)
        assert page.status == 200 and attack in unescape(page.text)
        page = post(served, name, do="name", name=attack)
        assert served.row(name).name == attack and f'value="{attack}"' in unescape(page.text)
        assert issued(served, f"{PROGRAM}/{name}{quote(attack)}?{quote(attack)}") not in (name, other)
        row = served.row(name)
        assert (row.played, row.won, row.tried, row.called) == (0, 0, "", "")
        assert served.row(other) == before


def test_top_winners_over_all_players(served: Served) -> None:
    served.sql("DELETE FROM hangman")
    assert "Nobody has won yet." in served.site.get(f"{PROGRAM}?winners").text
    scores = [("Ann", 5, 9, 20), ("<b>Bob</b>", 7, 9, 30), ("", 7, 9, 10), ("Zoë 😀", 9, 9, 0)]
    scores += [("Nil", 0, 4, 24), *((f"P{number}", 1, 1 + number, 6) for number in range(9))]
    for number, (name, won, played, wrong) in enumerate(scores):
        served.sql(
            "INSERT INTO hangman (id, word, tried, called, name, won, played, wrong)"
            " VALUES (:id, 'banana', '', '', :name, :won, :played, :wrong)",
            id=f"{number:032x}", name=name, won=won, played=played, wrong=wrong,
        )  # fmt: skip
    page = served.site.get(f"{PROGRAM}?winners").text
    rows = re.findall(r"<tr><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td><td>(.*?)</td></tr>", page)
    assert rows[:4] == [
        ("Zoë 😀", "9", "9", "0.00"),
        ("<i>nameless</i>", "7", "9", "1.11"),
        ("&lt;b&gt;Bob&lt;/b&gt;", "7", "9", "3.33"),
        ("Ann", "5", "9", "2.22"),
    ]
    assert len(rows) == 10 and rows[4][0] == "P8" and "Nil" not in page
    assert Markup(page).problems == []


def test_a_player_may_be_named_among_the_winners(served: Served) -> None:
    player = Player(served.site, "database")
    name = named(player.url)
    player.send(player.form("name"), name="  Eve\0\u202e\x1b & <i>co</i> " + "x" * 90)
    called = served.row(name).name
    assert called.startswith("Eve & <i>co</i> xxx") and len(called) == 40
    assert player.note.startswith(f"Among the winners you are {called}.") and "<i>co" not in player.text
    served.sql("UPDATE hangman SET won = 1000, played = 1000 WHERE id = :id", id=name)
    assert post(served, name, guess=served.row(name).word).status == 303
    assert f'<a href="{PROGRAM}/{name}?winners">' in player.text
    page = served.site.get(f"{PROGRAM}/{name}?winners").text
    assert f"<td>{html.escape(called)}</td><td>1001</td>" in page  # a move leaves the name
    assert f'<a href="{PROGRAM}/{name}">Play</a>' in page


AWAY = [
    "postgresql+psycopg://nobody:hush@127.0.0.1:1/none",
    "mysql+pymysql://nobody:hush@127.0.0.1:1/none",
    "sqlite:////nowhere/at/all.sqlite",
    "oracle+hush://nobody:hush@127.0.0.1/none",
    "hush",
]


@pytest.fixture(scope="module")
def away(serve: Serve) -> Gateway:
    """A gateway whose program looks for its database in places where none is."""
    lines = "".join(
        f"ScriptAlias /{number}/ {ROOT}/cgi-bin/\n"
        f'<Location /{number}/>\n  SetEnv HANGMAN_DATABASE "{url}"\n</Location>\n'
        for number, url in enumerate(AWAY)
    )
    return serve(f"{lines}StartCGI 0\n")


@pytest.mark.parametrize("url", AWAY)
def test_a_database_that_cannot_be_reached_is_said_in_a_page_and_why_in_the_log(
    away: Gateway, url: str
) -> None:
    query = "?winners" if url.startswith("sqlite") else ""
    answer = away.get(f"/{AWAY.index(url)}/hangman/database.py/{'0' * 32}{query}")
    assert answer.status == 503 and answer.header("retry-after") == "60"
    assert "The database cannot be reached" in answer.text and Markup(answer.text).problems == []
    assert not re.search("hush|Error|127|nowhere", answer.text)
    away.wait_log(r"(Operational|Argument|NoSuchModule)Error: .*")
    assert ":hush@" not in away.log
