"""What is C's and C++'s own: compilers, C++ streams, the same source under the native host, memory."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs.pipes import HELPERS, ROOT, Program

from .conftest import STRICT, asking, counts, example

STANDARDS = {
    "gcc": ["-std=c99", "-std=c11 -D_POSIX_C_SOURCE=200809L"],
    "g++": ["-xc++ -std=c++17"],
    "clang": ["-std=c99"],
    "clang++": ["-xc++ -std=c++17"],
    "musl-gcc": ["-std=c99"],
}
COMPILERS = [
    pytest.param(tool, options.split(), marks=pytest.mark.needs(tool), id=f"{tool} {options}")
    for tool, standards in STANDARDS.items()
    for options in standards
]
NATIVE: list[str | Path] = [sys.executable, ROOT / "gateway" / "hosts" / "native.py"]
SHARED = ["-shared", "-fPIC"]
LEAVING_EARLY = """#include "htsession.h"
int main(void) {
    static int count;
    if (!htsession_accept()) return 1;
    printf("%d", ++count);
    return count % 2 ? 0 : htsession_accept();
}
"""
STREAMS = """#include "htsession.h"
#include <string>
int main() {
    std::ios::sync_with_stdio(!getenv("APART_FROM_STDIO"));
    while (htsession_accept()) {
        std::string word;
        for (int most = atoi(getenv("QUERY_STRING")); most > 0 && std::cin >> word; most--)
            std::cout << word << ';';
    }
}
"""
HEAP = """#include "htsession.h"
#include <malloc.h>
int main(void) {
    while (htsession_accept()) printf("%zu", mallinfo2().uordblks);
}
"""


def build(folder: Path, tool: str, options: list[str], source: str) -> Path:
    (folder / "program.c").write_text(source)
    strict = [*STRICT, "-Wshadow", "-Wconversion", "-I", str(HELPERS)]
    subprocess.run([tool, *options, *strict, "-o", "program", "program.c"], cwd=folder, check=True)
    return folder / "program"


@pytest.mark.parametrize(("tool", "options"), COMPILERS)
def test_the_header_compiles_without_a_warning(tmp_path: Path, tool: str, options: list[str]) -> None:
    with Program([build(tmp_path, tool, options, example("htsession.h"))]) as program:
        counts(program)


@pytest.mark.needs("g++")
def test_streams_of_CPP_have_the_body_of_the_present_request(tmp_path: Path) -> None:
    built = build(tmp_path, "g++", ["-xc++", "-std=c++17"], STREAMS)
    all_words, first_word = {"QUERY_STRING": "9"}, {"QUERY_STRING": "1"}
    for apart in ({}, {"APART_FROM_STDIO": "yes"}):
        with Program([built], {**all_words, **apart}, b"one two") as program:
            assert program.response() == (b"one;two;", True)
            assert program.call(first_word, b"three four") == (b"three;", True)
            assert program.call(all_words) == (b"", True)
            assert program.call(first_word, b"five " * 1000) == (b"five;", True)
            assert program.call(all_words, b"six") == (b"six;", True)


@pytest.mark.needs("gcc")
def test_the_same_source_is_a_program_for_the_native_host(tmp_path: Path) -> None:
    library = build(tmp_path, "gcc", SHARED, example("htsession.h"))
    with Program([*NATIVE, library], directory=tmp_path) as program:
        counts(program)


@pytest.mark.needs("gcc")
def test_a_hosted_loop_may_be_left_early(tmp_path: Path) -> None:
    library = build(tmp_path, "gcc", SHARED, LEAVING_EARLY)
    with Program([*NATIVE, library], directory=tmp_path) as program:
        assert program.response() == (b"1", True)
        assert [program.call().output for _ in range(4)] == [b"2", b"3", b"4", b"5"]


@pytest.mark.needs("gcc")
def test_a_thousand_different_requests_leave_no_memory_behind(tmp_path: Path) -> None:
    with Program([build(tmp_path, "gcc", ["-std=gnu17"], HEAP)]) as program:
        program.response()
        used = {
            int(program.call(asking("", f"{number:05}", HTTP_COOKIE=f"{number:05}" * 200)).output)
            for number in range(1000)
        }
        assert max(used) - min(used) < 5000
