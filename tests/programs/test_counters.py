"""The counters: the same page, each proving another way of writing a persistent program."""

import functools
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from .native import HOST as NATIVE_HOST
from .pipes import HELPERS, HOST, OFFER, PERL_HOST, ROOT, Program, Response

COUNTERS = ROOT / "cgi-bin"
LANGUAGES = {
    "counter.py": "Python",
    "counter.sh": "Bash",
    "counter.pl": "Perl",
    "counter.cgi": "C",
    "counter.so": "C",
    "counter-cob.so": "COBOL",
}
NAMES = [
    pytest.param("counter.py"),
    pytest.param("counter.sh", marks=pytest.mark.needs("bash")),
    pytest.param("counter.pl", marks=pytest.mark.needs("perl")),
    pytest.param("counter.cgi", marks=pytest.mark.needs("make", "cc")),
    pytest.param("counter.so", marks=pytest.mark.needs("make", "cc")),
    pytest.param("counter-cob.so", marks=pytest.mark.needs("make", "cobc")),
]
_folder = tempfile.TemporaryDirectory()


@functools.cache
def built() -> Path:
    """A folder with what `make programs` builds."""
    folder = Path(_folder.name)
    subprocess.run(["make", "-s", "programs", f"OUT={folder}"], cwd=ROOT, check=True, timeout=120)
    return folder


def counter(name: str, body: bytes = b"") -> Program:
    """A counter, started as the gateway starts it."""
    folder = COUNTERS if (COUNTERS / name).suffix in (".py", ".pl", ".sh") else built()
    program: list[str | Path] = [folder / name]
    if name.endswith(".py"):
        program = [sys.executable, HOST, *program]
    if name.endswith(".pl"):
        program = ["perl", PERL_HOST, *program]
    if name.endswith(".so"):
        program = [sys.executable, NATIVE_HOST, *program]
    return Program(program, None, body, folder)


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
def test_H5_every_page_has_a_handle_of_its_own_and_links_to_that_alone(name: str) -> None:
    with counter(name) as program:
        first = program.response().output.decode()
        again = program.call({"HTSESSION_HANDLE": OFFER, "HTSESSION_NEXT_HANDLE": "next"}).output.decode()
    for page, handle in ((first, OFFER), (again, "next")):
        assert page.startswith(
            f"Accept-HTSession: {handle}\nContent-Type: text/html; charset=utf-8\n\n<!doctype html>"
        )
        here = f"/cgi-bin/program/{handle}"
        assert all(link in page for link in (f'action="{here}"', f'href="{here}"', f'href="{here}?end"'))
        assert f"{handle[:4]}…" in page and "300 s" in page and f"process {program.process.pid}" in page
    assert OFFER[:4] not in again


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


def page(name: str) -> str:
    """The first and the last page of a counter without what tells it from others."""
    with counter(name) as program:
        text = program.response().output.decode() + program.call({"QUERY_STRING": "end"}).output.decode()
        return text.replace(str(program.process.pid), "PID").replace(f"Counter in {LANGUAGES[name]}", "TITLE")


@pytest.mark.parametrize("name", NAMES[1:])
def test_all_counters_print_the_same_page(name: str) -> None:
    assert page(name) == page("counter.py")


@pytest.mark.needs("gcc")
def test_the_counter_in_C_has_no_fault_that_the_sanitizers_know(tmp_path: Path) -> None:
    program = tmp_path / "counter.cgi"
    checks = [
        "-Wall",
        "-Wextra",
        "-Wpedantic",
        "-Werror",
        "-fsanitize=address,undefined",
        "-fno-sanitize-recover",
    ]
    source = ["-I", str(HELPERS), "-o", str(program), str(COUNTERS / "counter.c")]
    subprocess.run(["gcc", "-std=c99", "-O2", *checks, *source], check=True, timeout=60)
    with Program([program]) as running:
        assert count(running.response()) == 1
        for note in (b"%", b"%4", b"%zz%00", b"\xff" * 5000, b"%ff" * 5000, b"+&note=again"):
            assert running.call(body=b"note=" + note).marked
            assert running.call(body=b"x&note=" + note).marked
        assert count(running.call({"SCRIPT_NAME": "/\udcff %", "HTSESSION_NEXT_HANDLE": "ab"})) == 14
        assert running.end() == 0
        assert running.stderr() == ""
