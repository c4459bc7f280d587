"""Files of users and groups, what a client sends as its name and password, and hashes."""

from __future__ import annotations

import re
from base64 import b64encode

from gateway.access.credentials import BadCredentials, challenge, given
from gateway.access.files import as_text, parse_groups, parse_users
from gateway.access.hashes import is_hash, verify
from tests.fuzz.target import Target, options

# What is slow by design is left to tests: costs above the least, and those that name none
_CHEAP = re.compile(rb"\$2[yab]\$04\$|\$[56]\$rounds=1?[0-9]{1,3}\$")
_COSTLY = re.compile(rb"\$[256]")
_VERIFIED_EACH = 8  # of so many inputs one is verified against its hashes


def check(data: bytes) -> None:
    """The first line of a name counts; written again it says the same; nothing else than its errors escapes."""
    flags, _, text = options(data)
    users = parse_users(text)
    for name, stored in users.stored.items():
        assert name and b":" not in name + stored and b"\n" not in name + stored
        assert name == name.strip() and stored == stored.strip() and not name.startswith(b"#")
    assert set(users.hashes) <= set(users.stored.values()) and all(map(is_hash, users.hashes))
    written = b"".join(b"%b:%b\n" % pair for pair in users.stored.items())
    assert parse_users(written) == users
    later = b"".join(b"\n%b:other" % name for name in users.stored)
    assert parse_users(text + later).stored == users.stored, "the first line of a name counts"
    _check_groups(text)
    _check_credentials(text)
    for stored in users.hashes[:2]:
        if not flags % _VERIFIED_EACH and (_CHEAP.match(stored) or not _COSTLY.match(stored)):
            assert verify(text[:80], stored) in (True, False)


def _check_groups(text: bytes) -> None:
    groups = parse_groups(text)
    for user, names in groups.items():
        assert user and names and not re.search(r"[ \t\n\r\v\f]", user)
    assert parse_groups(text + b"\n" + text) == groups, "lines of one group add up"


def _check_credentials(text: bytes) -> None:
    token = text.split(b"\n")[0]
    for value in (token, b"Basic " + token, b"basic " + b64encode(text)):
        try:
            found = given([(b"authorization", value)])
        except BadCredentials as error:
            assert (str(error) and as_text(token) not in str(error)) or len(token) < 30
            continue
        assert 1 <= len(found) <= 2
        for name, password in found:
            assert name and b":" not in name and b"\0" not in name + password
    header = challenge(as_text(token))
    assert re.fullmatch(rb'Basic realm="(?:[^"\\]|\\.)*", charset="UTF-8"', header, re.DOTALL)


SEEDS = [
    b"\0\0\0\0ada:$apr1$lZL6V/ci$eIMz/iKDkbtys/uU7LEK00\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n",
    b"\0\0\0\0# users\ncleo:$2y$04$abcdefghijklmnopqrstuu5s8wOUOI9v4pPpCxBfOuDsCJOw5wJ3u:more\n",
    b"\0\0\0\0dan:$6$rounds=1000$saltsalt$" + b"x" * 86 + b"\nold:rl5uoDqQuf4hs\n",
    b"\0\0\0\0admins: ada bob\nusers: cleo\nadmins: dan\n",
    b"\1\0\0\0QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
]
WORDS = [
    b":", b"\n", b"\r\n", b"#", b" ", b"ada", b"$apr1$", b"{SHA}", b"$2y$04$", b"$5$rounds=1000$",
    b"$6$rounds=1000$",
    b"$1$", b"rl5uoDqQuf4hs", b"Basic ", b"=", b"==", b"\xff", b"\xc3\xa9", b"\0", b'"', b"\\",
    b"{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=", b"abcdefghijklmnopqrstuu5s8wOUOI9v4pPpCxBfOuDsCJOw5wJ3u",
]  # fmt: skip
TARGET = Target("htpasswd and group files, credentials", check, SEEDS, WORDS)
