"""URL paths: decoded once, dot segments and double slashes resolved (R1, R2)."""

import re
from collections.abc import Iterator
from itertools import takewhile
from typing import NamedTuple
from urllib.parse import unquote_to_bytes

_PERCENT = ord("%")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")


class BadPath(ValueError):
    """A path that names nothing here; `status` is 400 or 404, as in Apache."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


class PathInfo(NamedTuple):
    """What follows a cgi-name: `path_info`, its first `segment` if that can be a handle, the `rest` behind."""

    path_info: bytes
    segment: bytes | None
    rest: bytes


class Path(NamedTuple):
    """A request's path. `slash_at`: from here on encoded slashes took part, else its length.

    What is mapped to a file or a program must end there at the latest: a proxy in front may have seen an
    encoded slash (`%2F`) as a part of its segment.
    """

    decoded: bytes
    slash_at: int

    def after(self, script_name: bytes) -> PathInfo:
        """Split behind `script_name`; nothing follows that of a folder's index file. Raises BadPath."""
        if not self.decoded.startswith(script_name):
            return PathInfo(b"", None, b"")
        end = len(script_name)
        if self.slash_at < end:
            raise BadPath(404, "an encoded slash in the name of a program")
        path_info = self.decoded[end:]
        first, slash, rest = path_info[1:].partition(b"/")
        return PathInfo(path_info, first if first and self.slash_at != end else None, slash + rest)

    def before(self, path_info: bytes) -> bytes:
        """The cgi-name before a path info; where a pattern changed that, before what both end with."""
        if self.decoded.endswith(path_info):
            return self.decoded[: len(self.decoded) - len(path_info)]
        pairs = zip(reversed(self.decoded), reversed(path_info), strict=False)
        same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        slash = self.decoded.find(b"/", len(self.decoded) - same)
        return self.decoded if slash < 0 else self.decoded[:slash]

    def splits(self) -> Iterator[tuple[bytes, bytes]]:
        """Every cgi-name that the path can begin with, and the segment behind it."""
        at = self.decoded.find(b"/", 1)
        while 0 < at < self.slash_at:
            yield self.decoded[:at], self.decoded[at + 1 :].partition(b"/")[0]
            at = self.decoded.find(b"/", at + 1)


def parse_path(raw_path: bytes) -> Path:
    """Decode and normalise the path of a request's target. Raises BadPath."""
    if not raw_path.startswith(b"/"):
        raise BadPath(400, "expected a path that starts with a slash")
    if _PERCENT in raw_path or 0 in raw_path or raw_path.find(b"//") >= 0 or raw_path.find(b"/.") >= 0:
        return _normalise(raw_path)
    return Path(raw_path, len(raw_path))


def _normalise(raw_path: bytes) -> Path:
    if _BAD_ESCAPE.search(raw_path):
        raise BadPath(400, "expected two hexadecimal digits after each % in the path")
    kept: list[bytes] = []
    clean: int | None = None
    last = b""
    for raw in raw_path.split(b"/"):
        pieces = unquote_to_bytes(raw).split(b"/")
        if clean is None and len(pieces) > 1:
            clean = len(kept)
        for last in pieces:
            _step(kept, last)
            clean = clean if clean is None else min(clean, len(kept))
    decoded = _joined(kept)
    if b"\0" in decoded:
        raise BadPath(404, "expected a path without NUL")
    closed = decoded + b"/" if last in (b"", b".", b"..") else decoded
    return Path(closed, len(closed) if clean is None else len(_joined(kept[:clean])))


def _step(kept: list[bytes], piece: bytes) -> None:
    """Follow one segment (RFC 3986, section 5.2.4); a path that climbs above the root is refused."""
    if piece == b"..":
        if not kept:
            raise BadPath(400, "expected a path that stays below the root")
        kept.pop()
    elif piece not in (b"", b"."):
        kept.append(piece)


def _joined(segments: list[bytes]) -> bytes:
    return b"".join(b"/" + segment for segment in segments)
