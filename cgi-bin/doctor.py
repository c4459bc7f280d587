#!/usr/bin/env python3
"""Eliza, the doctor: one process for each conversation.

What was said is a variable of this process. It lives as long as the session; who says goodbye gets a last page
without Accept-HTSession, and with that the session and the process end (H8). A sentence is posted and answered
by a redirection to the page (H9): so a reload shows the page again and says nothing twice. One handle is kept
for the whole conversation, and the Back button leads to the same list.
"""

import os
from html import escape

from common.doctor.consultation import Consultation
from common.page import CLOSED, answer, form, keep, own_handle, own_path, redirect

TITLE = "The doctor"
NAV = '<nav><a href="{start}">{text}</a> <a href="/">All programs</a></nav>'

visit = Consultation()  # once, above the block

if __name__ == "__main__":  # in every call
    head, here, start = keep(own_handle()), own_path(own_handle()), escape(own_path())
    visit.take(form())
    if visit.is_over:
        answer(TITLE, f"{visit.talk()}\n{NAV.format(start=start, text='Come again')}", *CLOSED)
    elif os.environ["REQUEST_METHOD"] == "POST":
        redirect(here, *head)
    else:
        answer(TITLE, f"{visit.page(here)}\n{NAV.format(start=start, text='Begin anew')}", *head, *CLOSED)
