"""The style sheets of the programs' pages: up to date, readable in both modes, nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.blackbox.harness import ROOT


def sheet(name: str) -> str:
    return (ROOT / "htdocs" / name).read_text()


def test_the_style_sheet_is_not_stale() -> None:
    (command,) = re.findall(r"Made by: .venv/bin/python (\S+) >htdocs/source.css", sheet("source.css"))
    made = subprocess.run([sys.executable, str(ROOT / command)], capture_output=True, text=True, check=True)
    assert made.stdout == sheet("source.css")


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance of #rgb or #rrggbb."""
    digits = colour.lstrip("#")
    digits = "".join(digit * 2 for digit in digits) if len(digits) == 3 else digits
    parts = [int(digits[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_colour_can_be_read_on_its_paper() -> None:
    """Contrast of WCAG AA in both modes: 4.5 for text, 3 for the edges of fields."""
    light, dark = (
        dict(re.findall(r"--(\w[\w-]*): (#\w+);", part)) for part in sheet("style.css").split("@media")[:2]
    )
    assert light.keys() == dark.keys()
    for colours_of in (light, dark):
        for name in ("ink", "quiet", "accent", "warn"):
            assert contrast(colours_of[name], colours_of["paper"]) >= 4.5, name
            assert contrast(colours_of[name], colours_of["code"]) >= 4.5, name
        assert contrast(colours_of["on-accent"], colours_of["accent"]) >= 4.5
        assert contrast(colours_of["edge"], colours_of["paper"]) >= 3
    for paper, rules in zip(
        (light["code"], dark["code"]), sheet("source.css").split("@media")[1:], strict=True
    ):
        assert "background" not in rules
        for colour in re.findall(r"color: (#\w+)", rules):
            assert contrast(colour, paper) >= 4.5, colour


def test_no_style_sheet_needs_anything_from_elsewhere() -> None:
    for file in (ROOT / "htdocs").glob("*.css"):
        assert re.search(r"url\(|@import|//", file.read_text()) is None, file
