"""What report.py shows, in HTML."""

from collections.abc import Sequence
from html import escape

Row = Sequence[int]  # from, to, the number with the longest chain, its steps, its peak, all steps
COLUMNS = ("from", "to", "longest chain from", "its steps", "its peak", "all steps")

_FORM = """<form method="post" action="{here}">
<label for="thousands">Thousands of numbers, up to {most}</label>
<input id="thousands" name="thousands" type="number" min="1" max="{most}" value="{thousands}" required{focus}>
<button name="do" value="start">{verb}</button></form>"""
_NAV = """<nav><form method="post" action="{here}">
<button name="do" value="end">End this session</button></form>
<a href="{start}">Another session</a> <a href="/">All programs</a></nav>"""

_TABLE = """<div class="wide" role="region" aria-label="Steps of the job" tabindex="0"><table class="figures">
<tr>{heads}</tr>
{lines}</table></div>"""

ASK = (
    """<p>Halve a number if it is even, take three times and one more if it is odd: you always come to 1, as far
as anybody knows. How many steps does it take? To count takes a while; watch it. The result then stays here, in
the memory of your process.</p>
{note}"""
    + _FORM.replace("{verb}", "Count").replace("{focus}", " autofocus")
    + "\n"
    + _NAV
)

REPORT = (
    """<p>{longest}</p>
{table}
<p><a href="{here}/report.csv" download>Download as CSV</a></p>
<p>Nothing was counted again for this page: the rows lie in the memory of the process that counted them.</p>"""
    + _FORM.replace("{verb}", "Count again").replace("{focus}", "")
    + "\n"
    + _NAV
)

BEGIN = """<!--{padding}-->
<p>{thousands},000 numbers in 20 steps. This page grows while they are counted. You may leave it: the result
will be there.</p>
<ol class="bar" role="log" aria-label="Progress">"""

END = """</ol>
<p class="done" role="status">Done: <a href="{here}">See the report</a></p>
<nav><a href="{here}/report.csv" download>Download as CSV</a> <a href="/">All programs</a></nav>"""

OVER = """<p role="status">The process has ended, and its result with it.</p>
<nav><a href="{start}">Another session</a> <a href="/">All programs</a></nav>"""


def note(most: int) -> str:
    """What was wrong with the form."""
    return f'<p class="note" role="alert">How many thousands? A whole number from 1 to {most}.</p>\n'


def step(percent: int, rows: Sequence[Row]) -> str:
    """A segment of the bar: what is done, and the best so far."""
    best = max(rows, key=lambda row: row[3])
    return (
        f"<li><span>{percent} %: up to {rows[-1][1]:,}; longest: {best[3]} steps from {best[2]:,}</span></li>"
    )


def longest(rows: Sequence[Row]) -> str:
    """The result in a sentence."""
    best = max(rows, key=lambda row: row[3])
    return (
        f"Of the numbers up to {rows[-1][1]:,}, {best[2]:,} takes the longest: {best[3]} steps, by way of "
        f"{best[4]:,}. All of them together took {sum(row[5] for row in rows):,} steps."
    )


def table(rows: Sequence[Row]) -> str:
    """The report: a row for each step of the job."""
    heads = "".join(f'<th scope="col">{escape(name.capitalize())}</th>' for name in COLUMNS)
    lines = "".join(
        f'<tr><th scope="row">{first:,}</th>' + "".join(f"<td>{number:,}</td>" for number in rest) + "</tr>\n"
        for first, *rest in rows
    )
    return _TABLE.format(heads=heads, lines=lines)
