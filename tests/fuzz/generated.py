"""Inputs by hypothesis: `python -m tests.fuzz.generated TARGET FOLDER COUNT SECONDS`, for `__main__.py`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.fuzz.escapes import Escapes, bounded
from tests.fuzz.target import load

_BATCH = 2_000  # hypothesis remembers what it has tried: in batches that stays small


def main() -> None:
    """Run until there were COUNT inputs, or SECONDS are over; the figures are in FOLDER/told."""
    name, folder, count, seconds = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    target = load(name)
    escapes = Escapes(target.check, folder / "escapes")
    end, batch = time.monotonic() + seconds, 0
    with bounded() as arm:
        while escapes.inputs < count and time.monotonic() < end:
            batch += 1

            @seed(batch)
            @settings(
                max_examples=min(_BATCH, count - escapes.inputs),
                phases=[Phase.generate],
                database=None,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            )
            @given(data=target.inputs)
            def run(data: bytes) -> None:
                arm()
                escapes(data)

            run()
    escapes.tell(folder / "told")


if __name__ == "__main__":
    main()
