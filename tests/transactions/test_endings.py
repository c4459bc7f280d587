"""However a transaction ends without a commit, nothing is half done; what only disturbs it does not end it."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
import sqlalchemy as sql

from tests import databases
from tests.blackbox.conftest import Serve
from tests.blackbox.counting import wait_drained
from tests.blackbox.harness import BOUND, Gateway, free_port, wait_for
from tests.transactions.bank import ADA, BARBARA, EDSGER, SERVED, Bank, begin, counter, post, teller
from tests.transactions.visitor import Visitor

SERVERS_ONLY = pytest.mark.parametrize(
    "bank",
    [pytest.param(kind, marks=pytest.mark.realworld) for kind in ("mariadb", "postgresql")],
    indirect=True,
    scope="module",
)
KILL = {
    "mariadb": "SELECT CONCAT('KILL ', id) FROM information_schema.processlist WHERE command = 'Sleep'",
    "postgresql": "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE state LIKE 'idle in%'",
}

# A check that PostgreSQL makes within COMMIT ends the connection
DIES_AMID_COMMIT = (
    "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END'",
    "CREATE CONSTRAINT TRIGGER dies AFTER INSERT ON bank_posting DEFERRABLE INITIALLY DEFERRED "
    "FOR EACH ROW EXECUTE FUNCTION die()",
)


@pytest.fixture(scope="module")
def gateway(bank: Bank) -> Gateway:
    """A gateway for the tests that leave it running."""
    return bank.open()


@contextmanager
def unfinished(bank: Bank, gateway: Gateway) -> Iterator[Visitor]:
    """A transaction with two postings that somebody else ends within: all of it must be undone."""
    with counter(gateway) as visitor:
        before, count = bank.balances(), bank.postings()
        post(visitor, ADA, BARBARA, "100")
        post(visitor, ADA, BARBARA, "50", "the second")
        assert visitor.page.text.count("<small>slip ") == 2
        yield visitor
        assert (bank.balances(), bank.postings()) == (before, count)


# ---- endings


def test_letting_it_time_out_rolls_back(bank: Bank) -> None:
    gateway = bank.open("MaxPersistentCGITimeout 2s")
    with unfinished(bank, gateway) as visitor:
        assert "2 seconds" in visitor.page.text
        gateway.wait_log("HTS002 timed out after 2 s: /programs/transfer.py")
        assert gateway.reason(visitor.url) == "timed-out"
        bank.wait_free(gateway)
    gateway.stop()


def test_kill_9_rolls_back(bank: Bank, gateway: Gateway) -> None:
    with unfinished(bank, gateway) as visitor:
        kill_programs(gateway)
        wait_for("the session to be over", lambda: gateway.get(visitor.url).status == 410)
        assert gateway.reason(visitor.url) == "crashed"
        bank.wait_free(gateway)


def test_kill_9_in_the_middle_of_a_step_rolls_back(
    bank: Bank, gateway: Gateway, pool: ThreadPoolExecutor
) -> None:
    with unfinished(bank, gateway) as visitor:
        for pid in gateway.instances():
            os.kill(pid, signal.SIGSTOP)
        answer = pool.submit(visitor.send, visitor.action, do="commit")
        kill_programs(gateway)
        assert answer.result(BOUND).status in (410, 502)
        bank.wait_free(gateway)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_end_of_the_gateway_rolls_back(bank: Bank, gateway: Gateway, end: str) -> None:
    ending = bank.open()
    with unfinished(bank, ending) as visitor:
        if end == "stop":
            assert ending.stop() == 0
        else:
            programs = ending.instances()
            os.kill(ending.keeper, signal.SIGKILL)
            ending.wait_exit()
            wait_for("the programs to end", lambda: not any(os.path.exists(f"/proc/{pid}") for pid in programs))
        bank.wait_free(gateway)
        visitor.page.body = b""  # there is nobody to give it back to


def test_it_is_the_same_in_a_process_that_was_made_ahead_of_need(bank: Bank) -> None:
    gateway = bank.open("StartCGI 1")
    with unfinished(bank, gateway) as visitor:
        visitor.post(do="roll back")
        assert visitor.title == "Rolled back"
    with unfinished(bank, gateway) as visitor:
        assert gateway.stop() == 0
        visitor.page.body = b""  # there is nobody to give it back to


# ---- no endings


@pytest.mark.parametrize("disturb", ["reload", "kill_front"])
def test_reload_and_front_crash_keep_it_open_and_finishable(bank: Bank, gateway: Gateway, disturb: str) -> None:
    with counter(gateway) as visitor:
        before = bank.balances()
        post(visitor, ADA, BARBARA, "3")
        getattr(gateway, disturb)()
        wait_drained(gateway)
        assert visitor.look().text.count("<small>slip ") == 1
        assert bank.balances() == before
        post(visitor, BARBARA, ADA, "1")
        getattr(gateway, disturb)()
        visitor.post(do="commit")
        assert visitor.title == "Committed"
        assert bank.balances()[ADA] == before[ADA] - 2_00
    bank.wait_free(gateway)


# ---- many at once


def test_the_sum_of_all_money_stays_while_many_tellers_transfer(bank: Bank, gateway: Gateway) -> None:
    wanted = 1 if bank.kind == "sqlite" else 3
    with ThreadPoolExecutor(8) as tellers:
        ends = list(tellers.map(lambda seed: transfers(gateway, random.Random(seed), wanted), range(8)))
    assert {end for some in ends for end in some} <= {"Committed", "Rolled back", "Good-bye"}
    assert all(some.count("Committed") == wanted for some in ends)
    bank.balances()
    wait_for("all programs to be over", lambda: not gateway.instances())


def transfers(gateway: Gateway, chance: random.Random, wanted: int) -> list[str]:
    """Transactions at random until so many are committed; how each of them ended."""
    ended: list[str] = []
    while ended.count("Committed") < wanted:
        visitor = teller(gateway)
        first, second = chance.sample(range(1, 6), 2)
        for _ in range(20):
            begin(visitor, first, second)
            if visitor.title != "Bank counter":
                break
            assert visitor.note.startswith("Somebody else is at the counter"), visitor.note
        else:
            visitor.post(do="leave")
            ended.append(visitor.title)
            continue
        for _ in range(chance.randrange(1, 4)):
            source, target = chance.sample([first, second], 2)
            post(visitor, source, target, f"{chance.randrange(1, 99)}.{chance.randrange(10)}")
        visitor.post(do=chance.choice(["commit", "commit", "roll back"]))
        ended.append(visitor.title)
    return ended


@SERVERS_ONLY  # SQLite has one lock: there is no second to wait for
def test_a_deadlock_with_somebody_else_is_not_left_hanging(
    bank: Bank, gateway: Gateway, pool: ThreadPoolExecutor
) -> None:
    lock = sql.text("SELECT id FROM bank_account WHERE id = :id FOR UPDATE")
    visitor = teller(gateway)
    with bank.engine.connect() as other:
        other.execute(lock, {"id": EDSGER})
        beginning = pool.submit(begin, visitor, ADA, EDSGER)  # has the first, waits for the second
        wait_for("the teller to have the first", lambda: locked(bank, ADA))
        try:
            other.execute(lock, {"id": ADA})
        except sql.exc.OperationalError:
            pass  # the other one is the victim
        page = beginning.result(BOUND)
    assert page.status == 200
    assert visitor.title.startswith("Transaction ") or visitor.note.startswith(
        "Somebody else is at the counter"
    )
    visitor.post(do="roll back" if visitor.title.startswith("Transaction ") else "leave")
    bank.wait_free(gateway, ADA, EDSGER)


# ---- without a database


def test_a_database_that_is_away_at_the_start_is_told(bank: Bank, serve: Serve) -> None:
    if bank.kind == "sqlite":
        (bank.folder / "broken").write_bytes(b"this is no database" * 1000)
        place = f"sqlite:///{bank.folder}/broken"
    else:
        url = sql.make_url(bank.url).set(port=free_port())
        place = url.render_as_string(hide_password=False)
    gateway = serve(f'{SERVED}SetEnv PROGRAM_DATA "{bank.folder}"\nSetEnv TRANSFER_DATABASE "{place}"')
    visitor = Visitor(gateway, "/programs/transfer.py")
    assert (visitor.page.status, visitor.title) == (503, "The database is away")
    assert gateway.reason(visitor.url) == "ended"
    assert gateway.get("/programs/transfer.py?balances").status == 503
    gateway.wait_log("the database: ")
    assert databases.WORD not in gateway.log


@SERVERS_ONLY  # SQLite is a part of the program: it cannot go away alone
@pytest.mark.parametrize("do", ["post", "commit"])
def test_a_database_that_goes_away_in_the_middle_is_told(bank: Bank, gateway: Gateway, do: str) -> None:
    with unfinished(bank, gateway) as visitor:
        with bank.engine.connect() as other:
            for (command,) in other.execute(sql.text(KILL[bank.kind])).all():
                if bank.kind == "mariadb":
                    other.execute(sql.text(command))
        visitor.post(do=do, source="1", target="2", amount="1")
        assert (visitor.page.status, visitor.title) == (503, "The database is away")
        assert "rolled back: nothing is half done" in visitor.note
    bank.wait_free(gateway)


@pytest.mark.parametrize(
    "bank", [pytest.param("postgresql", marks=pytest.mark.realworld)], indirect=True, scope="module"
)
def test_a_database_that_goes_away_amid_the_commit_leaves_it_open_and_says_so(
    bank: Bank, gateway: Gateway
) -> None:
    teller(gateway).post(do="leave")  # the tables are there
    before = bank.balances()
    _execute(bank, *DIES_AMID_COMMIT)
    try:
        with counter(gateway) as visitor:
            post(visitor, ADA, BARBARA, "5")
            slip = visitor.title.removeprefix("Transaction ")
            visitor.post(do="commit")
            assert (visitor.page.status, visitor.title) == (503, "Committed?")
            assert f"slip {slip} are there, all of them, or none is" in " ".join(visitor.note.split())
    finally:
        _execute(bank, "DROP FUNCTION die CASCADE")
    assert bank.balances() == before


def _execute(bank: Bank, *commands: str) -> None:
    with bank.engine.begin() as other:
        for command in commands:
            other.execute(sql.text(command))


def locked(bank: Bank, account: int) -> bool:
    """Whether somebody holds this account."""
    with bank.engine.connect() as third:
        try:
            third.execute(sql.text(f"SELECT id FROM bank_account WHERE id = {account} FOR UPDATE NOWAIT"))
        except sql.exc.OperationalError:
            return True
    return False


def kill_programs(gateway: Gateway) -> None:
    for pid in gateway.instances():
        os.kill(pid, signal.SIGKILL)
