"""What a warm Python host loads ahead of need, and in which order.

A process writes to what it uses, if only to count references, and gets copies of the pages that this lies in.
What every process uses therefore comes after everything else, into fresh memory, side by side.
"""

from __future__ import annotations

import ctypes
import gc
import sys

# What small scripts import; nothing of it starts threads or opens files
SCRIPTS = """
    base64 collections.abc datetime email.message email.parser functools hashlib hmac html http.cookies io
    itertools json linecache locale math random re secrets shutil sqlite3 string tempfile textwrap
    time traceback urllib.parse
""".split()  # noqa: SIM905
# What the modules import that come after this one
HOST = "array ast atexit fcntl marshal signal socket types".split()  # noqa: SIM905
_LARGEST = 512  # bytes of an object that Python places itself; the C library places the others
_HEADER = sys.getsizeof(b"")
_OBJECTS = 30  # of each size
_BLOCKS = 20
_kept: list[bytes] = []


def load() -> list[str]:
    """Load all of it; returns the names of the modules that scripts may want to have from elsewhere."""
    for name in HOST:
        __import__(name)
    before = set(sys.modules)
    for name in SCRIPTS:
        __import__(name)
    _fill()
    return [name for name in sys.modules if name not in before]


def _fill() -> None:
    """Take the holes of half empty pages: what is made from now on lies together."""
    gc.collect()
    for size in range(16, _LARGEST + 1, 16):
        _kept.extend(bytes(max(0, size - _HEADER)) for _ in range(_OBJECTS))
    allocate = ctypes.PyDLL(None).malloc
    for size in range(24, 1040, 16):
        for _ in range(_BLOCKS):
            allocate(size)
