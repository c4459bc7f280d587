#!/usr/bin/env python3
"""A room where the conversations of one process meet (PersistentCGIShared On).

Every visitor has a session, and all sessions have one process (S2): the messages are a list in its memory. It
is the next step of the clinic, where they know nothing of each other.

One request at a time runs in an instance (S5): a page that waited for the next message would let nobody else
in. So a visitor looks again every few seconds, by the header Refresh. The page that does so has no form in it,
since a text half written would be gone with the refresh: "Say something" leads to a page that stands still,
with the form, and sending leads back (303, H9). That needs neither frames nor scripts, and who cannot read so
fast stays on the page that stands still.

The page that refreshes asks for little time, the one to write on for more (H7). Who just closes the window is
soon named in HTSESSION_ENDED (S4), and the others read that they left. When the last one has gone, the process
ends, and nothing is kept.
"""

import os
import time
import unicodedata
from collections import deque
from html import escape
from typing import NamedTuple

from common.page import CLOSED, answer, button, form, keep, one_line, own_handle, own_path, query, redirect
from common.visitors import Visitors

TITLE = "The chat room"
REFRESH = 5  # seconds
READING, WRITING = 2, 10  # minutes; a hidden page of a browser refreshes as seldom as once a minute
LONGEST_NAME, LONGEST_TEXT, KEPT = 24, 500, 100
ALL = '<a href="/">All programs</a>'
DOOR = """{problem}<form method="post" action="{door}">
<label for="name">Your name in the room</label>
<input id="name" name="name" value="{name}" maxlength="{longest}" autocomplete="nickname" required autofocus>
<button>Come in</button>
</form>
<p>{here} The room forgets what was said when the last one leaves.</p>
<nav>{all}</nav>"""
ROOM = """{talk}
<p><a href="{here}?write" autofocus>Say something</a> <a href="{here}">Look again</a></p>
<p>This page looks by itself every {refresh} seconds. The page to write on stands still.</p>
<nav>{leave} {all}</nav>"""
DESK = """{talk}
<form method="post" action="{here}">
<label for="say">{name} says</label>
<input id="say" name="say" maxlength="{longest}" autocomplete="off" required autofocus>
<button>Send</button>
</form>
<nav><a href="{here}">Back without a word</a> {all}</nav>"""

FAREWELL = """<p>You have left.</p>
<nav><a href="{door}">Come again</a> {all}</nav>"""


class Message(NamedTuple):
    """Somebody's words, or without a text that somebody came or left."""

    name: str
    event: str
    text: str
    at: str


visitors: Visitors[str] = Visitors()
messages: deque[Message] = deque(maxlen=KEPT)


def tell(name: str, event: str, text: str = "") -> None:
    messages.append(Message(name, event, text, time.strftime("%H:%M", time.gmtime())))


def talk() -> str:
    """The messages, newest last, and who is here (HTML)."""
    items = "\n".join(
        f"<li><time>{one.at}</time> <b><bdi>{escape(one.name)}</bdi></b> {words(one)}</li>" for one in messages
    )
    return f'<ol class="talk" aria-label="What was said (times in UTC)">\n{items}\n</ol>\n<p>{present()}</p>'


def words(message: Message) -> str:
    if message.event:
        return f"<i>{message.event}</i>"
    return f"<bdi>{escape(message.text)}</bdi>"


def present() -> str:
    names = ", ".join(f"<bdi>{escape(name)}</bdi>" for name in visitors.all())
    return f"Here are: {names}." if names else "Nobody is here."


def stay(name: str, minutes: int) -> tuple[str, ...]:
    """The head of a page that is good for so long."""
    seconds = min(60 * minutes, int(os.environ["HTSESSION_MAX_TIMEOUT"]))
    visitors.keep(own_handle(), name, seconds)
    return keep(own_handle(), minutes)


def door(problem: str = "", name: str = "", *head: str) -> None:
    shown = f'<p role="alert" class="missing">{problem}</p>\n' if problem else ""
    page = DOOR.format(
        problem=shown, door=escape(own_path()), name=escape(name), longest=LONGEST_NAME, here=present(), all=ALL
    )
    answer(TITLE, page, *head, *CLOSED)


def enter(wanted: str) -> None:
    """Somebody knocks, with a name."""
    name = one_line(unicodedata.normalize("NFKC", wanted[:100]))
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        door(f"A name has 1 to {LONGEST_NAME} signs that can be seen.", "", "Status: 422 Not a name")
    elif name.casefold() in (other.casefold() for other in visitors.all()):
        door("Somebody of that name is here already.", name, "Status: 409 Name taken")
    elif visitors.is_full():
        door("The room is full.", name, "Status: 503 Full", "Retry-After: 60")
    else:
        tell(name, "came")
        redirect(own_path(own_handle()), *stay(name, READING))


def attend(name: str, fields: dict[str, str]) -> None:
    """Somebody who is in the room looks, writes, sends or leaves."""
    here = escape(own_path(own_handle()))
    text = one_line(fields.get("say", ""))[:LONGEST_TEXT]
    if "leave" in fields:
        visitors.leave()
        tell(name, "left")
        answer(TITLE, FAREWELL.format(door=escape(own_path()), all=ALL), *CLOSED)
    elif os.environ["REQUEST_METHOD"] == "POST":
        if text:
            tell(name, "", text)
        redirect(own_path(own_handle()), *stay(name, READING))
    elif "write" in query():
        head = stay(name, WRITING)
        page = DESK.format(talk=talk(), here=here, name=escape(name), longest=LONGEST_TEXT, all=ALL)
        answer(TITLE, page, *head, *CLOSED)
    else:
        head = stay(name, READING)
        leave = button(own_path(own_handle()), "Leave", [("leave", "yes")])
        page = ROOM.format(talk=talk(), here=here, refresh=REFRESH, leave=leave, all=ALL)
        answer(TITLE, page, *head, f"Refresh: {REFRESH}", *CLOSED)


if __name__ == "__main__":
    for gone in visitors.drop_gone():
        tell(gone, "left")
    caller = visitors.caller()
    if caller is not None:
        attend(caller, form())
    elif os.environ.get("PATH_INFO", "/") not in ("", "/"):
        door("You are not in the room: come in first.", "", "Status: 403 Not in the room")
    elif os.environ["REQUEST_METHOD"] == "POST":
        enter(form().get("name", ""))
    else:
        door()
