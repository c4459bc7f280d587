"""The three counters: the same page, each proving another way of writing a persistent program."""

import re
import sys
from pathlib import Path

import pytest

from .pipes import HOST, OFFER, ROOT, Program, Response

COUNTERS = ROOT / "cgi-bin"
FILES = ["counter.py", "counter.sh", "counter.pl"]
NAMES = [
    pytest.param("counter.py"),
    pytest.param("counter.sh", marks=pytest.mark.needs("bash")),
    pytest.param("counter.pl", marks=pytest.mark.needs("perl")),
]


def counter(name: str, body: bytes = b"") -> Program:
    """A counter, started as the gateway starts it."""
    program: list[str | Path] = [COUNTERS / name]
    if name.endswith(".py"):
        program = [sys.executable, HOST, *program]
    return Program(program, None, body, COUNTERS)


def count(response: Response) -> int:
    """The number on the page."""
    found = re.search(r"<output>(\d+)</output>", response.body)
    assert found is not None and response.marked
    return int(found[1])


@pytest.mark.parametrize("name", NAMES)
def test_the_number_lives_in_the_process(name: str) -> None:
    with counter(name) as program:
        assert count(program.response()) == 1
        assert [count(program.call({"HTSESSION_HANDLE": OFFER})) for _ in range(3)] == [2, 3, 4]
        assert program.end() == 0
        assert program.stderr() == ""


@pytest.mark.parametrize("name", NAMES)
def test_H5_it_keeps_its_first_handle_and_links_to_it(name: str) -> None:
    with counter(name) as program:
        first = program.response().output.decode()
        again = program.call({"HTSESSION_HANDLE": OFFER, "HTSESSION_NEXT_HANDLE": "other"}).output.decode()
    for page in (first, again):
        assert page.startswith(
            f"Accept-HTSession: {OFFER}\nContent-Type: text/html; charset=utf-8\n\n<!doctype html>"
        )
        assert f'action="/cgi-bin/program/{OFFER}"' in page
        assert "offe…" in page and "300 s" in page and f"process {program.process.pid}" in page


@pytest.mark.parametrize("name", NAMES)
def test_H8_the_last_page_sends_no_handle(name: str) -> None:
    with counter(name) as program:
        program.response()
        page = program.call({"HTSESSION_HANDLE": OFFER, "QUERY_STRING": "end"})
        assert page.output.startswith(b"Content-Type: text/html") and b"Accept-HTSession" not in page.output
        assert count(page) == 2
        assert "Start another" in page.body and "Count on" not in page.body


@pytest.mark.parametrize("name", NAMES)
def test_a_note_is_decoded_kept_and_escaped(name: str) -> None:
    form = b"note=%3Cb%3E+%26+%22%27%5Cn+%C3%A4%"
    escaped = "&lt;b&gt; &amp; &quot;&#x27;\\n ä"
    with counter(name) as program:
        assert 'value=""' in program.response().body
        assert f'value="{escaped}' in program.call(body=form).body
        assert f'value="{escaped}' in program.call().body
        assert "<b>" not in program.call({"QUERY_STRING": "end"}).body
        assert 'value="x"' in program.call(body=b"note=x&more=y").body


@pytest.mark.parametrize("name", NAMES)
def test_P9_a_huge_note_does_not_hurt(name: str) -> None:
    with counter(name, body=b"note=" + b"x" * (1 << 20)) as program:
        assert count(program.response()) == 1
        assert count(program.call(body=b"note=" + b"%" * (1 << 20))) == 2
        assert count(program.call(body=b"\xff\0" * 4096)) == 3


@pytest.mark.needs("bash", "perl")
def test_all_counters_print_the_same_page() -> None:
    pages = []
    for name in FILES:
        with counter(name) as program:
            text = program.response().output.decode() + program.call({"QUERY_STRING": "end"}).output.decode()
            text = text.replace(str(program.process.pid), "PID").replace(name, "NAME")
        pages.append(re.sub("Python|Bash|Perl", "LANGUAGE", text))
    assert pages[0] == pages[1] == pages[2]
