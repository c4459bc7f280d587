"""SCGI frames on the request pipe (P7): a netstring of variables, then the body."""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import NamedTuple

_LENGTH = b"CONTENT_LENGTH"
_MARK = b"HTSESSION_END"
_OWN = frozenset((_LENGTH, _MARK, b"SCGI"))
_MOST_DIGITS = 10


class MalformedFrame(ValueError):
    """The variables cannot be framed, or the bytes are not a frame."""


class Frame(NamedTuple):
    """One request; `variables` as they came, CONTENT_LENGTH and SCGI included."""

    variables: dict[bytes, bytes]
    body: bytes


def encode(
    variables: Mapping[bytes, bytes], content_length: int, mark: bytes, blocks: Sequence[bytes] = ()
) -> bytes:
    """The frame without its body of `content_length` bytes. Raises MalformedFrame.

    CONTENT_LENGTH, SCGI and HTSESSION_END in `variables` do not count. `blocks` are more variables, encoded
    by `block` ahead of time; no name may be in two of them.
    """
    own = b"CONTENT_LENGTH\0%d\0SCGI\x001\0HTSESSION_END\0%b\0" % (content_length, mark)
    payload = b"".join((own, *blocks, block(variables)))
    return b"%d:%b," % (len(payload), payload)


def block(variables: Mapping[bytes, bytes]) -> bytes:
    """Variables as NAME NUL VALUE NUL, without those that every frame has of its own. Raises MalformedFrame."""
    if not _OWN.isdisjoint(variables):
        variables = {name: value for name, value in variables.items() if name not in _OWN}
    others = b"\0".join(chain.from_iterable(variables.items()))
    if others.count(b"\0") != max(0, 2 * len(variables) - 1) or b"" in variables:
        bad = next(pair for pair in variables.items() if not pair[0] or b"\0" in pair[0] + pair[1])
        raise MalformedFrame(f"expected a name and a value without NUL, found {bad[0][:60]!r}={bad[1][:60]!r}")
    return others + b"\0" if variables else others


class FrameReader:
    """Reads frames from bytes in any pieces, as a program does. Limits in bytes."""

    def __init__(self, *, head_limit: int = 1 << 20, body_limit: int = 1 << 26) -> None:
        self._head_limit = head_limit
        self._body_limit = body_limit
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. Raises MalformedFrame; the reader is then of no more use."""
        self._buffer += data
        frames = []
        while (frame := self._next()) is not None:
            frames.append(frame)
        return frames

    def eof(self) -> None:
        """End of file (P8). Raises MalformedFrame in the middle of a frame."""
        if self._buffer:
            raise MalformedFrame(
                f"expected the rest of a frame, found end of file after {len(self._buffer)} bytes"
            )

    def _next(self) -> Frame | None:
        start, size = self._netstring()
        if not start or len(self._buffer) <= start + size:
            return None
        if self._buffer[start + size] != ord(","):
            raise MalformedFrame(f"expected ',' after {size} bytes of variables, found another byte")
        variables = _variables(bytes(self._buffer[start : start + size]))
        body_at = start + size + 1
        length = _content_length(variables, self._body_limit)
        if len(self._buffer) < body_at + length:
            return None
        body = bytes(self._buffer[body_at : body_at + length])
        del self._buffer[: body_at + length]
        return Frame(variables, body)

    def _netstring(self) -> tuple[int, int]:
        """Where the netstring's content starts (0: not known yet), and its size."""
        colon = self._buffer.find(b":", 0, _MOST_DIGITS + 1)
        digits = bytes(self._buffer[: colon if colon >= 0 else _MOST_DIGITS + 1])
        if colon < 0 and (not digits or (digits.isdigit() and len(digits) <= _MOST_DIGITS)):
            return 0, 0
        if colon < 0 or not digits.isdigit() or (len(digits) > 1 and digits.startswith(b"0")):
            raise MalformedFrame(f"expected a netstring's length and ':', found {digits!r}")
        if int(digits) > self._head_limit:
            raise MalformedFrame(f"expected at most {self._head_limit} bytes of variables, found {digits!r}")
        return colon + 1, int(digits)


def _variables(payload: bytes) -> dict[bytes, bytes]:
    *parts, rest = payload.split(b"\0")
    variables = dict(zip(parts[::2], parts[1::2], strict=False))
    if rest or 2 * len(variables) != len(parts) or b"" in variables:
        raise MalformedFrame("expected NAME NUL VALUE NUL with names that differ, found something else")
    if not parts or parts[0] != _LENGTH or variables.get(b"SCGI") != b"1":
        raise MalformedFrame("expected CONTENT_LENGTH first and SCGI=1, found other variables")
    return variables


def _content_length(variables: dict[bytes, bytes], limit: int) -> int:
    digits = variables[_LENGTH]
    if not digits.isdigit() or len(digits) > _MOST_DIGITS or int(digits) > limit:
        raise MalformedFrame(f"expected CONTENT_LENGTH up to {limit}, found {digits[:60]!r}")
    return int(digits)
