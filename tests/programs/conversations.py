"""Drives the programs of conversations (doctor, clinic, chat) by the pipe protocol, and reads their pages."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest

from .pipes import HOST, OFFER, PERL_HOST, ROOT, Program, Response

FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}
TIMES = {"HTSESSION_TIMEOUT": "300", "HTSESSION_MAX_TIMEOUT": "1800"}


def start(name: str, variables: dict[str, str] | None = None, body: bytes = b"") -> Program:
    """A program of cgi-bin/ under its host."""
    host: list[str | Path] = ["perl", PERL_HOST] if name.endswith(".pl") else [sys.executable, HOST]
    folder = ROOT / "cgi-bin"
    return Program([*host, folder / name], {**TIMES, **(variables or {})}, body, folder)


def visit(program: Program, handle: str = "", **variables: str) -> Response:
    """GET by a living handle, or without one."""
    own = {"HTSESSION_HANDLE": handle, "PATH_INFO": f"/{handle}"} if handle else {}
    return program.call({**TIMES, **own, **variables})


def send(program: Program, handle: str, fields: dict[str, str], **variables: str) -> Response:
    """POST a form by a living handle, or without one."""
    own = {"HTSESSION_HANDLE": handle, "PATH_INFO": f"/{handle}"} if handle else {}
    return program.call({**TIMES, **FORM, **own, **variables}, urlencode(fields).encode())


def lines(html: str) -> list[tuple[str, str]]:
    """Who said what, on a page."""
    items = re.findall(r"<li>(?:<time>[0-9:]{5}</time> )?<b>(.*?)</b> (.*?)</li>", html)
    return [(_text(who), _text(what)) for who, what in items]


def _text(html: str) -> str:
    return unescape(re.sub(r"</?(bdi|i)>", "", html))


def page(response: Response) -> str:
    """The page of a response; CGI.pm ends the lines of its head by CR LF."""
    assert response.marked
    return response.output.decode().replace("\r\n", "\n").partition("\n\n")[2]


def head(response: Response) -> dict[str, str]:
    """The header fields of a response, names in lower case."""
    text = response.output.decode().replace("\r\n", "\n").partition("\n\n")[0]
    return {name.lower(): value for name, value in (line.split(": ", 1) for line in text.split("\n"))}


def perl_lacks(module: str) -> None:
    """Skip by name where Perl has no such module."""
    if subprocess.run(["perl", f"-M{module}", "-e", "1"], capture_output=True, check=False).returncode:
        pytest.skip(f"not installed here: Perl's {module}")


__all__ = ["FORM", "OFFER", "TIMES", "head", "lines", "page", "perl_lacks", "send", "start", "visit"]
