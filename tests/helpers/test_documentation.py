"""What the documentation shows works: the examples in the libraries, docs/protocol.md."""

import re
import sys
from pathlib import Path

import pytest

from tests.programs.pipes import HELPERS, MARK, ROOT, Program

from .conftest import ALL, LANGUAGES, counts, example


@pytest.mark.parametrize("name", ALL[:-1])  # of C++ see test_c_header.py
def test_the_example_in_each_library_works_as_it_stands(tmp_path: Path, name: str) -> None:
    source = tmp_path / f"example{LANGUAGES[name].ending}"
    source.write_text(example(LANGUAGES[name].library))
    (tmp_path / LANGUAGES[name].library).write_bytes((HELPERS / LANGUAGES[name].library).read_bytes())
    with Program(LANGUAGES[name].command(source), directory=tmp_path) as program:
        counts(program)


def sample(number: int) -> str:
    """A code block of docs/protocol.md: 0 Python, 1 Bash."""
    blocks = re.findall(r"```(?:python|bash)\n(.*?)```", (ROOT / "docs" / "protocol.md").read_text(), re.DOTALL)
    return str(blocks[number])


def test_the_documented_loop_without_a_library_works(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(sample(0))
    with Program([sys.executable, tmp_path / "sample.py"]) as program:
        counts(program)


@pytest.mark.needs("bash")
def test_the_documented_loop_in_bash_works(tmp_path: Path) -> None:
    (tmp_path / "sample.sh").write_text(sample(1))
    with Program(["bash", tmp_path / "sample.sh"]) as program:
        assert program.response().body == "visit 1\n"
        assert program.call({"HTSESSION_HANDLE": "mine"}).output.startswith(b"Accept-HTSession: mine\n")
        assert program.call().body == "visit 3\n"
        assert program.end() == 0
    assert MARK not in sample(1)
