"""The hashes that Apache's htpasswd writes (bcrypt, apr1, SHA-1, SHA-256 and SHA-512 crypt, DES crypt).

libpass is the maintained successor of passlib and needs no `crypt` module (gone since Python 3.13); bcrypt is
called by itself, as libpass refuses passwords of more than 72 bytes with its newer versions.
"""

from __future__ import annotations

from typing import Any

import bcrypt
from passlib.hash import apr_md5_crypt, des_crypt, ldap_sha1, md5_crypt, sha256_crypt, sha512_crypt

LONGEST_PASSWORD = 4096
_BCRYPT_READS = 72  # bytes; crypt_blowfish, which Apache uses, leaves out the rest
_BCRYPT = (b"$2y$", b"$2b$", b"$2a$")
_PREFIXED: dict[bytes, Any] = {  # classes whose methods are made by a metaclass
    b"$apr1$": apr_md5_crypt,
    b"{SHA}": ldap_sha1,
    b"$5$": sha256_crypt,
    b"$6$": sha512_crypt,
    b"$1$": md5_crypt,
}
_DES: Any = des_crypt
_DES_LENGTH = 13


def is_hash(stored: bytes) -> bool:
    """Whether it looks like a hash of a known kind; plain text does not count (as in Apache on Unix)."""
    return stored.startswith((*_BCRYPT, *_PREFIXED)) or len(stored) == _DES_LENGTH


def verify(password: bytes, stored: bytes) -> bool:
    """Whether the password fits the stored hash; False for one that is malformed. Slow by design."""
    if b"\0" in password or len(password) > LONGEST_PASSWORD:
        return False
    try:
        if stored.startswith(_BCRYPT):
            return bcrypt.checkpw(password[:_BCRYPT_READS], stored)
        kind = next((kind for prefix, kind in _PREFIXED.items() if stored.startswith(prefix)), _DES)
        return bool(kind.verify(password, stored.decode("ascii")))
    except (ValueError, TypeError):
        return False
