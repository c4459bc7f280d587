"""How a reload went, as the front tells that serves afterwards."""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from gateway.control import client

_BOUND = 60.0  # seconds, as all that follow
_SILENCE = 5.0  # without an answer
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
    heard = time.monotonic()
    until = heard + _BOUND
    while (now := time.monotonic()) < until and now < heard + _SILENCE:
        try:
            answer = client.ask(socket, "GET", "status")
        except (client.Unreachable, client.Refused):  # cut off by the front that leaves, or for good
            time.sleep(_EVERY)
            continue
        heard, known = time.monotonic(), answer["reloads"]
        if known["refused"] > before["refused"]:
            return Outcome(False, answer["front"]["pid"], known["refusal"])
        if known["done"] > before["done"]:
            return Outcome(True, answer["front"]["pid"], "")
        time.sleep(_EVERY)
    return None
