"""Commands for a running gateway, run as an administrator runs them: as processes; sessions for them."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
import sys
from typing import Any

from gateway.control import client
from tests.blackbox.harness import BOUND, ROOT, Gateway

DIRECTIVES = """
MaxPersistentCGITimeout 20m
CustomLog logs/access.log "%U"
<Directory cgi-bin/shared>
  PersistentCGIShared On
</Directory>
"""
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "200"}


def new_handle() -> str:
    """One that is told from others when it is masked."""
    return secrets.token_hex(16)


class Ran:
    """A command that has ended."""

    def __init__(self, done: subprocess.CompletedProcess[str]) -> None:
        self.status, self.out, self.err = done.returncode, done.stdout, done.stderr

    @property
    def answer(self) -> Any:
        assert self.status == 0, self.err
        return json.loads(self.out)


def bare(*words: str, **more: Any) -> Ran:
    command = [sys.executable, "-m", "gateway", *words]
    return Ran(subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=BOUND, **more))


def run(gateway: Gateway, *words: str) -> Ran:
    return bare(*words, "--socket", str(gateway.folder / "state" / "control"))


def asked(gateway: Gateway, what: str, name: str = "", **more: str) -> Any:
    """What the socket answers, without the time that a command takes to begin."""
    way = "GET" if what in ("status", "sessions", "session") else "POST"
    fields = more | ({"id": name} if name else {})
    return client.ask(str(gateway.folder / "state" / "control"), way, what, **fields)


def listed(gateway: Gateway) -> dict[str, Any]:
    """The living sessions by their masked handle's first characters."""
    found = run(gateway, "sessions", "--json").answer["sessions"]
    return {one["handle"].rstrip("…"): one for one in found}


class Begun:
    """A session of the test's own program."""

    def __init__(self, gateway: Gateway, program: str = "child", query: str = "", **headers: str) -> None:
        self.handle, self.gateway, self.headers = new_handle(), gateway, headers
        self.name = f"/cgi-bin/{program}"
        self.path = f"{self.name}/{self.handle}"
        answer = gateway.get(f"{self.name}?handle={self.handle}&{query}&count", **headers)
        assert answer.status == 200, gateway.log
        self.pid = answer.number("pid")

    def call(self, query: str = "count", rest: str = "") -> int:
        path = f"{self.path}{rest}?handle={self.handle}&{query}"
        return self.gateway.get(path, **self.headers).status

    @property
    def facts(self) -> Any:
        return asked(self.gateway, "session", self.path)

    @property
    def id(self) -> str:
        return str(self.facts["id"])
