"""The report: a job that shows its progress while it runs, and a result that stays for the pages after it."""

from __future__ import annotations

import csv
import io
import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.blackbox.clients import Client
from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway, wait_for
from tests.blackbox.markup import Markup
from tests.blackbox.proc import started
from tests.transactions.bank import SERVED
from tests.transactions.visitor import FORM, Cells, Visitor

REPORT = "/programs/report.py"
STEP = b"<li><span>"


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve) -> Gateway:
    return serve_shared(SERVED)


@pytest.fixture
def visitor(gateway: Gateway) -> Iterator[Visitor]:
    visitor = Visitor(gateway, REPORT)
    assert visitor.title == "Collatz"
    yield visitor
    visitor.send(visitor.url.partition("/run")[0], do="end")


@contextmanager
def long_job(gateway: Gateway, visitor: Visitor) -> Iterator[tuple[Client, bytes, int]]:
    """A job of the newest program, held after its first steps: its client, what that got, the process."""
    program = max(gateway.instances(), key=started)
    answer = gateway.request("POST", visitor.action, b"do=start&thousands=60", FORM)
    client = Client(gateway, answer.header("location") or "", Connection="close")
    got = client.until(STEP)
    os.kill(program, signal.SIGSTOP)
    try:
        yield client, got, program
    finally:
        os.kill(program, signal.SIGCONT)


def steps(page: str) -> list[int]:
    """The per cent of each step that a page shows."""
    return [int(percent) for percent in re.findall(r"<li><span>(\d+) %: ", page)]


def best(most: int) -> tuple[int, int, int]:
    """The number with the longest chain up to there, its steps, all steps: counted in another way."""
    known = {1: 0}

    def chain(number: int) -> int:
        seen = []
        while number not in known:
            seen.append(number)
            number = 3 * number + 1 if number % 2 else number // 2
        for count, passed in enumerate(reversed(seen), known[number] + 1):
            known[passed] = count
        return known[seen[0]] if seen else known[number]

    chains = [chain(number) for number in range(1, most + 1)]
    return chains.index(max(chains)) + 1, max(chains), sum(chains)


def test_the_progress_is_there_before_the_job_is_done(gateway: Gateway, visitor: Visitor) -> None:
    with long_job(gateway, visitor) as (client, got, program):
        assert b"<h1>Counting</h1>" in got and b"See the report" not in got
        os.kill(program, signal.SIGCONT)
        got += client.until_closed()
        assert b"See the report" in got
    assert steps(got.decode()) == [*range(5, 101, 5)]
    assert visitor.look().text.count("<tr>") == 21


def test_the_page_of_the_job_is_whole_and_its_link_leads_to_the_result(visitor: Visitor) -> None:
    page = visitor.post(do="start", thousands="2")
    markup = Markup(page.text)
    assert markup.problems == [] and "<script" not in page.text and "style=" not in page.text
    assert steps(page.text) == [*range(5, 101, 5)]
    number, longest, total = best(2000)
    assert f"100 %: up to 2,000; longest: {longest} steps from {number:,}" in page.text
    report = visitor.get(markup.links()[0])
    assert Markup(report.text).problems == []
    assert f"Of the numbers up to 2,000, {number:,} takes the longest: {longest} steps" in report.text
    assert f"together took {total:,} steps" in report.text
    assert visitor.look().text == report.text


def test_the_result_comes_as_CSV_in_the_same_session(visitor: Visitor) -> None:
    visitor.post(do="start", thousands="1")
    table = Cells(visitor.get(visitor.url.partition("/run")[0]).text).rows
    answer = visitor.get(f"{visitor.url}/report.csv")
    assert answer.header("content-type") == "text/csv; charset=utf-8; header=present"
    assert answer.header("content-disposition") == 'attachment; filename="collatz-1000.csv"'
    rows = list(csv.reader(io.StringIO(answer.text, newline="")))
    assert [[cell.replace(",", "").lower() for cell in row] for row in table] == [
        [cell.lower() for cell in row] for row in rows
    ]
    assert rows[1][:2] == ["1", "50"] and rows[-1][:2] == ["951", "1000"] and answer.text.count("\r\n") == 21


def test_a_reload_of_the_job_does_not_run_it_again(visitor: Visitor) -> None:
    visitor.post(do="start", thousands="1")
    run = visitor.url
    assert visitor.get(run).text.count("<tr>") == 21 and visitor.url == run.partition("/run")[0]
    again = visitor.post(do="start", thousands="1")
    assert steps(again.text) and visitor.url != run
    assert visitor.get(run).text.count("<tr>") == 21


def test_pages_that_are_not_there_lead_to_the_one_that_is(visitor: Visitor) -> None:
    here = visitor.url
    for place in ("/report.csv", "/run/1", "/run/x", "/nothing", "/"):
        assert visitor.get(here + place).status == 200 and visitor.url == here


def test_the_length_of_the_job_is_bounded(visitor: Visitor) -> None:
    for text in ("", "0", "501", "-1", "1.5", "x", "٣", "9" * 5000, "<b>"):
        page = visitor.post(do="start", thousands=text)
        assert page.status == 422 and "A whole number from 1 to 500" in page.text and "<b>" not in page.text


def test_two_sessions_side_by_side_have_a_result_each(gateway: Gateway, visitor: Visitor) -> None:
    other = Visitor(gateway, REPORT)
    with long_job(gateway, other) as (client, _, _):
        visitor.post(do="start", thousands="1")
        assert "up to 1,000," in visitor.get(visitor.url.partition("/run")[0]).text
        client.leave()
    assert "up to 60,000," in other.look().text
    other.post(do="end")


def test_R7_a_visitor_who_left_in_the_middle_finds_the_result(gateway: Gateway, visitor: Visitor) -> None:
    with long_job(gateway, visitor) as (client, _, _):
        client.leave()
    assert visitor.look().text.count("<tr>") == 21


def test_T1_the_session_clock_stands_still_while_it_streams(serve: Serve) -> None:
    gateway = serve(SERVED + "MaxPersistentCGITimeout 2s")
    visitor = Visitor(gateway, REPORT)
    with long_job(gateway, visitor) as (client, _, program):
        idle = Visitor(gateway, REPORT)  # the clock of this one runs
        gateway.wait_log("HTS002 timed out")
        assert gateway.reason(idle.url) == "timed-out"
        os.kill(program, signal.SIGCONT)
        assert b"See the report" in client.until_closed()
        assert visitor.look().text.count("<tr>") == 21


def test_it_ends_when_told(gateway: Gateway) -> None:
    visitor = Visitor(gateway, REPORT)
    here = visitor.url
    visitor.post(do="end")
    assert visitor.title == "Good-bye"
    wait_for("the session to be over", lambda: gateway.get(here).status == 410)
    assert gateway.reason(here) == "ended"
