"""Users with passwords, as files and as the header that a browser sends."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha1
from pathlib import Path


def basic(user: str, password: str | None = None, encoding: str = "utf-8") -> str:
    """The header Authorization; the password is the name backwards unless another one is given."""
    sent = f"{user}:{user[::-1] if password is None else password}"
    return "Basic " + b64encode(sent.encode(encoding)).decode()


def line(user: str, password: str | None = None) -> str:
    """A line of a file of users."""
    digest = sha1((user[::-1] if password is None else password).encode()).digest()
    return f"{user}:{{SHA}}{b64encode(digest).decode()}\n"


def write_users(file: Path, *users: str) -> Path:
    """A file with these users."""
    file.write_text("".join(map(line, users)))
    return file


def guarded(users: Path, require: str = "Require valid-user", more: str = "") -> str:
    """The directives that ask for a user of this file."""
    return f'AuthType Basic\nAuthName "the gate"\nAuthUserFile {users}\n{require}\n{more}\n'
