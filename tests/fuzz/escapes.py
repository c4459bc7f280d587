"""What a target let escape: each place of an error once, with the shortest input that led there."""

from __future__ import annotations

import hashlib
import json
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

LONGEST = 20.0  # seconds after which an input counts as one that hangs


class Hang(BaseException):
    """An input took too long."""


class Escapes:
    """Runs `check` and goes on after an error. The inputs are kept in `folder`."""

    def __init__(self, check: Callable[[bytes], None], folder: Path) -> None:
        self._check, self._folder = check, folder
        self.inputs = 0
        self.found: dict[str, bytes] = {}

    def __call__(self, data: bytes) -> None:
        """One input."""
        self.inputs += 1
        try:
            self._check(data)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # a panic of a library is one too
            where = "".join(traceback.format_exception(error)[-3:])
            known = self.found.get(where)
            if known is None or len(data) < len(known):
                self.found[where] = data
                self._keep(where, data, told=known is not None)

    def _keep(self, where: str, data: bytes, *, told: bool) -> None:
        name = hashlib.sha256(where.encode("utf-8", "replace")).hexdigest()[:12]
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / name).write_bytes(data)
        if not told:
            print(
                f"escape, input in {self._folder / name}: {data[:200]!r}\n{where}", file=sys.stderr, flush=True
            )

    def tell(self, file: Path) -> None:
        """Write the figures for the process that asked."""
        file.write_text(json.dumps({"inputs": self.inputs, "escapes": len(self.found)}))


@contextmanager
def bounded() -> Iterator[Callable[[], None]]:
    """Within, an input must not take longer than LONGEST; what is given is called before each."""

    def ring(number: int, frame: FrameType | None) -> None:
        raise Hang(f"no end within {LONGEST:g} s")

    before = signal.signal(signal.SIGALRM, ring)
    try:
        yield lambda: _arm(LONGEST)
    finally:
        _arm(0)
        signal.signal(signal.SIGALRM, before)


def _arm(seconds: float) -> None:
    signal.setitimer(signal.ITIMER_REAL, seconds)
