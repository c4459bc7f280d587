"""Handles in what is logged (W3): found by path, shown by their first characters."""

import re
from itertools import chain, islice
from urllib.parse import unquote_to_bytes

from gateway.keeper.table import session_key
from gateway.protocol.paths import BadPath, parse_path
from gateway.sessions.handle import HandleMint, is_valid
from gateway.sessions.registry import Registry

_DEEPEST = 16  # segments of a path that are looked at
_ORIGIN = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*://[^/?#]*|//[^/?#]*")
_BEYOND_GRAMMAR = re.compile(rb"[^A-Za-z0-9\-._~!$&'()*+,;=:@]+")  # H3
_READY_MADE = re.compile(rb"(?<![A-Za-z0-9_\-])[A-Za-z0-9_\-]{32}(?![A-Za-z0-9_\-])")
_SHORTEST = 4  # bytes of a handle that is looked for in free text


class Masks:
    """Which parts of a URL are handles of sessions, living or retired."""

    def __init__(self, registry: Registry, mint: HandleMint) -> None:
        self._registry, self._mint = registry, mint

    def handles(self, host: str, raw_path: bytes) -> list[bytes]:
        """The handles in a path of a host; in one with encoded slashes, or that names nothing: whatever is a
        handle of any session."""
        try:
            path = parse_path(raw_path)
        except BadPath:
            path = None
        if path is None or path.slash_at < len(path.decoded):
            return [word for word in _words(raw_path) if self._is_handle_somewhere(word)]
        pairs = [pair for pair in islice(path.splits(), _DEEPEST) if is_valid(pair[1])]
        return [segment for name, segment in pairs if self._is_handle(host, name, segment)]

    def path(self, host: str, raw_path: bytes, known: tuple[bytes, ...] = ()) -> bytes:
        """A path, still encoded, its handles masked. `known` is the handle by which the request came."""
        handles = known or self.handles(host, raw_path)
        if not handles:
            return self.text(raw_path)
        return b"/".join(_segment(segment, handles) for segment in raw_path.split(b"/"))

    def url(self, host: str, url: bytes, known: tuple[bytes, ...] = ()) -> bytes:
        """A URL, or a path with its query, as in Referer and Location."""
        found = _ORIGIN.match(url)
        start = found.end() if found else 0
        path = re.split(rb"[?#]", url[start:], maxsplit=1)[0]
        return url[:start] + self.path(host, path, known) + url[start + len(path) :]

    def text(self, text: bytes, known: tuple[bytes, ...] = ()) -> bytes:
        """Free text: ready-made handles (H11) wherever they stand alone, and those that are known."""
        for handle in known:
            if len(handle) >= _SHORTEST:
                text = text.replace(handle, masked(handle))
        return _READY_MADE.sub(self._ready_made, text)

    def _ready_made(self, found: re.Match[bytes]) -> bytes:
        return masked(found[0]) if self._mint.is_ours(found[0]) else found[0]

    def _is_handle(self, host: str, name: bytes, segment: bytes) -> bool:
        store = self._registry.store
        if self._mint.is_ours(segment) or store.find((host, name), segment) is not None:
            return True
        key = session_key(host, name, segment)
        elsewhere = self._registry.overlap and store.table.find(key) is not None
        return elsewhere or store.retired.find(key) is not None

    def _is_handle_somewhere(self, word: bytes) -> bool:
        sessions = chain.from_iterable(self._registry.sessions.values())
        return self._mint.is_ours(word) or any(word in session.handles.accepted for session in sessions)


def masked(handle: bytes) -> bytes:
    """A handle for people to tell apart, in ASCII: its first 4 characters, of a short one at most half."""
    return handle[: min(4, len(handle) // 2)] + b"..."


def _words(raw: bytes) -> list[bytes]:
    return _BEYOND_GRAMMAR.split(unquote_to_bytes(raw))


def _segment(segment: bytes, handles: "tuple[bytes, ...] | list[bytes]") -> bytes:
    if segment in handles:
        return masked(segment)
    if _BEYOND_GRAMMAR.search(segment) is None:
        return segment
    found = next((word for word in _words(segment) if word in handles), None)
    return segment if found is None else masked(found)
