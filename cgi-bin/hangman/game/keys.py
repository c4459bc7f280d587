"""Keys of the server alone, made on first use, and their rotation.

    cd cgi-bin/hangman && python3 -m game.keys rotate

puts a new key in front, in the files of both programs that use keys. The newest key signs or seals; what the
older ones made is still good, until KEPT newer ones have come. Run it as the user of the programs.
"""

import base64
import fcntl
import os
import secrets
import sys
import tempfile

from common.data import folder

KEPT = 3
PURPOSES = ("signed", "sealed")  # a file each: a key is for one thing only


def keys(purpose: str) -> list[bytes]:
    """The keys, newest first: 32 random bytes each, in URL-safe base64. Raises ValueError for a broken file."""
    path = _path(purpose)
    try:
        return _read(path)
    except FileNotFoundError:
        made = _written(path, [_new()])
        try:
            os.link(made, path)  # the first of two processes that come at once wins
        except FileExistsError:
            pass
        finally:
            os.unlink(made)
        return _read(path)


def rotate(purpose: str) -> int:
    """Put a new key in front and drop the oldest beyond KEPT. Returns how many there are now."""
    keys(purpose)  # there are some from now on
    path = _path(purpose)
    with open(f"{path}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        present = [_new(), *_read(path)][:KEPT]
        os.replace(_written(path, present), path)
    return len(present)


def _path(purpose: str) -> str:
    return os.path.join(folder("hangman"), f"{purpose}.keys")


def _new() -> bytes:
    return base64.urlsafe_b64encode(secrets.token_bytes(32))


def _written(path: str, lines: list[bytes]) -> str:
    """A new file beside `path`, for its owner only (mkstemp: mode 0600), on the disk when this returns."""
    descriptor, made = tempfile.mkstemp(dir=os.path.dirname(path), prefix=".keys-")
    with open(descriptor, "wb") as file:
        file.write(b"".join(line + b"\n" for line in lines))
        file.flush()
        os.fsync(descriptor)
    return made


def _read(path: str) -> list[bytes]:
    with open(path, "rb") as file:
        lines = file.read().split()
    if not lines or not all(len(line) == 44 and len(base64.urlsafe_b64decode(line)) == 32 for line in lines):
        raise ValueError(f"{path}: expected lines of 32 bytes in base64, found something else")
    return lines


if __name__ == "__main__":
    if sys.argv[1:] != ["rotate"]:
        sys.exit("usage: python3 -m game.keys rotate")
    for name in PURPOSES:
        print(f"{_path(name)}: {rotate(name)} keys, a new one in front")
