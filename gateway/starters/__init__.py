"""Starter programs: real files beside this one, in which `STARTER` stands for the new program's name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

FOLDER = os.path.dirname(os.path.abspath(__file__))
PLACEHOLDER = "STARTER"
STYLES = ("returning", "looping", "plain")


class Starter(NamedTuple):
    """`file` is the text in this folder, `source` and `program` are the extensions of what is written and of
    what runs, `host` is the kind of CGIActivationGroup that it needs, `build` the command for compiled ones, in
    which {source}, {program} and {helpers} (the folder of the helper libraries) are to be filled in."""

    file: str
    source: str
    program: str
    host: str = ""
    build: str = ""

    def text(self, name: str) -> str:
        """The program's text under its name."""
        with open(os.path.join(FOLDER, self.file), encoding="utf-8") as file:
            return file.read().replace(PLACEHOLDER, name)


_C = "cc -O2 -Wall -I {helpers} -o {program} {source}"
_C_SHARED = "cc -O2 -Wall -shared -fPIC -o {program} {source}"
_COBOL = "cobc -x -free -o {program} {source}"
_COBOL_MODULE = "cobc -m -free -o {program} {source}"

# language -> style -> starter; the first style of a language is its default
STARTERS: Mapping[str, Mapping[str, Starter]] = {
    "python": {
        "returning": Starter("python-returning.py", ".py", ".py", "python"),
        "looping": Starter("python-looping.cgi", ".py", ".py"),
        "plain": Starter("python-plain.py", ".py", ".py"),
    },
    "perl": {
        "returning": Starter("perl-returning.pl", ".pl", ".pl", "perl"),
        "looping": Starter("perl-looping.cgi", ".pl", ".pl"),
        "plain": Starter("perl-plain.pl", ".pl", ".pl"),
    },
    "bash": {
        "looping": Starter("bash-looping.sh", ".sh", ".sh"),
        "plain": Starter("bash-plain.sh", ".sh", ".sh"),
    },
    "c": {
        "returning": Starter("c-returning.c", ".c", ".so", "native", _C_SHARED),
        "looping": Starter("c-looping.c", ".c", ".cgi", "", _C),
        "plain": Starter("c-plain.c", ".c", ".cgi", "", _C),
    },
    "cobol": {
        "returning": Starter("cobol-returning.cob", ".cob", ".so", "native", _COBOL_MODULE),
        "plain": Starter("cobol-plain.cob", ".cob", ".cgi", "", _COBOL),
    },
}
