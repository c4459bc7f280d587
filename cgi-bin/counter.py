#!/usr/bin/env python3
"""Counts its own calls: the number is a variable of a living process, whose block below runs once a call.

Each page carries a handle of its own, so that an older one, by the Back button, is told to be out of date.
"""

import os
import sys
from html import escape
from urllib.parse import parse_qs, quote

count, note = 0, ""

if __name__ == "__main__":
    count += 1
    note = parse_qs(sys.stdin.buffer.read(4096).decode(errors="replace"), True).get("note", [note])[0]
    handle = os.environ["HTSESSION_NEXT_HANDLE"]
    start = escape(quote(os.environ["SCRIPT_NAME"]))
    here, text, ends = f"{start}/{escape(handle)}", escape(note), os.environ.get("QUERY_STRING") == "end"
    if not ends:
        print("Accept-HTSession:", handle)
    print(f"""Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Counter in Python: {count}</title><link rel="stylesheet" href="/style.css">
<main><h1>Counter in Python</h1>
<output>{count}</output>""")
    print(f"""<p>It was a variable of process {os.getpid()}, which ends now. Your last note: <q>{text}</q></p>
<nav><a href="{start}">Start another</a></nav></main></html>""" if ends else f"""<p>A variable of process \
{os.getpid()}; session {escape(handle[:4])}… waits {os.environ["HTSESSION_TIMEOUT"]} s for your next visit.</p>
<form method="post" action="{here}"><label for="note">Note</label>
<input id="note" name="note" value="{text}" maxlength="100" autofocus> <button>Count on</button></form>
<nav><a href="{here}">Count on</a> <a href="{start}">Start another</a>
<a href="{here}?end">End this session</a></nav></main></html>""")  # fmt: skip
