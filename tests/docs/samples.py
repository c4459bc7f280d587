"""How each fenced block of the pages is tested: by the test that is named here, or by a check below.

A block with a language that has no way here, or with none, fails.
"""

from __future__ import annotations

import json
import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import yaml

from gateway.cli import main
from gateway.configuration.load import load
from tests.blackbox.harness import ROOT
from tests.docs.blocks import Fenced

# page, languages ("" for any), whether blocks have a name -> the test that runs them
ELSEWHERE: tuple[tuple[str, str, bool | None, str], ...] = (
    ("docs/tutorial.md", "", None, "tests/docs/test_tutorial.py"),
    ("docs/writing-programs.md", "", True, "tests/docs/test_writing_programs.py"),
    ("docs/moving-from-ibm-i.md", "c cobol", True, "tests/docs/test_moving_from_ibm_i.py"),
    ("docs/moving-from-ibm-i.md", "apache", True, "tests/directives/test_moving.py"),
    ("docs/moving-from-apache.md", "apache", True, "tests/directives/test_moving.py"),
    ("docs/protocol.md", "python bash", False, "tests/helpers/test_documentation.py"),
    ("docs/real-programs.md", "apache perl ini text", False, "tests/realworld/served.py"),
    ("docs/front-proxies.md", "nginx apache haproxy caddy", False, "tests/realworld/proxies.py"),
    ("docs/service.md", "ini", False, "tests/realworld/test_service_files.py"),
)
# commands of others in shell blocks: a misspelt one is none of these
COMMANDS = frozenset(
    (".", "adduser", "cc", "cd", "export", "htpasswd", "install", "jq", "pip", "python3", "set", "systemctl")
)
_FOLDERS = (
    "htdocs",
    "cgi-bin",
    "var/www/html",
    "usr/lib/cgi-bin",
    "var/lib/persistent-cgi",
    "var/log/persistent-cgi",
)
_SAID = re.compile(r"`gateway ([^`]*?)(?: \| source)?`")


def elsewhere(block: Fenced) -> str | None:
    """The test that runs this block, if there is one."""
    for page, languages, named, test in ELSEWHERE:
        if (
            block.page == page
            and named in (None, bool(block.name))
            and block.language in (languages or block.language).split()
        ):
            return test
    return None


def _loads(block: Fenced, folder: Path) -> None:
    """Directives load without a problem, and without a notice."""
    for name in _FOLDERS:
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "etc" / "persistent-cgi").mkdir(parents=True, exist_ok=True)
    (folder / "conf").mkdir()
    (folder / "conf" / "users").write_text("")
    text = re.sub(r" (/(?:var|usr|etc)/)", rf" {folder}\1", block.text)
    if "Listen" not in text:
        text = f"Listen 127.0.0.1:8080\nServerRoot {folder}\nDocumentRoot htdocs\n{text}"
    file = folder / "sample.conf"
    file.write_text(text if "ServerRoot" in text else f"ServerRoot {folder}\n{text}")
    assert [str(notice) for notice in load(str(file)).notices] == []


def _runs(block: Fenced, folder: Path) -> None:
    """Shell: bash can read it; gateway's own commands have these options, make has these targets, the others
    are known by name. Lines behind `$ ` are commands where there are some."""
    typed = re.findall(r"^\$ (.*)$", block.text, re.MULTILINE)
    text = "\n".join(typed) + "\n" if typed else block.text
    subprocess.run(["bash", "-n"], input=text, text=True, check=True)
    for words in commands_of(text):
        check_command(words)


def commands_of(text: str) -> Iterator[list[str]]:
    """The commands of a shell text, by words."""
    for line in text.splitlines():
        lexer = shlex.shlex(line, posix=True, punctuation_chars=True)
        lexer.whitespace_split = True
        words: list[str] = []
        for word in lexer:
            if set(word) <= set(";&|()<>"):
                if words:
                    yield words
                words = []
            else:
                words.append(word)
        if words:
            yield words


def check_command(words: list[str]) -> None:
    """Raises AssertionError or click.UsageError."""
    name, arguments = Path(words[0]).name or words[0], words[1:]
    if name == "gateway":
        command = main.commands[arguments[0]]
        command.make_context(arguments[0], arguments[1:])
    elif name == "make":
        makefile = (ROOT / "Makefile").read_text()
        assert all(re.search(rf"^{target}\b.*:", makefile, re.MULTILINE) for target in arguments), words
    else:
        assert name in COMMANDS, words


def _is_json(block: Fenced, folder: Path) -> None:
    """JSON, which may be broken over several lines."""
    json.loads(block.text.replace("\n", ""))


def _is_yaml(block: Fenced, folder: Path) -> None:
    """YAML with something in it."""
    assert yaml.safe_load(block.text)


def _names_commands(block: Fenced, folder: Path) -> None:
    """Text: of gateway's commands it names only those that there are."""
    for line in block.text.splitlines():
        if line.startswith("gateway "):
            check_said(re.split(r" {2,}", line)[0].removeprefix("gateway "))


def check_said(said: str) -> None:
    """What a page says behind `gateway`: commands (`end | extend ID`), and options that they have."""
    names = [word for word in re.split(r"[\s|]+", said) if re.fullmatch(r"[a-z]+", word)]
    command = main.commands[names[0]]
    assert all(name in main.commands for name in re.findall(r"[a-z]+(?= \|)|(?<=\| )[a-z]+", said)), said
    known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
    assert set(re.findall(r"--[a-z-]+", said)) <= known, said


def said_in(text: str) -> list[str]:
    """What a page says behind `gateway` within its sentences."""
    return [found for found in _SAID.findall(text) if re.match(r"[a-z]", found)]


def _draws(block: Fenced, folder: Path) -> None:
    """A sequence diagram of Mermaid, which the repository's viewer draws: every arrow has known ends."""
    known = set(re.findall(r"^ *participant (\w+) as ", block.text, re.MULTILINE))
    arrows = re.findall(r"^ *(\w+)-?->>(\w+): ", block.text, re.MULTILINE)
    assert block.text.startswith("sequenceDiagram\n") and known and arrows
    assert {end for arrow in arrows for end in arrow} <= known


WAYS: dict[str, Callable[[Fenced, Path], None]] = {
    "apache": _loads,
    "console": _runs,
    "json": _is_json,
    "mermaid": _draws,
    "sh": _runs,
    "text": _names_commands,
    "yaml": _is_yaml,
}
