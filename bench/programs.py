"""The programs of the sections about starts: what is measured is the start, not they."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import NamedTuple

from bench.options import Missing
from bench.servers import ROOT

HELPERS = ROOT / "gateway" / "helpers"
# A warm host remembers compiled scripts whose files are not younger than this
_SETTLED = 2.1  # seconds
_PYTHON = """#!/usr/bin/env python3
import os
print("Content-Type: text/plain\\n")
print("hello", os.environ["REQUEST_METHOD"])
"""
_FORM = """#!/usr/bin/env python3
import html, os, sys, urllib.parse
form = urllib.parse.parse_qs(os.environ["QUERY_STRING"] or sys.stdin.read())
print("Content-Type: text/html\\n")
print("<p>hello", html.escape(form.get("name", ["you"])[0]))
"""
_PERL = """#!/usr/bin/env perl
use strict;
print "Content-Type: text/plain\\n\\nhello $ENV{REQUEST_METHOD}\\n";
"""
_CGI_PM = """#!/usr/bin/env perl
use strict;
use CGI;
my $query = CGI->new;
print $query->header('text/plain'), 'hello ', $query->request_method, "\\n";
"""
_COUNTING = """#!/usr/bin/env python3
import os
count = 0
if __name__ == "__main__":
    count += 1
    handle = os.environ.get("HTSESSION_HANDLE") or os.environ["HTSESSION_NEXT_HANDLE"]
    if os.environ["QUERY_STRING"] != "end":
        print("Accept-HTSession:", handle)
    print("Content-Type: text/html\\n")
    print(f'{count} process {os.getpid()} <a href="{os.environ["SCRIPT_NAME"]}/{handle}">on</a>')
"""


class Program(NamedTuple):
    """A file, what it is called, and the file that does the same under a plain CGI server."""

    file: str
    label: str
    plain: str


PYTHON = Program("hello.py", "Python, small", "hello.py")
FORM = Program("form.py", "Python, a form", "form.py")
PERL = Program("hello.pl", "Perl, small", "hello.pl")
CGI_PM = Program("form.pl", "Perl, CGI.pm", "form.pl")
COUNTING = Program("counting.py", "Python, small", "counting.py")
PYTHON_COUNTER = Program("counter.py", "Python, counter.py", "counter.py")
PERL_COUNTER = Program("counter.pl", "Perl, counter.pl", "counter.pl")
C_COUNTER = Program("counter.so", "C, counter.c", "counter.cgi")
_TEXTS = {
    "hello.py": _PYTHON,
    "form.py": _FORM,
    "hello.pl": _PERL,
    "form.pl": _CGI_PM,
    "counting.py": _COUNTING,
}


def write(folder: Path) -> None:
    """Write and build the programs, as far as their compiler is here, into `warm`, and again into `cold`; let
    them become old enough."""
    folder, copy = folder / "warm", folder / "cold"
    folder.mkdir()
    for name, text in _TEXTS.items():
        (folder / name).write_text(text)
    for program in (PYTHON_COUNTER, PERL_COUNTER):
        shutil.copy(ROOT / "cgi-bin" / program.file, folder / program.file)
    compiler = shutil.which("cc") or shutil.which("gcc")
    for name, flags in (("counter.so", ["-shared", "-fPIC"]), ("counter.cgi", [])):
        if compiler is not None:
            source = ROOT / "cgi-bin" / "counter.c"
            subprocess.run([compiler, "-O2", f"-I{HELPERS}", *flags, "-o", folder / name, source], check=True)
    for path in folder.iterdir():
        path.chmod(0o755)
    shutil.copytree(folder, copy)
    time.sleep(_SETTLED)


def present(folder: Path, wanted: list[Program]) -> list[Program]:
    """Those whose interpreter, library or compiler is here; the others are named."""
    found = []
    for program in wanted:
        try:
            _require(folder, program)
            found.append(program)
        except Missing as missing:
            print(f"  {program.label}: skipped: {missing}", flush=True)
    return found


def _require(folder: Path, program: Program) -> None:
    if not (folder / "warm" / program.file).exists():
        raise Missing("a C compiler is missing (Debian: apt-get install gcc libc6-dev)")
    if program.file.endswith(".pl") and shutil.which("perl") is None:
        raise Missing("perl is missing (Debian: apt-get install perl)")
    if program is CGI_PM and subprocess.run(["perl", "-MCGI", "-e", "1"], capture_output=True).returncode:
        raise Missing("CGI.pm is missing (Debian: apt-get install libcgi-pm-perl)")
