"""Accounts of sessions: each is written once, whoever tells; what nobody tells is drawn up from the table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gateway.keeper.accounts import Accounts
from gateway.keeper.child import Child
from gateway.keeper.reasons import Reason
from gateway.keeper.table import BUSY, ENDING, FIRST, IDLE, Entry, Table, create, session_key
from gateway.logs.error import ErrorLog
from gateway.logs.session import Ending

FRONT, OTHER = "front", "other front"
FACTS = {"cpu": 0.5, "peak_kib": 2048}
TOLD = Ending(2.0, "", "/cgi", "hand…", "", "timed-out", "HTS002", 5, 1.0, "1")


class Books:
    """Accounts with a table, a log, and a front that serves while `heir` is true."""

    def __init__(self, folder: Path) -> None:
        self.table: Table = create(8, 8)
        self.file = folder / "sessions.log"
        self.heir = True
        self.announced: list[Ending] = []
        self.retired: list[Entry] = []
        self.accounts = Accounts(
            self.table, ErrorLog(str(folder / "error.log")), self._tell, self.retired.append
        )
        self.accounts.configure({"": str(self.file)})

    def _tell(self, ending: Ending, front: str | None) -> bool:
        if self.heir and front != FRONT:
            self.announced.append(ending)
        return self.heir

    def child(self, *, sessions: tuple[int, ...] = (), state: int = IDLE) -> Child:
        """An instance in slot 3, with a session there or in the slots of a shared one."""
        about = {"host": "", "cgi_name": "/cgi", "shared": bool(sessions)}
        child = Child(1, 99, 3, about, 0.1, -1, -1, -1, sessions=set(sessions), holder=FRONT)
        self.table.open_slot(3, 1)
        for number, slot in enumerate(sessions or (3,)):
            handle = b"handle-%d" % number
            self.table.open_slot(slot, 1)
            self.table.set_handles(slot, (handle,), (session_key("", b"/cgi", handle),), lost=False)
            self.table.begin(slot, b"ada", 1.0)
            self.table.rest(slot, 0.0, 60.0, 4, 10, 20, 0.25)
            self.table.set_state(slot, state)
        return child

    def tell(self, child: Child | None, front: str = FRONT, slot: int = 3, *, last: bool = True) -> None:
        """`account` of a front."""
        fields = {"id": 1, "slot": slot, "last": last, "ending": TOLD._asdict()}
        self.accounts.told(front, child, fields)

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    @property
    def reasons(self) -> list[str]:
        return [line["reason"] for line in self.lines]


@pytest.fixture
def books(tmp_path: Path) -> Iterator[Books]:
    made = Books(tmp_path)
    yield made
    made.table.close()


def test_what_a_front_tells_is_written_when_the_process_was_reaped(books: Books) -> None:
    child = books.child()
    books.tell(child)
    assert books.lines == []
    books.accounts.reaped(child, FACTS)
    books.accounts.front_lost(FRONT)
    (line,) = books.lines
    assert (line["reason"], line["cpu_seconds"], line["peak_memory_kib"]) == ("timed-out", 0.5, 2048)
    assert books.announced == [], "the front knows it"


def test_what_a_draining_front_tells_is_for_the_one_that_serves(books: Books) -> None:
    child = books.child()
    child.holder = OTHER
    books.tell(child, OTHER)
    assert books.announced == [TOLD] and books.accounts.inheritance() == [TOLD]


def test_a_front_may_tell_after_the_process_was_reaped(books: Books) -> None:
    child = books.child()
    books.accounts.reaped(child, FACTS)
    assert books.lines == []
    books.tell(None, OTHER)
    assert books.lines == []
    books.tell(None)
    books.tell(None)
    books.accounts.front_lost(FRONT)
    assert [(line["reason"], line["cpu_seconds"]) for line in books.lines] == [("timed-out", 0.5)]
    assert books.retired == [], "the front remembers it"


@pytest.mark.parametrize("how", ["lost", "given"])
def test_what_a_front_cannot_tell_any_more_is_drawn_up(books: Books, how: str) -> None:
    child = books.child(state=BUSY)
    books.accounts.reaped(child, FACTS)
    books.accounts.front_lost(OTHER)
    assert books.lines == []
    if how == "lost":
        books.accounts.front_lost(FRONT)
    else:
        books.accounts.let_go(child.id)
    (line,) = books.lines
    assert (line["reason"], line["requests"], line["user"], line["bytes_in"]) == ("stopped", 5, "ada", 10)
    assert (line["handle"], line["cpu_seconds"]) == ("hand…", 0.5)
    assert [ending.reason for ending in books.announced] == ["stopped"]
    (entry,) = books.retired
    assert (entry.key, entry.timeout, entry.reason) == (
        session_key("", b"/cgi", b"handle-0"),
        60.0,
        Reason.STOPPED,
    )


def test_an_instance_that_nobody_holds_is_drawn_up_once(books: Books) -> None:
    child = books.child()
    child.holder = None
    books.accounts.stopped(child)
    books.accounts.stopped(child)
    assert books.lines == []
    books.accounts.reaped(child, FACTS)
    assert books.reasons == ["stopped"]
    assert len(books.announced) == 1


def test_what_no_front_was_there_to_hear_the_next_one_hears_in_order(books: Books) -> None:
    child = books.child(sessions=(8, 9))
    child.holder, books.heir = None, False
    books.accounts.stopped(child)
    books.accounts.announce_to_heir()
    assert books.announced == []
    books.heir = True
    books.accounts.announce_to_heir()
    books.accounts.announce_to_heir()
    assert [ending.id for ending in books.announced] == ["1.8", "1.9"]


def test_sessions_of_a_shared_instance_are_told_one_by_one(books: Books) -> None:
    child = books.child(sessions=(8, 9))
    books.tell(child, slot=8, last=False)
    (line,) = books.lines
    assert (line["cpu_seconds"], line["peak_memory_kib"], line["pid"]) == (None, None, 99)
    books.tell(child, OTHER, slot=9)
    books.tell(child, slot=4)
    books.accounts.reaped(child, FACTS)
    assert len(books.lines) == 1
    books.tell(None, slot=8)
    books.tell(None, slot=9)
    assert [line["cpu_seconds"] for line in books.lines] == [None, 0.5]


def test_a_process_that_began_no_session_has_no_account(books: Books) -> None:
    child = books.child()
    books.table.open_slot(3, 1)
    books.accounts.reaped(child, FACTS)
    books.accounts.front_lost(FRONT)
    assert books.lines == []


def test_a_log_that_cannot_be_opened_leaves_the_files_of_before(books: Books, tmp_path: Path) -> None:
    books.accounts.configure({"": str(tmp_path)})
    assert "the session logs stay where they were" in (tmp_path / "error.log").read_text()
    child = books.child()
    books.tell(child)
    books.accounts.reaped(child, FACTS)
    assert books.reasons == ["timed-out"]


def test_the_next_front_inherits_each_ending_once_and_bounded(books: Books) -> None:
    books.tell(books.child(), slot=3)
    long = TOLD._asdict() | {"text": "x" * 100_000, "user": "\ud800"}
    for _ in range(300):
        child = books.child()
        books.accounts.told(FRONT, child, {"id": 1, "slot": 3, "last": True, "ending": long})
    assert {len(one.text) for one in books.accounts.inheritance()} == {1000}
    assert {one.user for one in books.accounts.inheritance()} == {"\\ud800"}
    assert len(books.accounts.inheritance()) == 200

    books.heir = False  # what nobody could be told is told by itself, and counted
    child = books.child()
    child.holder = None
    books.accounts.stopped(child)
    before = books.accounts.inheritance()
    assert "stopped" not in {one.reason for one in before}
    books.heir = True
    books.accounts.announce_to_heir()
    assert [one.reason for one in books.announced] == ["stopped"]
    assert books.accounts.inheritance()[-1].reason == "stopped"


@pytest.mark.parametrize("last", [True, False])
def test_a_session_that_was_told_is_no_other_fronts(books: Books, last: bool) -> None:
    child = books.child(sessions=(4, 5))
    books.tell(child, slot=4, last=last)
    assert [books.table.state(slot) for slot in (3, 4, 5)] == [ENDING if last else FIRST, ENDING, IDLE]
