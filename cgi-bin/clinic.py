#!/usr/bin/env python3
"""One doctor, many faces: all conversations in one process (PersistentCGIShared On).

The first request starts the process, and all others come to it, whichever visitor they are from. The handle
tells the patients apart: each response's Accept-HTSession makes or renews the session of one of them (S2). Who
comes

- without a handle comes to the desk, which issues an appointment: the handle that the gateway offers (H11);
- with a living handle comes to the doctor (HTSESSION_HANDLE is set);
- with an invented one has PATH_INFO but no HTSESSION_HANDLE, and is turned away.

Sessions that timed out are named in HTSESSION_ENDED (S4): their conversations are forgotten. Who says goodbye
ends one session only; when the last one is over, so is the process (S3).
"""

import os
from html import escape

from common.doctor.consultation import Consultation
from common.page import CLOSED, answer, form, keep, own_handle, own_path, query, redirect
from common.visitors import Visitors

TITLE = "The clinic"
NAV = """<nav><a href="{start}">{text}</a> <a href="{start}?waiting-room">Waiting room</a>
<a href="/">All programs</a></nav>"""

patients: Visitors[Consultation] = Visitors()


def say(title: str, body: str, *head: str, link: str = "New patient") -> None:
    nav = NAV.format(start=escape(own_path()), text=link)
    answer(title, f"{body}\n{nav}", *head, *CLOSED)


def see(visit: Consultation, handle: str) -> None:
    """The doctor's room."""
    patients.keep(handle, visit, int(os.environ["HTSESSION_TIMEOUT"]))
    visit.take(form())
    if visit.is_over:
        patients.leave()
        say(TITLE, visit.talk())
    elif os.environ["REQUEST_METHOD"] == "POST":
        redirect(own_path(handle), *keep(handle))
    else:
        say(TITLE, visit.page(own_path(handle)), *keep(handle))


def desk() -> None:
    """A new patient gets an appointment; a HEAD request never starts a session (L3)."""
    if patients.is_full():
        say(
            "The clinic is full", "<p>Please come again in a minute.</p>", "Status: 503 Full", "Retry-After: 60"
        )
    elif os.environ["REQUEST_METHOD"] == "HEAD":
        say(TITLE, "")
    else:
        see(Consultation(), own_handle())


def waiting_room() -> None:
    count = len(patients)
    text = "patient is here" if count == 1 else "patients are here"
    say("The waiting room", f"<output>{count}</output>\n<p>{text}. Nobody is called by name.</p>")


def turn_away() -> None:
    say("No appointment", "<p>The doctor has no patient of that name.</p>", "Status: 403 No appointment")


if __name__ == "__main__":
    patients.drop_gone()
    patient = patients.caller()
    if patient is not None:
        see(patient, own_handle())
    elif os.environ.get("PATH_INFO", "/") not in ("", "/"):
        turn_away()
    elif "waiting-room" in query():
        waiting_room()
    else:
        desk()
