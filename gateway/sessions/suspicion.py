"""Programs whose handles somebody could guess (W5, HTS012)."""

import re
from collections import OrderedDict
from math import log2

from gateway.program import Name

ENOUGH_BITS = 64  # of a handle, as far as its length and characters tell
APART_BITS = 24  # of what tells two sessions' handles from each other
_MOST_PROGRAMS = 1024
_HEX = re.compile(rb"(?:[0-9a-f]|-)*|(?:[0-9A-F]|-)*")
_KINDS = ((re.compile(rb"[0-9]"), 10), (re.compile(rb"[a-z]"), 26), (re.compile(rb"[A-Z]"), 26))
_OTHERS = re.compile(rb"[^0-9A-Za-z]")
_FEW = 2  # characters beyond letters and digits that a random handle is taken to use


def bits(text: bytes) -> float:
    """The most that a text can tell, by its length and the kinds of characters in it."""
    if text.isdigit():
        return len(text) * log2(10)
    if _HEX.fullmatch(text):
        return len(text) * log2(16)
    size = sum(count for kind, count in _KINDS if kind.search(text))
    return len(text) * log2(max(2, size + (_FEW if _OTHERS.search(text) else 0)))


def difference(one: bytes, other: bytes) -> bytes:
    """The characters of `other` that are not in the same place in `one`; of another length: what stands behind
    the part that both begin with and before the one that both end with, of the longer one."""
    if len(one) == len(other):
        return bytes(right for left, right in zip(one, other, strict=True) if left != right)
    start = _alike(one, other)
    end = _alike(one[start:][::-1], other[start:][::-1])
    longer = max(one, other, key=len)
    return longer[start : len(longer) - end]


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
    if bits(handle) < ENOUGH_BITS:
        return "short"
    if before and bits(difference(before, handle)) < APART_BITS:
        return "each like the one before"
    return None
