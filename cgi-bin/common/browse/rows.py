"""An SQL query page by page: a cursor that stays open, and the rows that came from it last."""

from collections import deque
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sql

from common.bank.database import asking
from common.bank.ledger import account, engine, posting

KEPT = 1000  # rows that one can go back


def postings_by_name() -> sql.Select[Any]:
    """Every posting of the bank, in order, with the names of its accounts."""
    source, target = account.alias(), account.alias()
    return (
        sql.select(
            posting.c.id, posting.c.slip, source.c.name.label("source"), target.c.name.label("target"),
            posting.c.cents, posting.c.text,
        )
        .join(source, posting.c.source == source.c.id)
        .join(target, posting.c.target == target.c.id)
        .order_by(posting.c.id)
    )  # fmt: skip


class Rows:
    """The rows of a query, numbered from 1, fetched as they are asked for; the last KEPT stay.

    All are of one moment: an open cursor does not see what others commit meanwhile. MariaDB and PostgreSQL keep
    the rest at the server (an unbuffered and a named cursor), SQLite computes row by row. Raises Busy, Away.
    """

    def __init__(self, query: sql.Select[Any], page: int) -> None:
        self.fetched, self.complete = 0, False
        self._page = page
        self._kept: deque[sql.Row[Any]] = deque(maxlen=KEPT)
        with asking():
            self._connection = engine().connect().execution_options(yield_per=page)
            self._result = self._connection.execute(query)
        self._fetch(page + 1)  # one ahead: whether there is a next page is known

    def page(self, first: int) -> tuple[int, Sequence[sql.Row[Any]]]:
        """The rows from `first` on, and the number of the first: that of the nearest page that can be had."""
        first = max(self.oldest(), min(first, (max(self.fetched, 1) - 1) // self._page * self._page + 1))
        if first + self._page > self.fetched and not self.complete:
            self._fetch(self._page)
        rows = enumerate(self._kept, self.oldest())
        return first, [row for number, row in rows if first <= number < first + self._page]

    def _fetch(self, most: int) -> None:
        with asking():
            rows = self._result.fetchmany(most)
            self.complete = len(rows) < most
            if self.complete:
                self.close()
        self._kept.extend(rows)
        self.fetched += len(rows)

    def oldest(self) -> int:
        """The first row that one can go back to."""
        return self.fetched - len(self._kept) + 1

    def close(self) -> None:
        """Let the cursor go; what is kept stays."""
        self._connection.close()
