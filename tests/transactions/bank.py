"""The bank as it is, past the programs: what is committed, and whether it is whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import sqlalchemy as sql

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import ROOT, Answer, Gateway, wait_for
from tests.transactions.visitor import Cells, Visitor

ADA, BARBARA, EDSGER, GRACE, NIKLAUS = range(1, 6)
NAMES = ["Ada", "Barbara", "Edsger", "Grace", "Niklaus"]
OPENING = {ADA: 1_000_00, BARBARA: 250_00, EDSGER: 640_50, GRACE: 480_00, NIKLAUS: 75_25}
SERVED = f"""
ScriptAlias /programs/ "{ROOT}/cgi-bin/"
CGIActivationGroup python .py
MaxPersistentCGI 100
"""


@dataclass
class Bank:
    """One database, and gateways whose programs use it."""

    kind: str
    url: str
    folder: Path
    serve: Serve
    engine: sql.Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = sql.create_engine(self.url, poolclass=sql.NullPool)

    def open(self, more: str = "") -> Gateway:
        """Start a gateway with this bank, and these further directives."""
        return self.serve(f'{SERVED}SetEnv PROGRAM_DATA "{self.folder}"\n{self._place()}{more}')

    def _place(self) -> str:
        return "" if self.kind == "sqlite" else f'SetEnv TRANSFER_DATABASE "{self.url}"\n'

    def balances(self) -> dict[int, int]:
        """The committed cents of every account, read past the programs; fails if anything is half done."""
        with self.engine.connect() as connection:
            rows = connection.execute(sql.text("SELECT id, cents FROM bank_account")).all()
            moves = connection.execute(sql.text("SELECT source, target, cents FROM bank_posting")).all()
        found = {int(number): int(cents) for number, cents in rows}
        expected = dict(OPENING)
        for source, target, cents in moves:
            expected[source] -= cents
            expected[target] += cents
        assert found == expected, "a posting without its balances, or balances without their posting"
        assert sum(found.values()) == sum(OPENING.values())
        return found

    def postings(self) -> int:
        """How many postings are committed."""
        with self.engine.connect() as connection:
            return int(connection.execute(sql.text("SELECT COUNT(*) FROM bank_posting")).scalar_one())

    def wait_free(self, gateway: Gateway, first: int = ADA, second: int = BARBARA) -> None:
        """Wait until somebody else can have these two accounts, and give them back."""

        def free() -> bool:
            visitor = Visitor(gateway, "/programs/transfer.py")
            begin(visitor, first, second)
            opened = visitor.title.startswith("Transaction ")
            visitor.post(do="roll back" if opened else "leave")
            return opened

        wait_for("the accounts to be free", free)


def teller(gateway: Gateway) -> Visitor:
    """Somebody at the counter, who has not begun."""
    visitor = Visitor(gateway, "/programs/transfer.py")
    assert visitor.page.status == 200 and visitor.title == "Bank counter", visitor.page
    return visitor


def begin(visitor: Visitor, first: int = ADA, second: int = BARBARA) -> Answer:
    """Choose two accounts."""
    return visitor.post(do="begin", first=str(first), second=str(second))


def post(visitor: Visitor, source: int, target: int, amount: str, text: str = "") -> Answer:
    """Post an amount within the open transaction."""
    return visitor.post(do="post", source=str(source), target=str(target), amount=amount, text=text)


@contextlib.contextmanager
def counter(gateway: Gateway, first: int = ADA, second: int = BARBARA) -> Iterator[Visitor]:
    """An open transaction; what is left of it is rolled back at the end."""
    visitor = teller(gateway)
    begin(visitor, first, second)
    assert visitor.title.startswith("Transaction "), visitor.page
    try:
        yield visitor
    finally:
        if "Transaction " in visitor.page.text:
            visitor.post(do="roll back")


def shown(page: Answer) -> dict[str, list[str]]:
    """The balances of a page: the columns behind each name."""
    return {name: cells for name, *cells in Cells(page.text).rows if name in NAMES}


def public(gateway: Gateway) -> dict[str, int]:
    """What a second browser sees: cents by name."""
    page = gateway.get("/programs/transfer.py?balances")
    assert page.status == 200, page
    return {name: int(cells[0].replace(",", "").replace(".", "")) for name, cells in shown(page).items()}
