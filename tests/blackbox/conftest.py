from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.blackbox.harness import Gateway

Serve = Callable[..., Gateway]
CHILD = Path(__file__).with_name("child.py")


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """Start gateways: `serve(directives, programs)`; all of them are stopped, and must end with status 0.

    Every gateway has `/cgi-bin/child`, the program that does what its query says.
    """
    started: list[Gateway] = []

    def start(directives: str = "", programs: dict[str, str] | None = None) -> Gateway:
        gateway = Gateway(tmp_path / f"gateway{len(started)}", directives, programs)
        gateway.program("child", CHILD.read_text())
        started.append(gateway)
        return gateway.start()

    yield start
    for gateway in started:
        gateway.stop()
