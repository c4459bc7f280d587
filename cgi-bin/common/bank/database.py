"""How the bank's programs reach an SQL database, and what its errors mean to a visitor."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from common.bank.trouble import Away, Busy
from common.data import folder

LOCK_WAIT = 1  # seconds that one waits for a row which somebody else has locked
CONNECT_WAIT = 5  # seconds
# The level is named here rather than left to a server's default. Rows that are locked before they are read do
# not change any more: READ COMMITTED is enough for them. SQLite knows SERIALIZABLE only.
ISOLATION = {"sqlite": "SERIALIZABLE", "mysql": "READ COMMITTED", "postgresql": "READ COMMITTED"}
CONNECT: dict[str, dict[str, Any]] = {
    "sqlite": {"timeout": LOCK_WAIT},
    "mysql": {
        "connect_timeout": CONNECT_WAIT,
        "init_command": f"SET SESSION innodb_lock_wait_timeout = {LOCK_WAIT}",
    },
    "postgresql": {"connect_timeout": CONNECT_WAIT, "options": f"-c lock_timeout={LOCK_WAIT}s"},
}
# Locked by somebody else, or chosen as the victim of a deadlock: codes of SQLite, MariaDB, PostgreSQL
BUSY = {5, 6, 1205, 1213, "55P03", "40P01", "40001"}


@contextmanager
def asking() -> Iterator[None]:
    """Errors of the database within become Busy or Away; the details go to standard error."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        if _codes(getattr(error, "orig", None)) & BUSY:
            raise Busy from error
        print("the database:", error, file=sys.stderr)
        raise Away from error


def _codes(cause: BaseException | None) -> set[object]:
    first = cause.args[:1] if cause else ()
    return {getattr(cause, "sqlite_errorcode", 0) & 0xFF, getattr(cause, "sqlstate", None), *first}


def make_engine(variable: str, name: str) -> sql.Engine:
    """The database whose URL this variable holds, else an SQLite file of this name in the data folder.

    Every connection is new. One that is to lock what it reads has the execution option `locks`: for SQLite,
    which then locks the whole database when it begins. Raises SQLAlchemyError, OSError.
    """
    place = os.environ.get(variable) or sql.URL.create("sqlite", database=os.path.join(folder("bank"), name))
    url = sql.make_url(place)
    kind = url.get_backend_name()
    if kind not in ISOLATION:
        raise sql.exc.ArgumentError(f"{variable}: expected one of {', '.join(ISOLATION)}, found {kind}")
    engine = sql.create_engine(
        url, poolclass=sql.NullPool, isolation_level=ISOLATION[kind], connect_args=CONNECT[kind]
    )
    if kind == "sqlite":
        sql.event.listen(engine, "connect", _prepare)
        sql.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver's own idea of when to begin would come in between
    connection.execute("PRAGMA journal_mode = WAL")  # readers see what is committed, beside a writer
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: sql.Connection) -> None:
    locks = connection.get_execution_options().get("locks")
    connection.exec_driver_sql("BEGIN IMMEDIATE" if locks else "BEGIN")
