from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.blackbox.harness import Gateway

Serve = Callable[..., Gateway]
# child.py, run by the tests' own Python, without what `site` and compiling it each time take
CHILD_TEXT = f"""#!{os.path.realpath(sys.executable)} -S
import sys
sys.path.append({os.path.dirname(__file__)!r})
import child
"""


@contextmanager
def _gateways(folder: Path) -> Iterator[Serve]:
    started: list[Gateway] = []

    def start(
        directives: str = "", programs: dict[str, str] | None = None, by_command: bool = False
    ) -> Gateway:
        gateway = Gateway(folder / f"gateway{len(started)}", directives, programs)
        gateway.by_command = by_command
        gateway.program("child", CHILD_TEXT)
        started.append(gateway)
        return gateway.start()

    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start gateways: `serve(directives, programs)`; all of them are stopped at the end.

    Every gateway has `/cgi-bin/child`, the program that does what its query says. `by_command` starts it by
    `gateway serve`, for tests of what the command itself does.
    """
    with _gateways(tmp_path) as start:
        yield start


@pytest.fixture(scope="module")
def serve_shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """`serve` for gateways that all tests of a module share: their handles must be their own."""
    with _gateways(tmp_path_factory.mktemp("shared")) as start:
        yield start


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    """Clients beside the test's own."""
    with ThreadPoolExecutor(8) as executor:
        yield executor
