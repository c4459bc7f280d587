"""The bank counter: one transaction over many pages, alone with its two accounts until it says commit."""

from __future__ import annotations

import os
import signal

import pytest

from tests.blackbox.clients import Client
from tests.blackbox.harness import Gateway
from tests.blackbox.markup import Markup
from tests.transactions.bank import (
    ADA,
    BARBARA,
    EDSGER,
    GRACE,
    Bank,
    begin,
    counter,
    post,
    public,
    shown,
    teller,
)
from tests.transactions.visitor import FORM, Visitor


@pytest.fixture(scope="module")
def gateway(bank: Bank) -> Gateway:
    """A gateway for the tests that leave it running."""
    gateway = bank.open()
    teller(gateway).post(do="leave")  # the tables are there
    return gateway


# ---- isolation, commit, roll back


def test_a_second_browser_sees_the_old_balances_until_commit(bank: Bank, gateway: Gateway) -> None:
    before = public(gateway)
    with counter(gateway) as visitor:
        post(visitor, ADA, BARBARA, "12.50", "lunch")
        post(visitor, BARBARA, ADA, "2")
        assert visitor.note == "Posted: 2.00 from Barbara to Ada."
        assert shown(visitor.page)["Ada"][0] != shown(visitor.page)["Ada"][1]
        assert visitor.page.text.count("<small>slip ") == 2
        assert public(gateway) == before
        visitor.post(do="commit")
        assert visitor.title == "Committed" and "2 postings" in visitor.note
    after = public(gateway)
    assert (after["Ada"], after["Barbara"]) == (before["Ada"] - 10_50, before["Barbara"] + 10_50)
    assert bank.balances()[ADA] == after["Ada"]
    assert "lunch" in gateway.get("/programs/transfer.py?balances").text


def test_roll_back_leaves_everything_as_it_was(bank: Bank, gateway: Gateway) -> None:
    before, count = bank.balances(), bank.postings()
    with counter(gateway) as visitor:
        post(visitor, ADA, BARBARA, "99")
        visitor.post(do="roll back")
        assert visitor.title == "Rolled back"
        assert gateway.reason(visitor.url) == "ended"
    assert (bank.balances(), bank.postings()) == (before, count)
    bank.wait_free(gateway)


