"""A walk through a page of the documentation as its reader would take it: files are written and changed, the
gateway reads its settings, commands are typed and answer what the page says.

Fenced blocks, by their first line:
    console         commands behind `$ `, their output below each
    diff FILE       a change: lines with a blank, `-` or `+` in front; parts divided by `@@`
    log             lines that the error log must come to hold
    LANGUAGE FILE   a whole file

In an output `…` stands for anything within a line, alone for any lines. Words such as `3f2a…` and `4711` stand
for values that are others each time, but the same wherever they stand.
"""

from __future__ import annotations

import os
import re
import subprocess
from typing import NamedTuple

from tests.blackbox.harness import BOUND, Gateway, wait_for

ADDRESS = "127.0.0.1:8080"
SETTINGS = "conf/gateway.conf"
_BLOCK = re.compile(r"^```([^\n]+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_SIGN = re.compile(r"\b[0-9a-f]{4}…|\b47\d\d\b|^…\n|…", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block."""

    kind: str
    file: str
    text: str


def steps(page: str) -> dict[str, list[Block]]:
    """The blocks of each numbered section, by its title."""
    sections = re.split(r"^## (\d+\. .*)$", page, flags=re.MULTILINE)
    return {
        title: [_block(first, text) for first, text in _BLOCK.findall(section)]
        for title, section in zip(sections[1::2], sections[2::2], strict=True)
    }


def _block(first: str, text: str) -> Block:
    kind, _, file = first.partition(" ")
    return Block(kind, file, text)


def changed(text: str, change: str) -> str:
    """A file after a change: each part must fit in exactly one place."""
    for part in change.split("@@\n"):
        lines = part.splitlines(keepends=True)
        assert all(line[0] in " +-" for line in lines), part
        old = "".join(line[1:] for line in lines if line[0] != "+")
        new = "".join(line[1:] for line in lines if line[0] != "-")
        assert old != new and f"\n{text}".count(f"\n{old}") == 1, f"a change that does not fit:\n{part}\n{text}"
        text = f"\n{text}".replace(f"\n{old}", f"\n{new}")[1:]
    return text


class Walk:
    """A reader's folder, and what the page's signs stood for so far."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.values: dict[str, str] = {}
        self._log_end = 0
        self._serving = False

    def take(self, block: Block) -> None:
        """Do what a block says."""
        kind, file = block.kind, block.file
        if kind == "console":
            for command, output in re.findall(r"^\$ (.*\n)((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE):
                self.type(command.strip(), output)
        elif kind == "log":
            for line in block.text.splitlines():
                self._await(line)
        elif file:
            text = changed(self._read(file), block.text) if kind == "diff" else block.text
            self._write(file, text)
        else:
            raise AssertionError(f"a block of no known kind: {kind}")

    def type(self, command: str, output: str) -> None:
        """Run a command, and compare what it writes."""
        if command == "gateway serve":
            self.gateway.start()
            self._serving = True
            lines = wait_for("its line", lambda: re.findall(r"(?m)^serving .*\n", self.gateway.output))
            written = lines[0]
        else:
            for sign, value in self.values.items():
                command = command.replace(sign, value)
            assert "…" not in command, f"nothing has brought this handle yet: {command}"
            written = self._run(command)
        expected = self._pattern(output)
        found = re.fullmatch(expected, written.replace(self._here, ADDRESS))
        assert found, f"$ {command}\nthe page says:\n{output}\nit came:\n{written}"
        for name, value in found.groupdict().items():
            self.values[f"{name[1:]}…" if name[0] == "h" else name[1:]] = value

    @property
    def _here(self) -> str:
        return f"127.0.0.1:{self.gateway.port}"

    def _run(self, command: str) -> str:
        environment = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["/bin/sh", "-c", command.replace(ADDRESS, self._here)],
            cwd=self.gateway.folder, env=environment, capture_output=True, text=True, timeout=BOUND,
        )  # fmt: skip
        assert (done.returncode, done.stderr) == (0, ""), (command, done)
        return done.stdout

    def _pattern(self, output: str) -> str:
        """A regular expression for an output; what a sign stands for becomes a group of its name."""
        pattern, end, named = "", 0, set[str]()
        for found in _SIGN.finditer(output):
            pattern += re.escape(output[end : found.start()])
            sign, end = found[0], found.end()
            name = ("h" if sign.endswith("…") else "n") + sign.removesuffix("…")
            if sign in ("…", "…\n"):
                pattern += r"[^\n]*" if sign == "…" else r"(?:.*\n)*"
            elif sign in self.values or name in named:
                pattern += re.escape(self.values[sign]) if sign in self.values else f"(?P={name})"
            else:
                pattern += f"(?P<{name}>{r'[A-Za-z0-9_-]{20,}' if name[0] == 'h' else r'[0-9]+'})"
                named.add(name)
        return pattern + re.escape(output[end:])

    def _await(self, line: str) -> None:
        """Wait for a line of the error log, behind those that were awaited before."""
        found = wait_for(f"{line!r} in the log", lambda: self.gateway.log.find(line, self._log_end) + 1)
        self._log_end = found + len(line) - 1

    def _read(self, file: str) -> str:
        return (self.gateway.folder / file).read_text().replace(self._here, ADDRESS)

    def _write(self, file: str, text: str) -> None:
        (self.gateway.folder / file).write_text(text.replace(ADDRESS, self._here))
        if file == SETTINGS and self._serving:
            self.gateway.reload()
