"""Inputs by atheris (libFuzzer): `python -m tests.fuzz.guided TARGET FOLDER COUNT SECONDS`, for `__main__.py`.

atheris is Google's coverage-guided fuzzer for Python; it comes with libFuzzer in its wheel. Without it
hypothesis alone makes the inputs.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import atheris

from tests.fuzz.escapes import LONGEST, Escapes
from tests.fuzz.target import load


def main() -> None:
    """Run until there were COUNT inputs, or SECONDS are over; the figures are in FOLDER/told."""
    name, folder, count, seconds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    with atheris.instrument_imports(include=["gateway"]):
        target = load(name)
    corpus = folder / "corpus"
    corpus.mkdir(exist_ok=True)
    for number, seed in enumerate(target.seeds):
        (corpus / f"seed{number}").write_bytes(seed)
    words = folder / "words"
    words.write_text("".join(map(_quoted, target.words)))
    escapes = Escapes(target.check, folder / "escapes")
    end = time.monotonic() + seconds

    def one(data: bytes) -> None:
        escapes(data)
        if escapes.inputs >= count or (escapes.inputs % 64 == 0 and time.monotonic() >= end):
            escapes.tell(folder / "told")
            os._exit(0)  # libFuzzer would take an exception for an error

    arguments = [
        f"-max_len={target.longest}", f"-timeout={LONGEST:g}", f"-artifact_prefix={folder}/hang-",
        f"-dict={words}", "-rss_limit_mb=4096", f"-runs={count}", str(corpus),
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *arguments], one)
    atheris.Fuzz()


def _quoted(word: bytes) -> str:
    """A line of a libFuzzer dictionary."""
    return '"' + "".join(f"\\x{byte:02x}" for byte in word) + '"\n'


if __name__ == "__main__":
    main()
