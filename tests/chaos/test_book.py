"""The book tells a wrong answer from a right one: each rule can fail."""

from __future__ import annotations

import pytest

from tests.chaos.book import Answer, Book, Rules, Visitor
from tests.chaos.faults.fault import CRASHED, STOPPED
from tests.chaos.programs import SHARED

RULES = Rules(CRASHED | STOPPED)


def begun(
    rules: Rules = RULES, programs: tuple[str, ...] = ("native", "native")
) -> tuple[Book, Visitor, Visitor]:
    """Two visitors with a session each."""
    one, other = (Visitor(number, program, rotates=False) for number, program in enumerate(programs))
    book = Book(rules, [one, other])
    for visitor in (one, other):
        visitor.target()
        book.answered(visitor, page(visitor))
    assert not book.failures and one.count == other.count == 1
    return book, one, other


def page(visitor: Visitor, rest: bytes = b"", **changed: object) -> Answer:
    """What a program answers to the visitor's newest request."""
    told = {
        "count": visitor.count + 1,
        "word": visitor.word,
        "nonce": f"{visitor.number}.{visitor.serial}",
        "pid": 7,
        "handle": f"h{visitor.number}",
        "length": 0,
    }
    line = " ".join(f"{name}={value}" for name, value in (told | changed).items())
    return Answer(200, None, line.encode() + b"\n" + rest)


def kinds(book: Book) -> list[str]:
    return [failure.partition(":")[0] for failure in book.failures]


def test_the_next_count_is_right_and_any_other_is_wrong() -> None:
    for count, wrong in ((2, []), (1, ["wrong"]), (3, ["wrong"])):
        book, one, _ = begun()
        one.target()
        book.answered(one, page(one, count=count))
        assert kinds(book) == wrong


def test_after_a_cut_request_two_counts_are_right() -> None:
    for count, wrong in ((2, []), (3, []), (4, ["wrong"])):
        book, one, _ = begun(RULES._replace(cuts=True))
        one.target()
        book.cut(one, "")
        one.target()
        book.answered(one, page(one, count=count))
        assert kinds(book) == wrong


def test_another_visitors_word_nonce_or_page_is_a_mixed_session() -> None:
    for changed in ({"word": "other"}, {"nonce": "1.1"}, {"rest": True}):
        book, one, other = begun()
        one.target()
        rest = other.word.encode() if changed.pop("rest", False) else b""
        book.answered(one, page(one, rest, **changed))
        assert kinds(book) == ["mixed"]


def test_a_page_that_lacks_something_is_wrong() -> None:
    book, one, _ = begun()
    one.target(fill=2)
    book.answered(one, page(one, one.word.encode()), fill=2)
    assert kinds(book) == ["wrong"]


@pytest.mark.parametrize("end", [(410, "crashed"), (410, "stopped"), (410, "timed-out"), (404, None)])
def test_a_session_that_no_fault_met_is_lost_whatever_the_reason(end: tuple[int, str | None]) -> None:
    book, one, _ = begun()
    one.target()
    book.answered(one, Answer(*end, b""))
    assert kinds(book) == ["lost" if end[0] == 410 else "wrong"]


def test_one_that_a_fault_met_may_end_by_its_reasons_only() -> None:
    for reason, wrong in (("stopped", []), ("replaced", ["lost"])):
        book, one, _ = begun()
        one.target()
        book.expose([one])
        book.answered(one, Answer(410, reason, b""))
        assert kinds(book) == wrong
        assert book.figures["lost in flight"] == (not wrong)


def test_once_it_was_answered_again_the_fault_is_over() -> None:
    book, one, _ = begun()
    book.expose([one])
    for _ in range(2):
        one.target()
        book.answered(one, page(one))
    one.target()
    book.answered(one, Answer(410, "stopped", b""))
    assert kinds(book) == ["lost"]


def test_S5_a_fault_that_meets_a_shared_instance_meets_all_of_its_sessions() -> None:
    book, one, other = begun(programs=(SHARED, SHARED))
    book.expose([one])
    other.target()
    book.answered(other, Answer(410, "stopped", b""))
    assert kinds(book) == []


def test_cuts_and_refusals_fail_unless_the_fault_makes_them() -> None:
    for allowed in (False, True):
        book, one, _ = begun(Rules(cuts=allowed, refuses=allowed))
        one.target()
        book.cut(one, "")
        book.refused(one)
        assert kinds(book) == ([] if allowed else ["wrong", "refusals"])


def test_a_kept_connection_may_be_closed_but_then_nothing_was_carried_out() -> None:
    book, one, _ = begun()
    one.target()
    book.cut(one, "", stale=True)
    one.target()
    book.answered(one, page(one, count=3))
    assert kinds(book) == ["wrong"]


def test_a_session_whose_last_request_was_cut_may_have_ended() -> None:
    book, one, _ = begun(RULES._replace(cuts=True))
    one.target()
    book.cut(one, "", bye=True)
    one.target()
    book.answered(one, Answer(410, "ended", b""))
    assert kinds(book) == [] and book.figures["lost in flight"] == 0


def test_newcomers_are_turned_away_only_where_the_fault_says_so() -> None:
    for rules, wrong in ((Rules(), ["wrong"]), (Rules(newcomers=frozenset({503})), [])):
        visitor = Visitor(0, "native", rotates=False)
        book = Book(rules, [visitor])
        visitor.target()
        book.answered(visitor, Answer(503, None, b""))
        assert kinds(book) == wrong
