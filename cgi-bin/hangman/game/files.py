"""One file for each game: locked while a move is made, replaced as a whole, removed when nobody came for long.

    games/3f/lock        held during each request for a game of this folder; never replaced, never removed
    games/3f/3f0c…       a state, as text, mode 0600

The lock is a file of its own because a state's file is replaced: who waited for it would hold a lock on the old
one. One for each of 256 folders, because lock files that come and go with their games would have the same flaw.
"""

import fcntl
import os
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from common.data import folder

NAME = re.compile("[0-9a-f]{32}")  # 128 random bits; nothing else ever becomes part of a path
OLD = 30 * 86400  # seconds


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold the folder of a game; others wait. The kernel lets go of a lock when its process dies."""
    with open(os.path.join(_folder(name), "lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read(name: str) -> str | None:
    """What is in a game's file; None if there is none, or an old one. Its time is renewed: it is in use."""
    path = os.path.join(_folder(name), name)
    try:
        with open(path, encoding="ascii", errors="replace") as file:
            if os.fstat(file.fileno()).st_mtime < time.time() - OLD:
                return None
            os.utime(file.fileno())
            return file.read(1024)
    except FileNotFoundError:
        return None


def write(name: str, text: str) -> None:
    """Replace a game's file, or make it: after a crash there is the old one or the new one, never a half."""
    place = _folder(name)
    descriptor, made = tempfile.mkstemp(dir=place)  # mode 0600
    with open(descriptor, "w", encoding="ascii") as file:
        file.write(text)
        file.flush()
        os.fsync(descriptor)
    os.replace(made, os.path.join(place, name))
    directory = os.open(place, os.O_RDONLY)
    os.fsync(directory)  # the new name, too, is on the disk
    os.close(directory)


def clean(name: str) -> None:
    """Remove what is old from the folder of a game, and what a crash left behind.

    No lock: what is old is never read again, and never written.
    """
    before = time.time() - OLD
    with os.scandir(_folder(name)) as entries:
        for entry in entries:
            with suppress(FileNotFoundError):  # another process cleans up, too, or has just replaced its file
                if entry.name != "lock" and entry.stat().st_mtime < before:
                    os.unlink(entry.path)


def _folder(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError("expected 32 hexadecimal digits, found something else")
    return folder("hangman", "games", name[:2])
