"""What browse.py shows, in HTML."""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from common.bank.pages import money

CHOICE = """<p>Something big, page by page, forward and back: it is opened once and stays open in a process of
your own, with the place where you are. Choose what to open.</p>
<ul>
<li><a href="{start}?open=file">The file</a> <span>A text file that the administrator has named; otherwise a
table of the first million squares, which is made for whoever comes first.</span></li>
<li><a href="{start}?open=postings">The bank's postings</a> <span>An open cursor of an SQL query: it looks at
one moment, and what is committed while you read does not show.</span></li>
</ul>
<nav><a href="/">All programs</a></nav>"""

_WAYS = '<nav class="ways" aria-label="Pages">{ways}</nav>'
_END = """<nav><form method="post" action="{here}"><button name="do" value="close">Close</button></form>
<a href="{start}">Open another</a> <a href="/">All programs</a></nav>"""

LINES = (
    """<p>{name}: {counted}, {size} bytes. The file has been open since your first page (descriptor
{descriptor} of process {pid}); each page begins to read where it needs to.</p>
{news}{unfinished}{ways}
{texts}
{ways}
<form method="get" action="{here}"><label for="line">Line</label>
<input id="line" name="line" type="number" min="1" value="{line}" required> <button>Go there</button></form>
<form method="get" action="{here}"><label for="percent">Per cent of the file</label>
<input id="percent" name="percent" type="number" min="1" max="100" value="50" required>
<button>Jump there</button></form>
"""
    + _END
)

ROWS = """<p>{counted}, from a cursor that process {pid} has kept open since your first page. All rows are of
that moment.</p>
{oldest}{ways}
{rows}
{ways}
""" + _END.replace("Open another</a>", 'Open another</a> <a href="{start}?open=postings">A new cursor</a>')

OVER = """<p role="status">{told}</p>
<nav><a href="{start}">Open another</a> <a href="/">All programs</a></nav>"""

NEWS = {
    "": "",
    "replaced": '<p class="note" role="status">Another file has this name now, or none. You still read the '
    "one that you opened.</p>\n",
    "changed": '<p class="note" role="status">The file was changed: its lines are counted anew.</p>\n',
}


def counted(number: int, complete: bool) -> str:
    """How many lines or rows there are, as far as one knows."""
    return f"{number:,} in all" if complete else f"{number:,} or more"


def unfinished(here: str, line: int, reached: int) -> str:
    """Counting up to that line takes more than one page."""
    return (
        f'<p class="note" role="status">Counted up to line {reached:,} so far. '
        f'<a href="{escape(here)}?line={line}">Go on to line {line:,}</a></p>\n'
    )


def oldest(number: int) -> str:
    """From which row on they are kept."""
    return f"<p>You can go back to row {number:,}; the rows before have passed.</p>\n" if number > 1 else ""


def ways(here: str, places: Iterable[tuple[str, str, str]]) -> str:
    """Links to other pages: relation, text, and query; without one there is no such page."""
    return _WAYS.format(
        ways=" ".join(
            f'<a rel="{rel}" href="{escape(here)}?{query}">{text}</a>' if query else f"<span>{text}</span>"
            for rel, text, query in places
        )
    )


def listed(first: int, texts: Iterable[str]) -> str:
    """Lines with their numbers."""
    items = "".join(f"<li><code>{escape(text)}</code></li>\n" for text in texts)
    return f'<ol class="lines" start="{first}">\n{items}</ol>' if items else "<p>There is nothing to show.</p>"


def table(rows: Sequence[Any]) -> str:
    """Postings with the names of their accounts."""
    lines = "".join(
        f'<tr><th scope="row">{row.id}</th><td>{escape(row.source)}</td><td>{escape(row.target)}</td>'
        f"<td>{money(row.cents)}</td><td>{escape(row.text)}</td></tr>\n"
        for row in rows
    )
    heads = "".join(f'<th scope="col">{head}</th>' for head in ("No.", "From", "To", "Amount", "Text"))
    if not rows:
        return "<p>There are none yet: make some at the counter (transfer.py).</p>"
    return f'<table class="postings">\n<tr>{heads}</tr>\n{lines}</table>'
