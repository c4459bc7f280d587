"""docs/architecture.md: its drawings are those of the code, and can be read everywhere."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from gateway.front.lane import Direct, Lane
from gateway.handler import Handler
from gateway.keeper import link, table
from gateway.keeper.children import Children
from gateway.sessions.judge import Judge
from gateway.sessions.store import Store
from tests.blackbox.harness import ROOT
from tests.docs.examples import page

TEXT = page("architecture.md")
DRAWINGS = sorted((ROOT / "docs" / "images").glob("*.svg"))
SVG = "{http://www.w3.org/2000/svg}"
# programs that run in other processes, and the command, which may import everything
APART = ("hosts", "helpers", "starters", "cli", "announce", "__main__", "__version__")
# the parts of logs/ that the page names: standard library only, the keeper writes with them
LOWEST = ("logs.error", "logs.session", "logs.access.moments")


def drawn(name: str) -> ElementTree.Element:
    return ElementTree.parse(ROOT / "docs" / "images" / f"{name}.svg").getroot()


def words(name: str) -> str:
    return "\n".join("".join(text.itertext()) for text in drawn(name).iter(f"{SVG}text"))


def layers() -> dict[str, int]:
    """The rooms as they are drawn, 0 on top."""
    found = {
        "".join(text.itertext()): int(text.get("data-layer", "-1"))
        for text in drawn("rooms").iter(f"{SVG}text")
        if text.get("data-layer")
    }
    return found | dict.fromkeys(LOWEST, max(found.values()))


def imported(module: ast.Module) -> Iterator[str]:
    """The modules of the gateway that a module imports when it runs."""
    left: list[ast.AST] = [module]
    while left:
        node = left.pop()
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gateway"):
            whole = node.module == "gateway"
            yield from [f"gateway.{name.name}" for name in node.names] if whole else [str(node.module)]
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names if name.name.startswith("gateway"))
        elif not (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            for block in ("body", "orelse", "handlers", "finalbody"):
                left += getattr(node, block, None) or [] if not isinstance(node, ast.expr) else []


def place(module: str, rooms: dict[str, int]) -> tuple[str, int] | None:
    """The room of a module and its layer; None: it stands apart."""
    parts = module.split(".")[1:]
    for size in range(len(parts), 0, -1):
        name = ".".join(parts[:size])
        if name in rooms:
            return parts[0], rooms[name]
    assert not parts or parts[0].startswith(APART), f"{module} is in no room of the drawing"
    return None


def modules() -> Iterator[tuple[str, ast.Module]]:
    for file in sorted((ROOT / "gateway").rglob("*.py")):
        if "starters" not in file.parts:
            name = str(file.relative_to(ROOT).with_suffix("")).replace("/", ".").removesuffix(".__init__")
            yield name, ast.parse(file.read_text())


def test_every_room_is_drawn_and_none_imports_from_above() -> None:
    rooms, upward = layers(), []
    for name, tree in modules():
        own = place(name, rooms)
        for other in imported(tree):
            its = place(other, rooms)
            if own and its and its[0] != own[0] and its[1] < own[1]:
                upward.append(f"{name} -> {other}")
    assert upward == []


def test_every_drawn_room_is_there() -> None:
    for room in layers():
        path = ROOT / "gateway" / room.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), room


def test_the_messages_of_the_drawn_reload_are_those_of_the_link() -> None:
    known = set(re.findall(r"\b[a-z_]+\b", (link.__doc__ or "").partition("front -> keeper:")[2]))
    told = words("reload")
    names = ["hello", "listen", "configure", "ready", "drain", "give", "released", "grant", "activate"]
    assert [name for name in names if name not in known] == []
    places = [re.search(rf"\b{name}\b", told) for name in names]
    found = [place.start() for place in places if place]
    assert found == sorted(found) and len(found) == len(names)


def test_the_steps_below_a_drawing_are_as_many_as_in_it() -> None:
    for name in ("request", "reload"):
        below = TEXT.partition(f"(images/{name}.svg)")[2].partition("\n## ")[0]
        drawn_steps = re.findall(r"^(\d+)\. ", words(name), re.MULTILINE)
        assert drawn_steps == re.findall(r"^(\d+)\. ", below, re.MULTILINE) != []


def test_what_the_steps_name_is_in_the_code() -> None:
    assert callable(Store.match) and callable(Judge.decide) and callable(Handler._serve)
    assert "`Store.match`" in TEXT and "`Judge.decide`" in TEXT
    assert Lane.__module__ == Direct.__module__ == "gateway.front.lane" and "`Lane` in `front/`" in TEXT
    assert callable(Handler.at_once) and callable(Handler.go_on) and "`SessionLane Off`" in TEXT
    states = re.findall(r"`([A-Z]{4,})`", TEXT)
    assert set(states) == {"BUSY", "IDLE"} and all(hasattr(table, state) for state in states)
    ends = Children.place.__doc__ or ""
    assert "output, errors, requests" in ends  # 1, 2, 3 behind stdin
    assert f"its end ({link.LINK_DESCRIPTOR})" in TEXT


@pytest.mark.parametrize("file", DRAWINGS, ids=lambda file: file.stem)
def test_a_drawing_has_text_and_colours_of_its_surroundings(file: Path) -> None:
    text = file.read_text()
    assert "<script" not in text and "http:" not in text.replace("http://www.w3.org/2000/svg", "")
    assert "https:" not in text
    if file.stem != "mark":
        root = drawn(file.stem)
        assert root.find(f"{SVG}title") is not None and root.find(f"{SVG}desc") is not None
        assert "prefers-color-scheme: dark" in text and "currentColor" in text
        assert {node.get("stroke") for node in root.iter() if node.get("stroke")} == {"currentColor"}
        width = float(root.get("viewBox", "").split()[2])
        smallest = min(float(node.get("font-size", "99")) for node in root.iter(f"{SVG}text"))
        assert smallest * 330 / width >= 8.9  # pixels on a phone of 360
