"""The goals of a run as an SVG: each row's figure beside its goal, on one scale where 1 is the goal."""

from collections.abc import Sequence
from html import escape
from math import log2

from bench.results import LEAST, Row, summary

# It is read on a phone too: 330 pixels wide
_WIDTH, _LINE, _TOP, _FONT = 440, 36, 46, 12
_OCTAVES = 3.0  # each side of the goal
_MIDDLE, _SCALE = 175, 55.0
_STYLE = """
svg { color: #1d2125 } .soft { opacity: .75 } .met { fill: #2f7d4f } .missed { fill: #b4532a }
@media (prefers-color-scheme: dark) { svg { color: #e9e6df } .met { fill: #6cc08b } .missed { fill: #e08a5f } }
"""


def draw(rows: Sequence[Row]) -> str:
    """One bar for each row with a goal: to the right of the line is better than the goal, by powers of two."""
    wanted = [row for row in rows if row.goal is not None]
    height = _TOP + _LINE * len(wanted) + 16
    box = f'viewBox="0 0 {_WIDTH} {height}"'
    about = (
        "Bars to the right of the line: better than the goal; to the left: worse. Each step is a factor of two."
    )
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-labelledby="goals-title goals-desc"'
        ' font-family="system-ui, sans-serif">',
        f'<title id="goals-title">{escape(summary(wanted))}</title><desc id="goals-desc">{about}</desc>',
        f"<style>{_STYLE}</style>",
        _text(_MIDDLE, 16, "the goal", "middle"),
        _text(_MIDDLE - 20, 34, "half as good", "end", soft=True),
        _text(_MIDDLE + 20, 34, "twice as good", "start", soft=True),
    ]
    for number, row in enumerate(wanted):
        lines += _bar(row, _TOP + _LINE * number)
        y = _TOP + _LINE * number + 16
        lines.append(f'<line x1="{_MIDDLE}" x2="{_MIDDLE}" y1="{y}" y2="{y + 14}" stroke="currentColor"/>')
    return "\n".join([*lines, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, anchor: str, *, soft: bool = False) -> str:
    kind = ' class="soft"' if soft else ""
    place = f'x="{x}" y="{y}" text-anchor="{anchor}" font-size="{_FONT}"'
    return f'<text{kind} {place} fill="currentColor">{escape(text)}</text>'


def _bar(row: Row, y: int) -> list[str]:
    assert row.goal is not None
    better = row.figure / row.goal.bound if row.goal.sign == LEAST else row.goal.bound / max(row.figure, 1e-9)
    octaves = max(-_OCTAVES, min(_OCTAVES, log2(max(better, 1e-9))))
    length = abs(octaves) * _SCALE
    x = _MIDDLE if octaves >= 0 else _MIDDLE - length
    kind = "met" if row.met else "missed"
    return [
        _text(4, y + 13, f"{row.work}, beside {row.peer}" if row.peer else row.work, "start"),
        f'<rect class="{kind}" x="{x:.1f}" y="{y + 17}" width="{max(length, 1):.1f}" height="12" rx="2"/>',
        _text(_WIDTH - 4, y + 28, f"{row.figure:.2f} ({row.goal})", "end", soft=True),
    ]
