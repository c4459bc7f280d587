"""Names that a program of a language cannot have, though a file can."""

from __future__ import annotations

import ctypes
import re
import sys

# C11, 6.4.1, and `main`: GnuCOBOL makes a function of C of a program id
_WORD_OF_C = re.compile(
    "auto|break|case|char|const|continue|default|do|double|else|enum|extern|float|for|goto|if|inline|int|long|"
    "main|register|restrict|return|short|signed|sizeof|static|struct|switch|typedef|union|unsigned|void|volatile|while"
)


def trouble(language: str, name: str) -> str:
    """What is wrong with a name of a program of this language; empty if nothing is."""
    if language == "python" and name in sys.stdlib_module_names:
        return "a module of Python, which this and all other programs of the folder would get in its place"
    if language == "cobol" and (_WORD_OF_C.fullmatch(name) or hasattr(ctypes.CDLL(None), name)):
        return "a word or a function of C, which GnuCOBOL cannot make a program of"
    return ""
