"""The programs of a page of the documentation: fenced blocks that name their file behind the language."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import NamedTuple

from gateway import helpers
from tests.blackbox.harness import ROOT, Gateway

TOOLS = {"perl": "perl", "bash": "bash", "c": "cc", "cobol": "cobc"}
_BLOCK = re.compile(r"^```(\w+) (\S+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_BUILD = re.compile(r"^(?:/\*|\*>) (cc|cobc)(?: .*?)? -o (\S+) .*?(?= \*/|$)", re.MULTILINE)


class Example(NamedTuple):
    """A program; `program` is what runs: the file itself, or what `build` makes of it."""

    language: str
    file: str
    text: str
    program: str
    build: str

    @property
    def tool(self) -> list[str]:
        """The command that it needs, if any."""
        return [TOOLS[self.language]] if self.language in TOOLS else []

    def put(self, gateway: Gateway) -> str:
        """Write it into a gateway's cgi-bin and build it; the URL path."""
        gateway.program(self.file, self.text)
        if self.build:
            environment = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HTSESSION_LIB": helpers.FOLDER}
            subprocess.run(
                ["/bin/sh", "-c", self.build],
                check=True,
                capture_output=True,
                env=environment,
                cwd=gateway.cgi_bin,
            )
        return f"/cgi-bin/{self.program}"


def page(name: str) -> str:
    """The text of a page."""
    return (ROOT / "docs" / name).read_text()


def examples(name: str) -> dict[str, Example]:
    """The programs of a page by their files."""
    found = {}
    for language, file, text in _BLOCK.findall(page(name)):
        if not Path(file).suffix:
            continue  # a word such as `before`
        build = _BUILD.search(text)
        command = build[0].lstrip("/*> ") if build else ""
        found[file] = Example(language, file, text, build[2] if build else file, command)
    return found
