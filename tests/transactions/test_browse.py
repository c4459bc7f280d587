"""Browsing: a file and a cursor that stay open, pages of constant cost, whatever lies in the file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from tests.blackbox.conftest import Serve
from tests.blackbox.harness import Gateway
from tests.blackbox.markup import Markup
from tests.blackbox.proc import descriptors, started, status
from tests.transactions.bank import SERVED
from tests.transactions.visitor import Visitor

BROWSE = "/programs/browse.py"
LINES = 1_000_000
LENGTH = 40  # lines of a page
READ, GROWTH = 20_000, 1_024  # bytes that are read for a page; KiB of memory


class Reader(Visitor):
    """Somebody who reads the file; `program` is the process that has it open."""

    def __init__(self, gateway: Gateway) -> None:
        super().__init__(gateway, f"{BROWSE}?open=file")
        self.program = max(gateway.instances(), key=started)
        self.here = self.url

    def go(self, query: str) -> list[str]:
        """Another page; its lines."""
        assert self.get(f"{self.here}?{query}").status == 200, self.page
        return self.lines

    @property
    def lines(self) -> list[str]:
        """The lines that the page shows."""
        return [unescape(line) for line in re.findall("<li><code>(.*?)</code></li>", self.page.text, re.DOTALL)]

    @property
    def first(self) -> int:
        """The number of the first line."""
        found = re.search(r'<ol class="lines" start="(\d+)">', self.page.text)
        assert found, self.page
        return int(found[1])

    def way(self, relation: str) -> str:
        """The query of a link of the page, "" if there is none."""
        found = re.search(rf'<a rel="{relation}" href="[^"?]*\?([^"]*)"', self.page.text)
        return unescape(found[1]) if found else ""

    def read(self) -> int:
        """The bytes that the program has read since it began."""
        found = re.match(r"rchar: (\d+)", Path(f"/proc/{self.program}/io").read_text())
        assert found
        return int(found[1])

    def file(self) -> list[str]:
        """What the program has open below the folder of the test."""
        return [path for path in descriptors(self.program).values() if "book" in path]


@pytest.fixture(scope="module")
def gateway(serve_shared: Serve, tmp_path_factory: pytest.TempPathFactory) -> Gateway:
    folder = tmp_path_factory.mktemp("read")
    more = f'SetEnv PROGRAM_DATA "{folder}"\nSetEnv BROWSE_FILE "{folder}/book"\n'
    gateway = serve_shared(SERVED + more)
    gateway.folder = folder
    return gateway


@pytest.fixture
def book(gateway: Gateway) -> Path:
    """The file, where the administrator has put it."""
    return gateway.folder / "book"


@pytest.fixture
def closing() -> Iterator[list[Reader]]:
    """Readers that are done with at the end of the test."""
    readers: list[Reader] = []
    yield readers
    for reader in readers:
        reader.send(reader.here, do="close")


def numbered(first: int, count: int = LENGTH) -> list[str]:
    return [f"line {number} of the book" for number in range(first, first + count)]


def write(book: Path, lines: list[str]) -> None:
    """Put a new file in its place."""
    new = book.with_suffix(".new")
    new.write_text("".join(f"{line}\n" for line in lines))
    new.rename(book)


def test_a_million_lines_in_constant_memory_and_reading(
    gateway: Gateway, book: Path, closing: list[Reader]
) -> None:
    write(book, numbered(1, LINES))
    reader = Reader(gateway)
    closing.append(reader)
    assert reader.lines == numbered(1)
    assert reader.go("percent=100") == numbered(LINES - LENGTH + 1) and reader.way("next") == ""
    assert "1,000,000 in all" in reader.page.text
    reader.go(f"line={LINES // 2}")
    opened, before, most = reader.file(), status(reader.program, "VmRSS"), 0
    places = [*range(1, LINES - LENGTH, LINES // 60), *range(LINES // 2, LINES // 2 - 50 * LENGTH, -LENGTH)]
    for place in places + places[::-1]:
        read = reader.read()
        assert reader.go(f"line={place}") == numbered(place)
        most = max(most, reader.read() - read)
    assert most < READ
    assert status(reader.program, "VmRSS") - before < GROWTH
    assert reader.file() == opened == [str(book)]


def test_pages_forward_and_back_keep_the_position(gateway: Gateway, book: Path, closing: list[Reader]) -> None:
    write(book, numbered(1, 1000))
    reader = Reader(gateway)
    closing.append(reader)
    assert reader.way("prev") == reader.way("first") == ""
    for page in range(1, 4):
        assert reader.go(reader.way("next")) == numbered(1 + page * LENGTH)
    assert reader.get(reader.here) and reader.lines == numbered(121)
    assert reader.go(reader.way("prev")) == numbered(81)
    assert reader.go(reader.way("last")) == numbered(961)
    assert reader.go(reader.way("first")) == numbered(1)
    assert reader.go("percent=50") == numbered(501 + (reader.first - 501)) and 480 <= reader.first <= 520
    assert reader.go("line=700") == numbered(700)
    assert Markup(reader.page.text).problems == []
    for nonsense in ("line=x", "line=-1", "line=", "percent=7.5", "line=%D9%A3", "line=" + "9" * 4000, "a=b"):
        reader.go(nonsense)
        assert reader.lines == numbered(700), nonsense
    assert reader.go("line=0") == numbered(1)
    assert reader.go("line=999999999") == numbered(961)
    assert reader.go("percent=250") == numbered(961)


def test_the_URL_cannot_name_a_file(gateway: Gateway, book: Path) -> None:
    write(book, ["the only line"])
    for query in ("open=/etc/passwd", "file=/etc/passwd", "BROWSE_FILE=/etc/passwd", "open=../../etc/passwd"):
        page = gateway.get(f"{BROWSE}?{query}")
        assert page.status == 200 and "root:" not in page.text and "<h1>Browse</h1>" in page.text
    assert gateway.get(f"{BROWSE}/etc/passwd").text == gateway.get(BROWSE).text


def test_a_file_that_is_replaced_stays_the_one_that_was_opened(
    gateway: Gateway, book: Path, closing: list[Reader]
) -> None:
    write(book, numbered(1, 200))
    reader = Reader(gateway)
    closing.append(reader)
    write(book, ["another book"])
    assert reader.go("line=41") == numbered(41)
    assert "Another file has this name now" in reader.page.text
    book.unlink()
    assert reader.go("line=81") == numbered(81) and "Another file has this name now" in reader.page.text
    assert Visitor(gateway, f"{BROWSE}?open=file").page.status == 404


def test_a_file_that_is_cut_or_written_over_is_counted_anew(
    gateway: Gateway, book: Path, closing: list[Reader]
) -> None:
    write(book, numbered(1, 5000))
    reader = Reader(gateway)
    closing.append(reader)
    reader.go("percent=100")
    os.truncate(book, len("".join(f"{line}\n" for line in numbered(1, 100))))
    assert reader.go("line=4000") == numbered(61)
    assert "100 in all" in reader.page.text and "The file was changed" in reader.page.text
    os.truncate(book, 0)
    assert reader.go("line=61") == [] and reader.page.status == 200
    with open(book, "a") as file:
        file.write("a\nb\nc")
    assert reader.go("line=1") == ["a", "b", "c"] and "3 in all" in reader.page.text
    with open(book, "a") as file:
        file.write("c\nd\n")
    assert reader.go("line=1") == ["a", "b", "cc", "d"] and "4 in all" in reader.page.text


def test_whatever_lies_in_the_file_is_shown_as_text(
    gateway: Gateway, book: Path, closing: list[Reader]
) -> None:
    long = b"x" * 3_000_000
    book.write_bytes(
        b"<b>&amp;\n\xff\xfe caf\xe9 \xc3\xa9\n\x00\x1b[1m\ttab\r\n\n" + long + b"\nno newline at the end"
    )
    reader = Reader(gateway)
    closing.append(reader)
    plain, broken, control, empty, cut, last = reader.lines
    assert plain == "<b>&amp;" and "<b>" not in reader.page.text
    assert broken == "\ufffd\ufffd caf\ufffd é"
    assert control == "\u2400\u241b[1m\ttab"
    assert (empty, last) == ("", "no newline at the end")
    assert cut == "x" * 1024 + "… (3,000,001 bytes)"
    assert "6 in all" in reader.page.text and Markup(reader.page.text).problems == []


def test_an_empty_file_has_no_lines(gateway: Gateway, book: Path, closing: list[Reader]) -> None:
    book.write_bytes(b"")
    reader = Reader(gateway)
    closing.append(reader)
    for query in ("line=1", "line=50", "percent=50", "percent=100"):
        assert reader.go(query) == [] and reader.title == "No lines"
    assert "0 in all" in reader.page.text and Markup(reader.page.text).problems == []


def test_counting_is_bounded_and_goes_on_at_the_next_page(
    gateway: Gateway, book: Path, closing: list[Reader]
) -> None:
    book.write_bytes(b"\n" * 4_500_000)
    reader = Reader(gateway)
    closing.append(reader)
    looks = 0
    while not reader.go("line=4499990"):
        looks += 1
        assert "Go on to line 4,499,990" in reader.page.text
    assert looks == 1 and reader.first == 4_499_961


def test_close_ends_the_session_and_closes_the_file(gateway: Gateway, book: Path) -> None:
    write(book, numbered(1, 50))
    reader = Reader(gateway)
    reader.post(do="close")
    assert gateway.get(reader.here).status in (200, 410)
    assert gateway.reason(reader.here) == "ended"
