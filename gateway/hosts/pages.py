"""Where in memory lies what the processes of a warm host write to, for the hosts that are written in Python.

A process that writes to what it shares with others gets a copy of that page, and it writes to whatever it uses,
if only to count references. So what they use lies side by side, and what they make has pages of its own.
Standard library only, Python 3.8 or newer.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from types import CodeType, FunctionType

_LARGEST = (
    512  # bytes of an object that Python places itself (Objects/obmalloc.c); the C library places the others
)
_POOL = (16 if sys.version_info >= (3, 10) else 4) << 10  # bytes in which all objects have one size
_POOL_HEADER = 48
_MOST = 1 << 20  # bytes of one size that are taken, should objects be placed in another way
_BLOCKS = [
    *(int(110_000 / 1.05**step) for step in range(80)),
    *range(2_208, 0, -16),
]  # bytes: a rest is smaller
_BEHIND = 120_000  # bytes; there is no hole as large as this
_APART = 1_032  # bytes up to which the C library keeps what is given back for the next of that size
_CODES = range(192, _LARGEST + 1, 16)  # bytes of code objects among them
_BESIDE = 2_048  # bytes of each size that are left free where the codes lie, which are written to in any case
_NUMBER = 32  # bytes of an int
_OWN = 8  # places that the search itself takes, all for numbers
_kept: list[object] = []
_spare: list[object] = []


def fill() -> None:
    """Take the holes of the pages in use: what is made from now on lies together, in fresh ones."""
    gc.collect()
    for size in range(16, _LARGEST + 1, 16):
        _kept.extend(_holes(size))
    library = ctypes.PyDLL(None)
    allocate, free = library.malloc, library.free
    allocate.argtypes, allocate.restype, free.argtypes = [ctypes.c_size_t], ctypes.c_void_p, [ctypes.c_void_p]
    end = allocate(_BEHIND) or 0
    for size in _BLOCKS:
        for _ in range(_MOST // size):
            place = allocate(size)
            if place is None or place > end:
                if size > _APART:
                    free(place)
                break
    _spare.clear()


def _holes(size: int) -> list[object]:
    """Objects of one size, in all holes that there are. A pool is begun only when no other one of its size has
    any: as soon as one has held nothing else, all are taken, and that one is given back."""
    taken: list[object] = [None] * (_MOST // size)
    whole = (_POOL - _POOL_HEADER) // size - (_OWN if size == _NUMBER else 0)
    pool = begin = 0
    for count in range(len(taken)):
        taken[count] = one = _object(size)
        if id(one) // _POOL != pool:
            if count - begin >= whole:
                return [*taken[:begin], one]
            pool, begin = id(one) // _POOL, count
    return taken


def gather(used: dict[int, CodeType]) -> None:
    """Give the functions that have one of these codes, by id, a copy of it: the copies lie together, and with
    them what the interpreter notes there."""
    for function in gc.get_objects():
        if type(function) is FunctionType and id(function.__code__) in used:
            function.__code__ = _copy(function.__code__)
    for size in _CODES:
        _spare.extend(_object(size) for _ in range(_BESIDE // size))


def _copy(code: CodeType) -> CodeType:
    constants = (_copy(value) if isinstance(value, CodeType) else value for value in code.co_consts)
    return code.replace(co_consts=tuple(constants))


def _object(size: int) -> object:
    """One that takes so many bytes."""
    if size == 16:
        return object()
    if size == _NUMBER:
        return int("1000000000")
    return bytes(size - sys.getsizeof(b""))
