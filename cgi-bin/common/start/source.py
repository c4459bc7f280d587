"""The source of the programs that start.toml names, as pages."""

import os
import stat
from collections.abc import Iterator
from html import escape
from typing import Any
from urllib.parse import quote

from common.page import CLOSED, answer, beside, link
from common.start.colours import listing
from common.start.ready import lacks

PAGE = """<a class="skip" href="#code">Skip to the code</a>
{about}
<nav aria-label="Go on">
{links}
</nav>{note}
<link rel="stylesheet" href="/source.css">
{listing}"""
MISSING = """<p>Only the programs of the list show their source, and what they share.</p>
<nav>{}</nav>"""
HEAD = ("Cache-Control: no-cache", *CLOSED)
LONGEST = 100_000  # bytes that are shown

# Characters that a page cannot hold, or by which text looks other than it reads (CVE-2021-42574)
_CONTROLS = {code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A, 0x0D)}
_DECEIVING = [*range(0x7F, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A)]
VISIBLE = {**_CONTROLS, **dict.fromkeys(_DECEIVING, 0xFFFD)}


def read(name: str) -> tuple[str, bool]:
    """The text of a file of this folder, and whether that is all of it. What is not UTF-8 shows as U+FFFD.

    Raises OSError: there is none, it is no regular file, or a link leads out of the folder.
    """
    here = os.path.realpath(".")
    if os.path.commonpath([here, os.path.realpath(name)]) != here or not stat.S_ISREG(os.stat(name).st_mode):
        raise FileNotFoundError(name)
    with open(name, "rb") as file:
        data = file.read(LONGEST + 1)
    whole = len(data) <= LONGEST
    if not whole:
        data = data[:LONGEST].rpartition(b"\n")[0] or data[:LONGEST]
    text = data.decode("utf-8-sig", errors="replace").translate(VISIBLE)
    return text.replace("\r\n", "\n").replace("\r", "\n"), whole


def source_of(program: dict[str, Any]) -> str:
    """The file that a program is written in: for a compiled one not its own."""
    return str(program.get("source", program["file"]))


def source_link(file: str, text: str, label: str = "") -> str:
    """A link to the page of a file's source."""
    return link(f"{beside('start.py')}?source={quote(file)}", text, label)


def _programs(table: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of all programs, each with the parts of its group."""
    for words in [*table["groups"], {"programs": [table["page"]]}]:
        for program in words["programs"]:
            yield {**program, "parts": [*program.get("parts", []), *words.get("parts", [])]}


def _row(words: str, files: list[tuple[str, str]]) -> str:
    """A paragraph of links to sources, (file, text) each; empty without any."""
    return f"<p>{words} {', '.join(source_link(*one) for one in files)}.</p>" if files else ""


def answer_source(name: str, table: dict[str, Any]) -> None:
    """Print the page of a file that the table names; whatever else is asked for is not looked at."""
    programs = list(_programs(table))
    written = [program for program in programs if source_of(program) == name]
    sharing = [program for program in programs if name in program["parts"]]
    try:
        if not written and not sharing:
            raise FileNotFoundError(name)
        text, whole = read(name)
    except OSError:
        page = MISSING.format(link(beside("start.py"), "All programs"))
        answer("There is no such source", page, "Status: 404 Not Found", *HEAD)
        return
    links = [
        link(beside("start.py"), "All programs"),
        *(link(beside(one["file"]), f"Run {one['file']}") for one in written if not lacks(one, table)),
    ]
    about = [f"<p>{escape(one['text'])}</p>" for one in written[:1]]
    about += [_row("Made of this and", [(part, part) for part in one["parts"]]) for one in written[:1]]
    about += [_row("Used by", [(source_of(one), one["file"]) for one in sharing])]
    body = PAGE.format(
        about="\n".join(filter(None, about)),
        links="\n".join(links),
        note="" if whole else "\n<p>The file is longer: this is its beginning.</p>",
        listing=listing(name, text),
    )
    answer(name, body, *HEAD)
