"""The programs that are measured: what answers is small, and the same everywhere."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from bench.options import Missing
from bench.packages import install, need
from bench.servers import HERE, ROOT

HELPERS = ROOT / "gateway" / "helpers"
# A warm host remembers compiled scripts whose files are not younger than this
_SETTLED = 2.1  # seconds
_PACKAGES = {".py": ("python3", "python3-minimal"), ".pl": ("perl", "perl"), ".sh": ("sh", "dash")}


class Program(NamedTuple):
    """A file, what it is called, and the file that does the same under a plain CGI server."""

    file: str
    label: str
    plain: str


PYTHON = Program("hello.py", "Python, trivial", "hello.py")
FORM = Program("form.py", "Python, a form", "form.py")
IMPORTS = Program("imports.py", "Python, real imports", "imports.py")
PERL = Program("hello.pl", "Perl, trivial", "hello.pl")
CGI_PM = Program("form.pl", "Perl, CGI.pm", "form.pl")
SHELL = Program("hello.sh", "shell", "hello.sh")
C = Program("hello", "C", "hello")
SESSION_C = Program("session", "C", "hello")
SESSION_PYTHON = Program("session.py", "Python, small", "hello.py")
SESSION_PERL = Program("session.pl", "Perl, small", "hello.pl")
PYTHON_COUNTER = Program("counter.py", "Python, counter.py", "counter.py")
PERL_COUNTER = Program("counter.pl", "Perl, counter.pl", "counter.pl")
C_COUNTER = Program("counter.so", "C, counter.c", "counter.cgi")


def write(folder: Path) -> None:
    """Copy and build the programs into `pages`, again into `warm` and `cold`; let them become old enough.
    Raises Missing."""
    pages = folder / "pages"
    shutil.copytree(HERE / "pages", pages)
    for program in (PYTHON_COUNTER, PERL_COUNTER):
        shutil.copy(ROOT / "cgi-bin" / program.file, pages / program.file)
    compiler = need("gcc", "gcc libc6-dev")
    counter = ROOT / "cgi-bin" / "counter.c"
    built: dict[str, list[str | Path]] = {
        "session": [pages / "session.c"],
        "hello": [pages / "hello.c"],
        "bulk": [pages / "bulk.c"],
        "counter.so": ["-shared", "-fPIC", counter],
        "counter.cgi": [counter],
    }
    for name, arguments in built.items():
        subprocess.run([compiler, "-O2", f"-I{HELPERS}", "-o", pages / name, *arguments], check=True)
    for path in pages.iterdir():
        path.chmod(0o755)
    for copy in ("warm", "cold"):
        shutil.copytree(pages, folder / copy)
    time.sleep(_SETTLED)


def responder(folder: Path, suffix: str) -> str:
    """The file in `pages` that answers by FastCGI in a language: its suffix (`` for C). Raises Missing."""
    if suffix == ".pl":
        _need_module("FCGI", "libfcgi-perl")
    if suffix:
        return f"fastcgi{suffix}"
    need("/usr/include/fcgi_stdio.h", "libfcgi-dev")
    pages = folder / "pages"
    if not (pages / "fastcgi").exists():
        compiler = need("gcc", "gcc libc6-dev")
        subprocess.run([compiler, "-O2", "-o", pages / "fastcgi", pages / "fastcgi.c", "-lfcgi"], check=True)
    return "fastcgi"


def present(wanted: list[Program]) -> list[Program]:
    """Those whose interpreter and library are here; the others are named."""
    found = []
    for program in wanted:
        try:
            _require(program)
            found.append(program)
        except Missing as missing:
            print(f"  {program.label}: skipped: {missing}", flush=True)
    return found


def _require(program: Program) -> None:
    suffix = Path(program.file).suffix
    if suffix in _PACKAGES:
        need(*_PACKAGES[suffix])
    if program is CGI_PM:
        _need_module("CGI", "libcgi-pm-perl")


def _need_module(name: str, package: str) -> None:
    command = ["perl", f"-M{name}", "-e", "1"]
    if subprocess.run(command, capture_output=True, check=False).returncode and not (
        install(package) and subprocess.run(command, capture_output=True, check=False).returncode == 0
    ):
        raise Missing(f"{name}.pm is missing (Debian: apt-get install {package})")
