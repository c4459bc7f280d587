#!/usr/bin/env python3
"""A bank counter: a database transaction that stays open over as many pages as it takes.

The transaction is an object of a living process, `slip`. It locks two accounts when it begins, and nobody else
sees its postings before "Commit". Whatever ends the process ends the transaction with it, and the database
undoes it: a time-out, kill -9, the end of the gateway. The long form asks for 15 minutes, the menu for 2.

Each step is a POST, answered by a redirect to a fresh handle (H5, H9): the page before is out of date from then
on, so that no step can be taken twice. If the answer got lost, the gateway lets the old page try again (R7);
its handle tells that its step was taken already.
"""

import atexit
import os
from html import escape

from common.bank import pages
from common.bank.ledger import Slip, accounts, engine, postings
from common.bank.trouble import Away, Busy
from common.page import CLOSED, answer, button, form, keep, own_handle, own_path, query, redirect

MENU_MINUTES, FORM_MINUTES = 2, 15

slip = None  # the open transaction
names = {}  # of its accounts
note = ""  # what the last step has to say
typed = {}  # the fields of a posting that was refused
stepped = None  # the handle of the page whose step was the last


@atexit.register
def leave_clean():
    """Correctness does not depend on it: when the connection is gone the database does the same."""
    if slip:
        slip.roll_back()


def respond():
    if "HTSESSION_HANDLE" in os.environ:
        if os.environ["REQUEST_METHOD"] == "POST":
            step(form())
        elif slip:
            show_form()
        else:
            show_menu()
    elif "balances" in query():
        show_public()
    else:
        go_on()


def step(fields):
    """Take the step that a page asks for: once, however often it asks."""
    global note, stepped
    here = os.environ["HTSESSION_HANDLE"]
    if here == stepped:
        note = note.removesuffix(pages.AGAIN) + pages.AGAIN
        return go_on()
    stepped, note = here, ""
    action = {"begin": begin, "post": post, "commit": commit, "roll back": roll_back, "leave": leave}
    return action.get(fields.get("do"), go_on)(fields)


def go_on(_fields=None):
    """The page of a fresh handle is next."""
    handle = os.environ["HTSESSION_NEXT_HANDLE"]
    redirect(own_path(handle), *keep(handle, FORM_MINUTES if slip else MENU_MINUTES))


def begin(fields):
    global slip, names, note, typed
    known = {str(row.id): row for row in accounts()}
    chosen = known.keys() & {fields.get("first"), fields.get("second")}
    if slip or len(chosen) != 2:
        note = pages.TWO
        return go_on()
    names, typed = {known[number].id: known[number].name for number in chosen}, {}
    try:
        slip = Slip(set(names))
    except Busy:
        note = pages.BUSY
    return go_on()


def post(fields):
    global note, typed
    by_field = {str(number): number for number in names}
    source, target = by_field.get(fields.get("source")), by_field.get(fields.get("target"))
    cents = pages.cents_of(fields.get("amount", ""))
    typed = fields
    if not slip or None in (source, target) or source == target:
        note = pages.ACROSS
    elif not cents:
        note = pages.AMOUNT
    elif not slip.post(source, target, cents, pages.line(fields.get("text", ""), 80)):
        note = pages.TOO_LITTLE.format(names[source], pages.money(cents))
    else:
        note, typed = pages.POSTED.format(pages.money(cents), names[source], names[target]), {}
    go_on()


def commit(_fields):
    if not slip:
        return go_on()
    count = len(slip.postings())
    try:
        slip.commit()
    except Away:
        return end("Committed?", pages.UNKNOWN.format(slip.number), "Status: 503 Service Unavailable")
    done = pages.COMMITTED.format("1 posting" if count == 1 else f"{count} postings", slip.number)
    return end("Committed", done)


def roll_back(_fields):
    if not slip:
        return go_on()
    slip.roll_back()
    return end("Rolled back", pages.ROLLED_BACK)


def leave(_fields):
    return go_on() if slip else end("Good-bye", "You have left the counter.")


def end(title, text, *head):
    """The last page: without Accept-HTSession the process is let go (H8)."""
    body = pages.OVER.format(told=escape(text), start=escape(own_path()))
    answer(title, body, *head, "Cache-Control: no-store", *CLOSED)


def show(title, page, minutes, **parts):
    """A page of this session, which echoes its own handle: it can be looked at again (H5)."""
    here, seconds = own_path(own_handle()), min(minutes * 60, int(os.environ["HTSESSION_MAX_TIMEOUT"]))
    good_for = f"{seconds // 60} minutes" if seconds >= 120 else f"{seconds} seconds"
    parts |= {do.replace(" ", "_"): button(here, do.capitalize(), [("do", do)]) for do in parts.pop("buttons")}
    parts |= {"here": escape(here), "start": escape(own_path()), "note": pages.remark(note)}
    answer(title, page.format(good_for=good_for, **parts), *keep(own_handle(), minutes), *CLOSED)


def show_menu():
    rows = accounts()
    show("Bank counter", pages.MENU, MENU_MINUTES, buttons=["leave"],
         balances=pages.table(rows, [("Committed", {row.id: row.cents for row in rows})]),
         first=pages.options(rows, rows[0].id), second=pages.options(rows, rows[1].id))  # fmt: skip


def show_form():
    rows, chosen = list(slip.before.values()), str(typed.get("source"))
    source, target = sorted(rows, key=lambda row: str(row.id) != chosen)
    columns = [("When you began", {row.id: row.cents for row in rows}), ("For you, now", slip.balances())]
    show(f"Transaction {slip.number}", pages.OPEN, FORM_MINUTES, buttons=["commit", "roll back"],
         locked=pages.LOCKED.get(engine().dialect.name, pages.LOCKED["server"]),
         balances=pages.table(rows, columns),
         postings=pages.told("Posted, not committed", slip.postings(), names),
         source=pages.options(rows, source.id), target=pages.options(rows, target.id),
         **{field: escape(pages.line(typed.get(field, ""), 80)) for field in ("amount", "text")})  # fmt: skip


def show_public():
    rows = accounts()
    balances = pages.table(rows, [("Committed", {row.id: row.cents for row in rows})])
    latest = pages.told("The latest postings", postings(10), {row.id: row.name for row in rows})
    total = pages.money(sum(row.cents for row in rows))
    body = pages.PUBLIC.format(start=escape(own_path()), total=total, balances=balances, postings=latest)
    answer("Balances", body, "Cache-Control: no-store", *CLOSED)


if __name__ == "__main__":
    try:
        respond()
    except Busy:
        end("Rolled back", pages.DEADLOCK, "Status: 409 Conflict")
    except Away:
        end("The database is away", pages.LOST, "Status: 503 Service Unavailable", "Retry-After: 30")
