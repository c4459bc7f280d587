"""What SessionLog has of a session, for the tests of several modules."""

from __future__ import annotations

import itertools
import json
from typing import Any

from tests.blackbox.harness import Gateway, wait_for

_numbers = itertools.count(1000)


def unlike_others(name: str = "of-the-accounts") -> str:
    """A handle whose masked form no other one has."""
    return f"{next(_numbers)}-{name}"


def lines(gateway: Gateway, log: str = "sessions.log") -> list[dict[str, Any]]:
    """All lines of a log so far."""
    file = gateway.folder / "logs" / log
    return [json.loads(text) for text in file.read_text().splitlines()] if file.exists() else []


def of(gateway: Gateway, handle: str, log: str = "sessions.log") -> list[dict[str, Any]]:
    """The lines of a session so far."""
    return [line for line in lines(gateway, log) if line["handle"] == f"{handle[:4]}…"]


def account(gateway: Gateway, handle: str, log: str = "sessions.log") -> dict[str, Any]:
    """The only line of a session that is over, or about to be."""
    (line,) = wait_for(f"the account of {handle}", lambda: of(gateway, handle, log))
    return line


def why(gateway: Gateway, handle: str) -> tuple[str, str]:
    """The reason of R4, and the id of the log's message."""
    line = account(gateway, handle)
    return line["reason"], line["text"].split()[0]
