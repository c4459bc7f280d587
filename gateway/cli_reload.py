"""How a reload went, as the front tells that serves afterwards."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from gateway.control import client

_BOUND = 60.0  # seconds
_EVERY = 0.05
_ANSWER = 3.0  # seconds for a front that stands still: the keeper needs none to reload


class Outcome(NamedTuple):
    """`front`: the pid of the front that serves now, with the new settings if `done`; `refusal`: why not."""

    done: bool
    front: int
    refusal: str


def reloads(socket: str) -> dict[str, Any] | None:
    """What the gateway knows of its reloads so far; None when no front answers."""
    try:
        return dict(client.ask_within(_ANSWER, socket, "GET", "status")["reloads"])
    except (client.Unreachable, client.Refused):
        return None


def outcome(socket: str, before: dict[str, Any]) -> Outcome | None:
    """Wait for a reload that the keeper has been told to do. None: it is not known how it went; it takes longer
    than a minute, or the control socket is another one now."""
    until = time.monotonic() + _BOUND
    while time.monotonic() < until:
        try:
            answer = client.ask(socket, "GET", "status")
        except (client.Unreachable, client.Refused):
            return None
        now = answer["reloads"]
        if now["refused"] > before["refused"]:
            return Outcome(False, answer["front"]["pid"], now["refusal"])
        if now["done"] > before["done"]:
            return Outcome(True, answer["front"]["pid"], "")
        time.sleep(_EVERY)
    return None