def test_commit_ends_the_session_and_frees_the_accounts(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        visitor.post(do="commit")
        assert visitor.note.startswith("Everybody sees it now: 0 postings of slip ")
        assert gateway.reason(visitor.url) == "ended"
    bank.wait_free(gateway)


def test_a_second_teller_is_told_that_somebody_else_is_at_the_counter(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway, ADA, BARBARA) as first:
        second = teller(gateway)
        begin(second, EDSGER, BARBARA)
        assert second.page.status == 200 and second.title == "Bank counter"
        assert second.note.startswith("Somebody else is at the counter") and "Try again" in second.note
        assert ("SQLite locks the whole database" in first.page.text) == (bank.kind == "sqlite")
        begin(second, EDSGER, GRACE)
        assert second.title.startswith("Transaction ") == (bank.kind != "sqlite")
        first.post(do="roll back")
        if bank.kind == "sqlite":
            begin(second, EDSGER, GRACE)
        post(second, GRACE, EDSGER, "1")
        second.post(do="commit")
        assert second.title == "Committed"
    bank.balances()


# ---- what is refused


def test_an_amount_is_a_positive_number_of_cents(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        for amount in ("", "0", "0.00", "-5", "+5", "1.234", "1e3", "1,234.50", "٣", "12345678", "x" * 5000):
            post(visitor, ADA, BARBARA, amount, "kept")
            assert visitor.note.startswith("An amount is a number such as 12.50"), amount
            assert 'value="kept"' in visitor.page.text and "slip " not in visitor.page.text


def test_amounts_are_exact_in_either_notation(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        for amount in ("0.1", "0,20", " 7 ", "0.70"):
            post(visitor, ADA, BARBARA, amount)
        before, now = (int(cell.replace(",", "").replace(".", "")) for cell in shown(visitor.page)["Ada"])
        assert before - now == 8_00


def test_no_account_goes_below_zero(bank: Bank, gateway: Gateway) -> None:
    balance = bank.balances()[BARBARA]
    with counter(gateway) as visitor:
        post(visitor, BARBARA, ADA, f"{balance // 100}.{balance % 100:02}")
        assert shown(visitor.page)["Barbara"][1] == "0.00"
        post(visitor, BARBARA, ADA, "0.01")
        assert visitor.note == "Barbara has less than 0.01, and no account may go below zero."
        assert visitor.page.text.count("<small>slip ") == 1


def test_a_posting_stays_between_the_two_accounts(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        for source, target in (
            ("1", "1"),
            ("1", "3"),
            ("9", "1"),
            ("1", ""),
            ("1; DROP TABLE bank_account", "2"),
        ):
            visitor.post(do="post", source=source, target=target, amount="1", text="")
            assert visitor.note == "A posting goes from one of the two accounts to the other."
            assert "slip " not in visitor.page.text


def test_two_different_accounts_must_be_chosen(bank: Bank, gateway: Gateway) -> None:
    visitor = teller(gateway)
    for first, second in (("1", "1"), ("1", "77"), ("", ""), ("x", "2")):
        visitor.post(do="begin", first=first, second=second)
        assert visitor.note == "Choose two different accounts."
    visitor.post(do="leave")


def test_a_step_that_makes_no_sense_changes_nothing(bank: Bank, gateway: Gateway) -> None:
    visitor = teller(gateway)
    for do in ("commit", "roll back", "post", "dance", ""):
        visitor.post(do=do)
        assert visitor.title == "Bank counter"
    begin(visitor)
    for do in ("begin", "leave", "dance"):
        visitor.post(do=do, first="1", second="3")
        assert visitor.title.startswith("Transaction ")
    visitor.post(do="roll back")


# ---- a step is taken once


def test_H5_a_page_is_out_of_date_when_its_step_was_taken(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        old = visitor.url
        post(visitor, ADA, BARBARA, "5")
        assert gateway.reason(old) == "replaced"
        again = visitor.send(old, do="post", source="1", target="2", amount="5")
        assert (again.status, again.header("x-htsession-ended")) == (410, "replaced")
        assert visitor.look().text.count("<small>slip ") == 1


def test_a_page_can_be_looked_at_again(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        post(visitor, ADA, BARBARA, "5")
        page = visitor.page.text
        assert visitor.look().text == page
        public(gateway)
        assert visitor.look().text == page


def test_R7_a_step_whose_answer_was_lost_is_not_taken_twice(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        fields = {"do": "post", "source": "1", "target": "2", "amount": "5"}
        body = "&".join(f"{name}={value}" for name, value in fields.items()).encode()
        for _ in range(2):
            _lose(gateway, visitor.url, body)
        visitor.post(**fields)
        assert visitor.page.text.count("<small>slip ") == 1
        assert visitor.note == (
            "Posted: 5.00 from Ada to Barbara. (You did not get this answer at first. The step was taken once.)"
        )
        post(visitor, ADA, BARBARA, "6")
        assert visitor.page.text.count("<small>slip ") == 2


def test_R7_a_step_is_taken_when_only_a_look_was_lost(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        assert gateway.request("HEAD", visitor.url).status == 200
        post(visitor, ADA, BARBARA, "5")
        assert visitor.note == "Posted: 5.00 from Ada to Barbara."


def _lose(gateway: Gateway, url: str, body: bytes) -> None:
    """A POST whose client leaves before the program has answered."""
    programs = gateway.instances()
    for pid in programs:
        os.kill(pid, signal.SIGSTOP)
    try:
        Client(gateway, url, "POST", body, **FORM).leave()
    finally:
        for pid in programs:
            os.kill(pid, signal.SIGCONT)


# ---- pages


def test_pages_are_whole_and_nothing_typed_is_markup(bank: Bank, gateway: Gateway) -> None:
    with counter(gateway) as visitor:
        tag = '"><script>alert(1)</script>'
        post(visitor, ADA, BARBARA, tag, tag)
        post(visitor, ADA, BARBARA, "1", tag + "\x00\n\x85é" + "x" * 100)
        for page in (visitor.page, gateway.get("/programs/transfer.py?balances")):
            assert Markup(page.text).problems == []
        assert (
            "<script" not in visitor.page.text and "&lt;script&gt;alert(1)&lt;/script&gt;é" in visitor.page.text
        )
        visitor.post(do="commit")
        assert Markup(visitor.page.text).problems == []
    assert Markup(teller(gateway).page.text).problems == []
    bank.balances()


def test_a_post_without_a_session_is_led_to_the_counter(bank: Bank, gateway: Gateway) -> None:
    visitor = Visitor(gateway, "/programs/transfer.py?balances")
    answer = visitor.send("/programs/transfer.py", do="commit")
    assert answer.status == 303
    visitor.get(answer.header("location") or "")
    assert visitor.title == "Bank counter"
    visitor.post(do="leave")
    assert visitor.title == "Good-bye"
