"""Small native programs, compiled for one test and run under the native host over pipes."""

import subprocess
import sys
from pathlib import Path

from .pipes import ROOT, Program

HOST = ROOT / "gateway" / "hosts" / "native.py"
_LIBRARY = ("-shared", "-fPIC", "-Wall", "-Wextra")
_COMPILERS = {
    ".c": ("gcc", *_LIBRARY),
    ".cpp": ("g++", *_LIBRARY),
    ".f90": ("gfortran", *_LIBRARY),
    ".cob": ("cobc", "-m", "-free"),
}
C_HEADERS = "".join(
    f"#include <{name}.h>\n" for name in ("errno", "signal", "stdio", "stdlib", "string", "unistd")
)


def compiled(folder: Path, source: str, suffix: str = ".c", name: str = "program", *options: str) -> Path:
    """A shared object, built in a folder of its own and moved to its place by name."""
    building = folder / "build"
    building.mkdir(exist_ok=True)
    (building / f"{name}{suffix}").write_text(source)
    built = building / f"{name}.so"
    command = [*_COMPILERS[suffix], "-o", str(built), str(building / f"{name}{suffix}"), *options]
    subprocess.run(command, check=True, timeout=60, cwd=building)
    return built.rename(folder / f"{name}.so")


def native(program: Path, body: bytes = b"", ahead: bool = False, **variables: str) -> Program:
    """A shared object under the host."""
    return Program([sys.executable, HOST, program], variables, body, ROOT, ahead)


def in_c(folder: Path, statements: str, body: bytes = b"", before: str = "") -> Program:
    """A C program of these statements; `count` is the number of the call."""
    main = f"int main(int argc, char **argv) {{ (void)argc, (void)argv; count++; {statements} return 0; }}"
    return native(compiled(folder, f"{C_HEADERS}{before}\nstatic int count;\n{main}\n"), body)


def in_cobol(folder: Path, statements: str, storage: str = "", name: str = "cobol-program") -> Program:
    """A COBOL program of these statements; `n` is in WORKING-STORAGE."""
    data = f"data division. working-storage section. 01 n pic 9(4) value 0. {storage}"
    text = f"identification division. program-id. {name}. {data} procedure division. {statements}."
    return native(compiled(folder, text.replace(". ", ".\n"), ".cob", name))
