"""What transfer.py shows: its pages, amounts, tables of balances and lists of postings, in HTML."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

_AMOUNT = re.compile(r"([0-9]{1,7})(?:[.,]([0-9]{1,2}))?")
Rows = Iterable[Any]  # of the bank: accounts (id, name, cents) or postings (slip, source, target, cents, text)

MENU = """<p>A transaction that stays open from page to page: choose two accounts, post from one to the other as
often as you like, then commit all of it or nothing. Until then everybody else sees the old balances.</p>
{note}
{balances}
<form class="fields" method="post" action="{here}">
<label for="first">Account</label> <select id="first" name="first" autofocus>{first}</select>
<label for="second">and account</label> <select id="second" name="second">{second}</select>
<button name="do" value="begin">Begin</button>
</form>
<p class="quiet">This page waits {good_for} for you.</p>
<nav>{leave} <a href="{start}?balances">What is committed</a> <a href="/">All programs</a></nav>"""

OPEN = """<p>{locked} Only this page sees what it posts; everybody else, when you commit. If you say nothing for
{good_for}, it is all rolled back.</p>
{note}
{balances}
{postings}
<form class="fields" method="post" action="{here}">
<label for="source">From</label> <select id="source" name="source">{source}</select>
<label for="target">To</label> <select id="target" name="target">{target}</select>
<label for="amount">Amount</label> <input id="amount" name="amount" value="{amount}" inputmode="decimal"
 autocomplete="off" required autofocus>
<label for="text">Text</label> <input id="text" name="text" value="{text}" maxlength="80" autocomplete="off">
<button name="do" value="post">Post</button>
</form>
<div class="choice">{commit} {roll_back}</div>
<nav><a href="{start}?balances">What everybody else sees</a> <a href="/">All programs</a></nav>"""

PUBLIC = """<p>What is committed: this is what everybody sees, whatever may be going on at the counter. All
accounts together have {total}; that never changes.</p>
{balances}
{postings}
<nav><a href="{start}">To the counter</a> <a href="{start}?balances">Look again</a>
<a href="/">All programs</a></nav>"""

OVER = """<p role="status">{told}</p>
<nav><a href="{start}">Begin another</a> <a href="{start}?balances">What is committed</a>
<a href="/">All programs</a></nav>"""

LOCKED = {
    "sqlite": "The counter is yours: SQLite locks the whole database, so that nobody else can post now, "
    "whichever account it is.",
    "server": "These two accounts are locked for you; others may work on the rest.",
}

BUSY = """Somebody else is at the counter, and did not leave it while you waited. Nothing has happened.
Try again in a moment; and look at your other tabs: it may be you."""
TWO = "Choose two different accounts."
ACROSS = "A posting goes from one of the two accounts to the other."
AMOUNT = "An amount is a number such as 12.50, more than nothing and less than ten million."
TOO_LITTLE = "{} has less than {}, and no account may go below zero."
POSTED = "Posted: {} from {} to {}."
AGAIN = " (You did not get this answer at first. The step was taken once.)"
COMMITTED = "Everybody sees it now: {} of slip {}."
ROLLED_BACK = "Everything is as it was before you began."
DEADLOCK = "Somebody else had locked what this needed. All of it is rolled back: begin again."
LOST = "The database cannot be reached. Whatever was open is rolled back: nothing is half done."
UNKNOWN = """The database was lost while it committed: nobody knows whether it did. Look at what is committed:
the postings of slip {} are there, all of them, or none is."""


def money(cents: int) -> str:
    """An amount as people write it: 1,234.50."""
    return f"{cents // 100:,}.{cents % 100:02}"


def cents_of(text: str) -> int | None:
    """12, 12.5 or 12,50 in cents; None for what is no amount, or nothing."""
    found = _AMOUNT.fullmatch(text.strip())
    return (int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) or None) if found else None


def line(text: str, longest: int) -> str:
    """What somebody typed, in one line, without what cannot be printed."""
    return "".join(character for character in text if character.isprintable())[:longest].strip()


def options(accounts: Rows, chosen: int) -> str:
    """The choices of a <select>."""
    return "".join(
        f'<option value="{row.id}"{" selected" if row.id == chosen else ""}>{escape(row.name)}</option>'
        for row in accounts
    )


def table(accounts: Rows, columns: Sequence[tuple[str, Mapping[int, int]]]) -> str:
    """Balances: a row for each account; a column is its heading, and cents by account."""
    heads = "".join(f'<th scope="col">{heading}</th>' for heading, _ in columns)
    lines = "".join(
        f'<tr><th scope="row">{escape(row.name)}</th>'
        + "".join(f"<td>{money(cents[row.id])}</td>" for _, cents in columns)
        + "</tr>\n"
        for row in accounts
    )
    return f'<table class="figures">\n<tr><th scope="col">Account</th>{heads}</tr>\n{lines}</table>'


def told(heading: str, postings: Rows, names: Mapping[int, str]) -> str:
    """Postings as a list under a heading, each with its slip to find it again by; nothing for none."""
    items = "".join(
        f"<li>{money(row.cents)} from {escape(names[row.source])} to {escape(names[row.target])}\n"
        f"<span>{escape(row.text)} <small>slip {row.slip}</small></span></li>\n"
        for row in postings
    )
    return f"<h2>{heading}</h2>\n<ul>\n{items}</ul>" if items else ""


def remark(text: str) -> str:
    """What the last step has to say."""
    return f'<p class="note" role="status">{escape(text)}</p>' if text else ""
