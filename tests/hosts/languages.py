"""The hosts under the contract, and the verbs that the program of each language has.

A program does, in order, what each request's query says: verbs separated by `&`, `verb=value`, a blank in a
value written as `+`. The head (what `keep` adds, and text/plain) is written before the first verb that writes,
or at the end. The same file is called cold and warm.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import pytest

PROGRAMS = Path(__file__).with_name("programs")
STARTS = {"cold": 0, "warm": 2}  # StartCGI

VERBS = {
    "keep": "Accept-HTSession with this handle",
    "count": "writes how often this process was called, and its pid",
    "echo": "writes the value",
    "env": "writes a variable of the environment, or that it is absent",
    "set": "NAME:VALUE sets a variable of the environment",
    "environ": "writes the whole environment",
    "body": "writes what is on standard input, to its end",
    "line": "reads one line of standard input and writes it",
    "bytes": "writes every byte, some NULs and the beginning of an end mark",
    "run": "carries out a command of the shell, with this process's standard input and output",
    "flush": "writes the head and empties all buffers",
    "exit": "ends with this status as the language ends a program",
    "deep": "the same within nested functions",
    "die": "fails with an error that nobody catches; the value is in its message",
    "warn": "a warning of the language",
    "cd": "changes the working directory",
    "where": "writes the working directory",
    "umask": "changes the umask",
    "ignore": "ignores SIGUSR1",
    "arguments": "writes the number of arguments",
    "close": "empties the buffers and closes a descriptor",
    "aside": "points standard output to a file, writes into it, and points it back",
    "cleanup": "a file to which the program writes a line when its process ends",
    "fork": "a child writes and exits, then the parent writes",
    "daemon": "a child that keeps no descriptor lives on until a file exists",
    "random": "writes a random number, of the generator as it is at the start",
    "use": "loads a module and writes its mark",
    "note": "opens a file once and writes a line into it at every call",
    "revision": "writes `revision-one`, which stands in the file as it is",
}


class Language(NamedTuple):
    """A program: its host, the file that is called, its source, how that is built (nothing: copied), what that
    needs, and the verbs that it lacks, each with the reason."""

    name: str
    host: str
    file: str
    source: str
    build: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    without: Mapping[str, str] = {}

    def place(self, folder: Path) -> Path:
        """Write the program into a folder; its file."""
        target, source = folder / self.file, PROGRAMS / self.source
        if self.build:
            command = [*self.build, "-o", str(target), str(source)]
            subprocess.run(command, check=True, capture_output=True, cwd=folder)
        else:
            shutil.copyfile(source, target)
        return target


_NO_RANDOM = "rand() and RANDOM begin with the same numbers in every process by their definition"
_NO_MODULES = "what a native program uses is linked into it or found by the dynamic linker"
_NOT_COBOL = "COBOL has no words for it; a COBOL program calls C functions, which verbs.c does"

LANGUAGES = (
    Language("python", "python", "verbs.py", "verbs.py"),
    Language("perl", "perl", "verbs.pl", "verbs.pl", tools=("perl",)),
    Language(
        "c",
        "native",
        "cverbs.so",
        "verbs.c",
        build=("gcc", "-shared", "-fPIC", "-Wall", "-Wextra", "-O1"),
        tools=("gcc",),
        without={"random": _NO_RANDOM, "use": _NO_MODULES},
    ),
    Language(
        "cobol",
        "native",
        "cobverbs.so",
        "verbs.cob",
        build=("cobc", "-m"),
        tools=("cobc",),
        without={
            "environ": "COBOL reads variables of the environment by their names only",
            "body": "ACCEPT reads lines; `line` is that",
            "bytes": "DISPLAY writes lines of text",
            "random": _NO_RANDOM,
            "use": _NO_MODULES,
            **dict.fromkeys(("umask", "ignore", "close", "aside", "cleanup", "fork", "daemon"), _NOT_COBOL),
        },
    ),
)


def over(*verbs: str, without: tuple[str, ...] = ()) -> pytest.MarkDecorator:
    """Run a test for every host whose program has these verbs, cold and warm; `without`: not for these."""
    assert set(verbs) <= VERBS.keys(), verbs
    cases = [
        pytest.param((one, start), id=f"{one.name}-{start}", marks=[pytest.mark.needs(*one.tools)])
        for one in LANGUAGES
        if not one.without.keys() & verbs and one.name not in without
        for start in STARTS
    ]
    return pytest.mark.parametrize("script", cases, indirect=True)
