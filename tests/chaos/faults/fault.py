"""What a fault is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests.chaos.book import End, Rules
from tests.chaos.scene import Scene

CRASHED: frozenset[End] = frozenset({(410, "crashed"), (502, None)})
STOPPED: frozenset[End] = frozenset({(410, "stopped")})


class Fault(NamedTuple):
    """A row of the table: `what` is done, `times`, beside at most so many `sessions`; `inflict` does it once.
    `smoke`: how often in CI, 0 where other faults of its file will do. `missing` says what this machine lacks
    for it, empty when nothing; `unprivileged`: root runs the gateway as nobody; `through`: words before the
    command that starts the gateway in a folder; `set_up` is called when it serves, and returns what takes that
    back."""

    name: str
    what: str
    inflict: Callable[[Scene], None]
    rules: Rules = Rules()
    times: int = 30
    sessions: int = 200
    smoke: int = 1
    directives: str = ""
    missing: Callable[[], str] = lambda: ""
    unprivileged: bool = False
    through: Callable[[Path], list[str]] = lambda folder: []
    set_up: Callable[[Scene], Callable[[], object]] = lambda scene: lambda: None
