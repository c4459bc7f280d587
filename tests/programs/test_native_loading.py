"""Loading a shared object under the native host: what is its own, and what is refused with which words."""

import os
import subprocess
from pathlib import Path

import pytest

from .native import compiled, in_c, native


@pytest.mark.needs("gcc")
def test_a_file_that_is_overwritten_in_place_does_not_change_a_living_session(tmp_path: Path) -> None:
    with in_c(tmp_path, 'printf("old%d", count);') as program:
        assert program.response().output == b"old1"
        file = tmp_path / "program.so"
        file.write_bytes(bytes(file.stat().st_size))
        assert program.call().output == b"old2"
        assert program.end() == 0


@pytest.mark.needs("gcc")
@pytest.mark.parametrize("name", ["error", "index", "PyErr_Clear", "htonl"])
def test_a_programs_own_functions_come_before_those_of_libraries(tmp_path: Path, name: str) -> None:
    own = f"#include <stdio.h>\nint {name}(int n) {{ return n + 1; }}\n"
    text = own + f'int main(void) {{ printf("%d", {name}(1)); return 0; }}'
    with native(compiled(tmp_path, text, ".c", "program", "-fno-builtin")) as program:
        assert program.response() == (b"2", True)


@pytest.mark.needs("gcc")
def test_libraries_beside_the_file_come_before_those_of_the_system(tmp_path: Path) -> None:
    own = 'const char *BZ2_bzlibVersion(void) { return "own"; }'
    compiled(tmp_path, own, ".c", "libbeside", "-Wl,-soname,libbz2.so.1.0").rename(tmp_path / "libbz2.so.1.0")
    text = (
        "#include <stdio.h>\nconst char *BZ2_bzlibVersion(void);\n"
        "int main(void) { puts(BZ2_bzlibVersion()); return 0; }"
    )
    path = compiled(tmp_path, text, ".c", "program", "-L..", "-l:libbz2.so.1.0", "-Wl,-rpath,$ORIGIN")
    with native(path) as program:
        assert program.response() == (b"own\n", True)
        assert program.call() == (b"own\n", True)


# ---- what cannot be loaded


def refused(path: Path) -> str:
    """What the host says of a file that it cannot run."""
    with native(path) as program:
        assert program.response() == (b"", False)
        assert program.process.wait(30) == 1
        message = program.stderr()
    assert message.startswith(f"{path}: ") and message.count("\n") == 1, message
    return message


def test_a_file_that_is_no_shared_object_is_explained(tmp_path: Path) -> None:
    (tmp_path / "text.so").write_text("#!/bin/sh\n")
    message = refused(tmp_path / "text.so")
    assert "text.so: file too short" in message or "invalid ELF header" in message
    assert f"expected a shared object for {os.uname().machine}" in message and "cobc -m" in message


@pytest.mark.parametrize("rest", [b"", b"\0" * 58, b"\xff" * 58, b"\x01" * 9000], ids=["none", "0", "255", "1"])
def test_a_broken_shared_object_is_explained(tmp_path: Path, rest: bytes) -> None:
    (tmp_path / "broken.so").write_bytes(b"\x7fELF\2\1" + rest)
    assert "expected a shared object" in refused(tmp_path / "broken.so")


@pytest.mark.needs("gcc")
def test_an_executable_and_a_missing_symbol_are_explained(tmp_path: Path) -> None:
    compiled(tmp_path, "int nowhere(void); int main(void) { return nowhere(); }")
    assert "undefined symbol: nowhere" in refused(tmp_path / "program.so")
    (tmp_path / "m.c").write_text("int main(void) { return 0; }")
    subprocess.run(["gcc", "-pie", "-o", "m.so", "m.c"], cwd=tmp_path, check=True, timeout=60)
    assert "cannot dynamically load position-independent executable" in refused(tmp_path / "m.so")


@pytest.mark.needs("gcc")
def test_without_an_entry_the_symbols_that_were_tried_are_named(tmp_path: Path) -> None:
    message = refused(compiled(tmp_path, "int other(void) { return 0; }", ".c", "My-1"))
    assert "main (C, C++, Fortran)" in message and "My__1 or my__1 or MY__1" in message
    assert "libcob" in refused(compiled(tmp_path, "int PAY(void) { return 0; }", ".c", "pay"))
