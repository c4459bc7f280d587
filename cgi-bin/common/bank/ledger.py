"""The bank of transfer.py and browse.py: accounts and postings in an SQL database, amounts in whole cents.

TRANSFER_DATABASE names it: `mysql+pymysql://…`, `postgresql+psycopg://…`; without it a file of SQLite in the
data folder. Nothing is committed but by Slip.commit: whoever dies before has changed nothing.
"""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import sqlalchemy as sql
from sqlalchemy.exc import SQLAlchemyError

from common.bank.database import asking, make_engine

OPENING = (("Ada", 1_000_00), ("Barbara", 250_00), ("Edsger", 640_50), ("Grace", 480_00), ("Niklaus", 75_25))

_tables = sql.MetaData()
account = sql.Table(
    "bank_account", _tables,
    sql.Column("id", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("name", sql.String(40), nullable=False),
    sql.Column("cents", sql.BigInteger, sql.CheckConstraint("cents >= 0"), nullable=False),
    mysql_engine="InnoDB", mysql_charset="utf8mb4",
)  # fmt: skip
posting = sql.Table(
    "bank_posting", _tables,
    sql.Column("id", sql.Integer, primary_key=True),
    sql.Column("slip", sql.String(16), nullable=False),
    sql.Column("source", sql.ForeignKey(account.c.id), nullable=False),
    sql.Column("target", sql.ForeignKey(account.c.id), nullable=False),
    sql.Column("cents", sql.BigInteger, sql.CheckConstraint("cents > 0"), nullable=False),
    sql.Column("text", sql.String(80), nullable=False),
    mysql_engine="InnoDB", mysql_charset="utf8mb4",
)  # fmt: skip


@cache
def engine() -> sql.Engine:
    """The way to the database; what is missing in it is made. Raises SQLAlchemyError, OSError."""
    made = make_engine("TRANSFER_DATABASE", "bank.sqlite")
    _found(made)
    return made


def _found(made: sql.Engine) -> None:
    """Make what is missing. Two processes may do so at once: who comes second fails, and looks again."""
    for last in (False, False, True):
        if _exists(made):
            return
        try:
            with made.connect().execution_options(locks=True) as connection, connection.begin():
                _tables.create_all(connection)
                rows = [{"id": i, "name": name, "cents": cents} for i, (name, cents) in enumerate(OPENING, 1)]
                connection.execute(account.insert(), rows)
        except SQLAlchemyError:
            if last and not _exists(made):
                raise


def _exists(made: sql.Engine) -> bool:
    with made.connect() as connection:
        return sql.inspect(connection).has_table(account.name) and bool(
            connection.scalar(sql.select(account.c.id).limit(1))
        )


def accounts() -> Sequence[sql.Row[Any]]:
    """Every account (id, name, cents) as it is committed. Raises Busy, Away."""
    with asking(), engine().connect() as connection:
        return connection.execute(sql.select(account).order_by(account.c.id)).all()


def postings(most: int) -> Sequence[sql.Row[Any]]:
    """The newest committed postings, the newest first. Raises Busy, Away."""
    with asking(), engine().connect() as connection:
        return connection.execute(sql.select(posting).order_by(posting.c.id.desc()).limit(most)).all()


class Slip:
    """One open transaction: its accounts are locked from here to `commit` or `roll_back`.

    Any error of the database rolls all of it back. Raises Busy, Away, everywhere.
    """

    def __init__(self, numbers: set[int]) -> None:
        self.number = secrets.token_hex(4)
        self.before: dict[int, sql.Row[Any]] = {}
        with self._safely():
            self._connection = engine().connect().execution_options(locks=True)
            for number in sorted(numbers):  # all tellers in the same order: no deadlock
                row = sql.select(account).where(account.c.id == number).with_for_update()
                self.before[number] = self._connection.execute(row).one()

    def balances(self) -> dict[int, int]:
        """The cents of each locked account, as this transaction sees them."""
        with self._safely():
            rows = self._connection.execute(sql.select(account).where(account.c.id.in_(self.before)))
            return {row.id: row.cents for row in rows}

    def postings(self) -> Sequence[sql.Row[Any]]:
        """What this transaction has posted, in order."""
        with self._safely():
            mine = sql.select(posting).where(posting.c.slip == self.number).order_by(posting.c.id)
            return self._connection.execute(mine).all()

    def post(self, source: int, target: int, cents: int, text: str) -> bool:
        """Move an amount from one locked account to another; False, and nothing is done, if it has less."""
        cents_of = account.c.cents
        with self._safely():
            taken = self._connection.execute(
                account.update().where(account.c.id == source, cents_of >= cents).values(cents=cents_of - cents)
            )
            if taken.rowcount != 1:
                return False
            self._connection.execute(
                account.update().where(account.c.id == target).values(cents=cents_of + cents)
            )
            self._connection.execute(
                posting.insert().values(slip=self.number, source=source, target=target, cents=cents, text=text)
            )
            return True

    def commit(self) -> None:
        """Make it so. After Away nobody knows whether it is: the postings of `number` are there, or not."""
        with self._safely():
            self._connection.commit()
            self._connection.close()

    def roll_back(self) -> None:
        """Undo everything, as the database does by itself when this process ends."""
        try:
            self._connection.close()
        except (AttributeError, SQLAlchemyError):  # it never began; or is lost, and rolled back with that
            pass

    @contextmanager
    def _safely(self) -> Iterator[None]:
        with asking():
            try:
                yield
            except BaseException:
                self.roll_back()
                raise
