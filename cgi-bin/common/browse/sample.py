"""A big file to browse in: a million lines, made on first use."""

import os
import tempfile

from common.data import folder

NUMBERS = 1_000_000


def sample_file() -> str:
    """The path of the sample; two may make it at once, and nobody sees half of it. Raises OSError."""
    path = os.path.join(folder("browse"), "squares.txt")
    if not os.path.exists(path):
        descriptor, new = tempfile.mkstemp(dir=os.path.dirname(path))
        try:
            with open(descriptor, "w", encoding="utf-8") as file:
                file.writelines(f"{n} squared is {n * n}\n" for n in range(1, NUMBERS + 1))
            os.replace(new, path)
        except BaseException:
            os.unlink(new)
            raise
    return path
