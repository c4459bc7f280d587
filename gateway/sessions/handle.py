"""Handles: their grammar (H3), ready-made ones (H11), and how they look in logs (W3)."""

import os
import re
from binascii import a2b_base64, b2a_base64
from hashlib import blake2b
from hmac import compare_digest

from gateway.logs.session import mask as mask

_GRAMMAR = re.compile(rb"(?!\.\.?\Z)[A-Za-z0-9\-._~!$&'()*+,;=:@]{1,128}")
_READY_MADE = re.compile(rb"[A-Za-z0-9_\-]{32}")
_TO_URL = bytes.maketrans(b"+/", b"-_")
_FROM_URL = bytes.maketrans(b"-_", b"+/")
_RANDOM_BYTES = 16
_MAC_BYTES = 8
_TAG_BYTES = 6
_LENGTH = 32  # characters
_AT_A_TIME = 64


def is_valid(handle: bytes) -> bool:
    """Whether the decoded path segment follows the grammar of H3."""
    return _GRAMMAR.fullmatch(handle) is not None


class HandleMint:
    """Ready-made handles: 128 random bits and a MAC of 64 bits, 32 characters of URL-safe base64 (H11)."""

    def __init__(self, key: bytes) -> None:
        """`key`: 16 to 64 random bytes, kept in the state directory. Raises ValueError."""
        if not 16 <= len(key) <= blake2b.MAX_KEY_SIZE:
            raise ValueError(f"expected a key of 16 to {blake2b.MAX_KEY_SIZE} bytes, found {len(key)}")
        self._key, self._keyed = key, blake2b(key=key, digest_size=_MAC_BYTES)
        self._ready: list[bytes] = []

    def next(self) -> bytes:
        """A handle that was never given before."""
        if not self._ready:
            self._ready = self._several()
        return self._ready.pop()

    def is_ours(self, handle: bytes) -> bool:
        """Whether `next` under the same key gave this handle, in this process or another."""
        if not _READY_MADE.fullmatch(handle):
            return False
        raw = a2b_base64(handle.translate(_FROM_URL))
        return compare_digest(raw[_RANDOM_BYTES:], self._mac(raw[:_RANDOM_BYTES]))

    def tag(self, host: str, cgi_name: bytes) -> bytes:
        """What tells the cookies of this cgi-name from those of others, and of other gateways (W2)."""
        text = b"%b\0%b" % (host.encode(), cgi_name)
        return blake2b(text, key=self._key, digest_size=_TAG_BYTES, person=b"cookie").hexdigest().encode()

    def _several(self) -> list[bytes]:
        pool = os.urandom(_AT_A_TIME * _RANDOM_BYTES)
        parts = [pool[at : at + _RANDOM_BYTES] for at in range(0, len(pool), _RANDOM_BYTES)]
        raw = b"".join([part + self._mac(part) for part in parts])
        text = b2a_base64(raw, newline=False).translate(_TO_URL)
        return [text[at : at + _LENGTH] for at in range(0, len(text), _LENGTH)]

    def _mac(self, random: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(random)
        return keyed.digest()
