from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.realworld.served import Served

Start = Callable[[str, str, Callable[[Served], None]], Served]


@pytest.fixture(scope="session")
def new_root() -> Iterator[Callable[[], Path]]:
    """New folders that every user can reach, as Apache's workers are not the user of the tests."""
    made: list[Path] = []

    def make() -> Path:
        made.append(Path(tempfile.mkdtemp(prefix="realworld-")))
        made[-1].chmod(0o755)
        return made[-1]

    yield make
    for folder in made:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def start(new_root: Callable[[], Path]) -> Iterator[Start]:
    """Start servers: `start(kind, directives, prepare)`; all are stopped at the end of the module."""
    started: list[Served] = []

    def begin(kind: str, directives: str, prepare: Callable[[Served], None]) -> Served:
        started.append(Served(kind, new_root(), directives, prepare))
        return started[-1]

    yield begin
    for served in started:
        served.stop()
