"""The table of games, on SQLite, MariaDB (MySQL) or PostgreSQL: what differs between them is here.

Every value goes to the database as a bound parameter; there is no SQL that is built out of text from outside.
"""

import os
from typing import Any

from sqlalchemy import (
    TIMESTAMP,
    URL,
    Column,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    func,
    inspect,
    literal_column,
    make_url,
)
from sqlalchemy.exc import ArgumentError, DBAPIError

from common.data import folder

DAYS = 30
LONGEST_NAME = 40
SECONDS = 10  # for a connection, and for a lock of SQLite

# The time DAYS ago, by the server's own clock
EXPIRY = {
    "sqlite": f"datetime('now', '-{DAYS} days')",
    "mysql": f"CURRENT_TIMESTAMP - INTERVAL {DAYS} DAY",
    "postgresql": f"CURRENT_TIMESTAMP - INTERVAL '{DAYS} days'",
}
games = Table(
    "hangman",
    MetaData(),
    Column("id", String(32), primary_key=True),
    Column("word", String(20), nullable=False),
    Column("tried", String(26), nullable=False),
    Column("called", String(20), nullable=False),
    Column("played", Integer, nullable=False),
    Column("won", Integer, nullable=False, index=True),
    Column("wrong", Integer, nullable=False),
    Column("name", String(LONGEST_NAME), nullable=False, server_default=""),
    Column("modified", TIMESTAMP(timezone=True), nullable=False, server_default=func.now(), index=True),
    mysql_charset="utf8mb4",
)

# What makes the database keep `modified`, behind CREATE TABLE; a statement that sets it itself is left alone
KEEP_MODIFIED = {
    "mysql": [
        """ALTER TABLE hangman MODIFY modified TIMESTAMP NOT NULL
        DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP"""
    ],
    "sqlite": [
        """CREATE TRIGGER hangman_modified AFTER UPDATE ON hangman WHEN NEW.modified = OLD.modified
        BEGIN UPDATE hangman SET modified = CURRENT_TIMESTAMP WHERE id = NEW.id; END"""
    ],
    "postgresql": [
        """CREATE OR REPLACE FUNCTION hangman_modified() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN NEW.modified := CURRENT_TIMESTAMP; RETURN NEW; END'""",
        """CREATE TRIGGER hangman_modified BEFORE UPDATE ON hangman FOR EACH ROW
        WHEN (NEW.modified = OLD.modified) EXECUTE FUNCTION hangman_modified()""",
    ],
}
OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {"connect_args": {"timeout": SECONDS}},
    "postgresql": {"connect_args": {"connect_timeout": SECONDS}},
    # not REPEATABLE READ: two that look for a row that is not there would lock the gap against each other
    "mysql": {"connect_args": {"connect_timeout": SECONDS}, "isolation_level": "READ COMMITTED"},
}


def living(engine: Engine) -> ColumnElement[bool]:
    """Rows that are not too old, as a condition."""
    expiry: ColumnElement[Any] = literal_column(EXPIRY[engine.dialect.name])
    return games.c.modified >= expiry


def database() -> Engine:
    """The database of HANGMAN_DATABASE (a URL of SQLAlchemy), else a file; its table is there.

    Raises SQLAlchemyError, and ImportError for a driver that is not installed.
    """
    file = URL.create("sqlite", database=os.path.join(folder("hangman"), "games.sqlite"))
    url = make_url(os.environ.get("HANGMAN_DATABASE") or file)
    kind = url.get_backend_name()
    if kind not in OPTIONS:
        raise ArgumentError(f"HANGMAN_DATABASE: expected one of {', '.join(OPTIONS)}, found {kind}")
    engine = create_engine(url, **OPTIONS[kind])
    if kind == "sqlite":
        event.listen(engine, "connect", _leave_transactions_to_us)
        event.listen(engine, "begin", _begin_immediate)
    with engine.connect() as connection:
        if not inspect(connection).has_table(games.name):
            _make(connection, kind)
    return engine


def _make(connection: Connection, kind: str) -> None:
    """Make the table, unless another process does so at the same time: then that one's is as good."""
    try:
        games.create(connection)
        for statement in KEEP_MODIFIED[kind]:
            connection.exec_driver_sql(statement)
        connection.commit()
    except DBAPIError:
        connection.rollback()
        if not inspect(connection).has_table(games.name):
            raise


def _leave_transactions_to_us(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # of the module sqlite3: no BEGIN of its own


def _begin_immediate(connection: Connection) -> None:
    """The lock of SELECT … FOR UPDATE, which SQLite does not have: on the whole file, from the start."""
    connection.exec_driver_sql("BEGIN IMMEDIATE")
