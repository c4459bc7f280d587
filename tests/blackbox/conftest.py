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
_CHILD = Path(__file__).with_name("child.py")
# run by the tests' own Python, without what `site` takes time for
CHILD_TEXT = _CHILD.read_text().replace("#!/usr/bin/env python3", f"#!{os.path.realpath(sys.executable)} -S", 1)


@contextmanager
def _gateways(folder: Path) -> Iterator[Serve]:
    started: list[Gateway] = []

    def start(directives: str = "", programs: dict[str, str] | None = None) -> Gateway:
        gateway = Gateway(folder / f"gateway{len(started)}", directives, programs)
        gateway.program("child", CHILD_TEXT)
        started.append(gateway)
        return gateway.start()

    yield start
    for gateway in started:
        gateway.stop()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start gateways: `serve(directives, programs)`; all of them are stopped, and must end with status 0.

    Every gateway has `/cgi-bin/child`, the program that does what its query says.
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
