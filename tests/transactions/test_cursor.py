"""An open cursor of an SQL query: pages of one moment, fetched as they are asked for, on every database."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sql

from tests.blackbox.harness import Gateway
from tests.blackbox.markup import Markup
from tests.transactions.bank import Bank, teller
from tests.transactions.visitor import Cells, Visitor

POSTINGS, LENGTH, KEPT = 1_240, 40, 1_000
INSERT = sql.text(
    "INSERT INTO bank_posting (id, slip, source, target, cents, text) VALUES (:id, 'test', 1, 2, :id, :text)"
)


@pytest.fixture(scope="module")
def gateway(bank: Bank) -> Gateway:
    gateway = bank.open()
    teller(gateway).post(do="leave")  # the tables are there
    add(bank, 1, POSTINGS)
    return gateway


@pytest.fixture
def visitor(gateway: Gateway) -> Iterator[Visitor]:
    visitor = Visitor(gateway, "/programs/browse.py?open=postings")
    yield visitor
    visitor.send(visitor.url.partition("?")[0], do="close")


def add(bank: Bank, first: int, count: int) -> None:
    with bank.engine.begin() as connection:
        rows = [{"id": number, "text": f"<b>no. {number}"} for number in range(first, first + count)]
        connection.execute(INSERT, rows)


def numbers(visitor: Visitor) -> list[int]:
    """The numbers of the postings on the page."""
    return [int(row[0]) for row in Cells(visitor.page.text).rows[1:]]


def turn(visitor: Visitor, relation: str) -> list[int]:
    """Follow a link of the page; the numbers there."""
    found = re.search(rf'<a rel="{relation}" href="([^"]*)"', visitor.page.text)
    assert found, visitor.page
    visitor.get(found[1])
    return numbers(visitor)


def test_pages_forward_and_back_come_from_one_cursor(bank: Bank, gateway: Gateway, visitor: Visitor) -> None:
    assert numbers(visitor) == [*range(1, 41)] and visitor.title == "Postings 1 to 40"
    assert turn(visitor, "next") == [*range(41, 81)]
    assert turn(visitor, "next") == [*range(81, 121)]
    assert turn(visitor, "prev") == [*range(41, 81)]
    assert visitor.look() and numbers(visitor) == [*range(41, 81)]
    assert turn(visitor, "first") == [*range(1, 41)]
    assert Markup(visitor.page.text).problems == [] and "<b>" not in visitor.page.text
    assert ["40", "Ada", "Barbara", "0.40", "<b>no. 40"] in Cells(visitor.page.text).rows


def test_to_the_end_and_as_far_back_as_rows_are_kept(bank: Bank, gateway: Gateway, visitor: Visitor) -> None:
    seen = numbers(visitor)
    while 'rel="next"' in visitor.page.text:
        seen += turn(visitor, "next")
    assert seen == [*range(1, POSTINGS + 1)]
    assert f"{POSTINGS:,} in all" in visitor.page.text
    back = numbers(visitor)
    while 'rel="prev"' in visitor.page.text:
        back = turn(visitor, "prev") + back
    assert back[0] == POSTINGS - KEPT + 1 and sorted(set(back)) == [*range(back[0], POSTINGS + 1)]
    assert f"You can go back to row {back[0]:,}" in visitor.page.text
    visitor.get(visitor.url.partition("?")[0] + "?row=1")
    assert numbers(visitor)[0] == back[0]


def test_what_is_committed_meanwhile_does_not_show(bank: Bank, gateway: Gateway, visitor: Visitor) -> None:
    add(bank, 10_001, 1)
    try:
        while 'rel="next"' in visitor.page.text:
            turn(visitor, "next")
        assert numbers(visitor)[-1] == POSTINGS
        later = Visitor(gateway, "/programs/browse.py?open=postings")
        for _ in range(POSTINGS // LENGTH):
            turn(later, "next")
        assert numbers(later)[-1] == 10_001
        later.post(do="close")
    finally:
        with bank.engine.begin() as connection:
            connection.execute(sql.text("DELETE FROM bank_posting WHERE id > 10000"))
