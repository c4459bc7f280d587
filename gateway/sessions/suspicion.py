"""Programs whose handles somebody could guess (W5, HTS012)."""

import re
from collections import OrderedDict
from math import log2

from gateway.program import Name

ENOUGH_BITS = 64  # of a handle, as far as its length and characters tell
APART_BITS = 32  # of what tells two sessions' handles from each other
_MOST_PROGRAMS = 1024
_HEX = re.compile(rb"(?:[0-9a-f]|-)*|(?:[0-9A-F]|-)*")
_KINDS = ((re.compile(rb"[0-9]"), 10), (re.compile(rb"[a-z]"), 26), (re.compile(rb"[A-Z]"), 26))
_OTHERS = re.compile(rb"[^0-9A-Za-z]")
_FEW = 2  # characters beyond letters and digits that a random handle is taken to use


def bits_of_character(handle: bytes) -> float:
    """The most that one character of a handle can tell, by the kinds of characters in it."""
    if handle.isdigit():
        return log2(10)
    if _HEX.fullmatch(handle):
        return log2(16)
    size = sum(count for kind, count in _KINDS if kind.search(handle))
    return log2(max(2, size + (_FEW if _OTHERS.search(handle) else 0)))


def difference(one: bytes, other: bytes) -> int:
    """Of how many characters the part is in which two handles differ: behind what they begin with and before
    what they end with alike."""
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    return max(len(one), len(other)) - start - end


def _alike(one: bytes, other: bytes) -> int:
    """How many characters both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (left, right) in pairs if left != right), min(len(one), len(other)))


class Suspicion:
    """Compares the first handle of each session with the one before it, until a program has been told of."""

    def __init__(self) -> None:
        self._before: OrderedDict[Name, bytes | None] = OrderedDict()  # None: it was told of

    def of(self, name: Name, handle: bytes) -> str | None:
        """Why the handles of a program look guessable; None: they do not, or it was said already."""
        before = self._before.get(name, b"")
        if before is None:
            return None
        text = _fault(before, handle)
        self._before[name] = handle if text is None else None
        self._before.move_to_end(name)
        if len(self._before) > _MOST_PROGRAMS:
            self._before.popitem(last=False)
        return text and f"HTS012 its handles look guessable ({text})"


def _fault(before: bytes, handle: bytes) -> str | None:
    bits = bits_of_character(handle)
    if len(handle) * bits < ENOUGH_BITS:
        return "short"
    if before and difference(before, handle) * bits < APART_BITS:
        return "each like the one before"
    return None
