"""The goals of a run as an SVG: each row's figure beside its goal, on one scale where 1 is the goal."""

from collections.abc import Sequence
from html import escape
from math import log2

from bench.results import LEAST, Row

_WIDTH, _LEFT, _LINE, _TOP = 920, 430, 22, 46
_OCTAVES = 3.0  # each side of the goal
_SCALE = (_WIDTH - _LEFT - 90) / (2 * _OCTAVES)
_STYLE = """
text { font: 13px system-ui, sans-serif; fill: #1d2125 } .soft { fill: #5b6570 }
.met { fill: #2f7d4f } .missed { fill: #b4532a } .goal { stroke: #1d2125; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) { text { fill: #e9e6df } .soft { fill: #a6adb5 } .goal { stroke: #e9e6df }
.met { fill: #6cc08b } .missed { fill: #e08a5f } }
"""


def draw(rows: Sequence[Row]) -> str:
    """One bar for each row with a goal: to the right of the line is better than the goal, by powers of two."""
    wanted = [row for row in rows if row.goal is not None]
    height = _TOP + _LINE * len(wanted) + 16
    middle = _LEFT + _OCTAVES * _SCALE
    box = f'viewBox="0 0 {_WIDTH} {height}"'
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img" aria-labelledby="t">',
        f'<title id="t">{escape(_summary(wanted))}</title><style>{_STYLE}</style>',
        f'<text x="{middle}" y="18" text-anchor="middle">the goal</text>',
        f'<text class="soft" x="{middle - 40}" y="36" text-anchor="end">half as good</text>',
        f'<text class="soft" x="{middle + 40}" y="36">twice as good</text>',
    ]
    for number, row in enumerate(wanted):
        lines += _bar(row, _TOP + _LINE * number, middle)
    lines.append(f'<line class="goal" x1="{middle}" x2="{middle}" y1="{_TOP - 20}" y2="{height - 8}"/></svg>')
    return "\n".join(lines) + "\n"


def _bar(row: Row, y: int, middle: float) -> list[str]:
    assert row.goal is not None
    better = row.figure / row.goal.bound if row.goal.sign == LEAST else row.goal.bound / max(row.figure, 1e-9)
    octaves = max(-_OCTAVES, min(_OCTAVES, log2(max(better, 1e-9))))
    length = abs(octaves) * _SCALE
    x = middle if octaves >= 0 else middle - length
    label = f"{row.work}, beside {row.peer}" if row.peer else row.work
    kind = "met" if row.met else "missed"
    stands = f"{row.figure:.2f} ({row.goal})"
    return [
        f'<text x="{_LEFT - 8}" y="{y + 14}" text-anchor="end">{escape(label)}</text>',
        f'<rect class="{kind}" x="{x:.1f}" y="{y + 4}" width="{max(length, 1):.1f}" height="13" rx="2"/>',
        f'<text class="soft" x="{_WIDTH - 4}" y="{y + 14}" text-anchor="end">{escape(stands)}</text>',
    ]


def _summary(rows: Sequence[Row]) -> str:
    met = sum(bool(row.met) for row in rows)
    return f"{met} of {len(rows)} goals met"
