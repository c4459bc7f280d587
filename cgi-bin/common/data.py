"""Where the programs keep what outlives their processes."""

import os


def folder(*names: str) -> str:
    """A folder for this user only, made when it is missing: in PROGRAM_DATA, else in data/ beside cgi-bin/."""
    above = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    path = os.path.join(os.environ.get("PROGRAM_DATA") or os.path.join(above, "data"), *names)
    os.makedirs(path, mode=0o700, exist_ok=True)
    return path
