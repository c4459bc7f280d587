"""The hashes that Apache's htpasswd writes (bcrypt, apr1, SHA-1, SHA-256 and SHA-512 crypt, DES crypt).

libpass is the maintained successor of passlib and needs no `crypt` module (gone since Python 3.13); bcrypt is
called by itself, as libpass refuses passwords of more than 72 bytes with its newer versions.
"""

from __future__ import annotations

from functools import cache
from typing import Any

LONGEST_PASSWORD = 4096
_BCRYPT_READS = 72  # bytes; crypt_blowfish, which Apache uses, leaves out the rest
_BCRYPT = (b"$2y$", b"$2b$", b"$2a$")
_PREFIXES = {
    b"$apr1$": "apr_md5_crypt",
    b"{SHA}": "ldap_sha1",
    b"$5$": "sha256_crypt",
    b"$6$": "sha512_crypt",
    b"$1$": "md5_crypt",
}
_DES_LENGTH = 13


def is_hash(stored: bytes) -> bool:
    """Whether it looks like a hash of a known kind; plain text does not count (as in Apache on Unix)."""
    return stored.startswith((*_BCRYPT, *_PREFIXES)) or len(stored) == _DES_LENGTH


def verify(password: bytes, stored: bytes) -> bool:
    """Whether the password fits the stored hash; False for one that is malformed. Slow by design."""
    if b"\0" in password or len(password) > LONGEST_PASSWORD:
        return False
    try:
        if stored.startswith(_BCRYPT):
            return bool(_bcrypt().checkpw(password[:_BCRYPT_READS], stored))
        kind = next((name for prefix, name in _PREFIXES.items() if stored.startswith(prefix)), "des_crypt")
        return bool(getattr(_passlib(), kind).verify(password, stored.decode("ascii")))
    except (ValueError, TypeError):
        return False


def load() -> None:
    """Load what verifies now, while its files may be read; else that is done with the first password, as a
    front without any starts a tenth sooner."""
    _bcrypt()
    for kind in (*_PREFIXES.values(), "des_crypt"):
        getattr(_passlib(), kind)


@cache
def _bcrypt() -> Any:
    import bcrypt

    return bcrypt


@cache
def _passlib() -> Any:
    from passlib import hash as kinds

    return kinds
