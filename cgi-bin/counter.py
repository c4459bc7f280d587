#!/usr/bin/env python3
"""Counts its own calls: the number is nothing but a variable of a living process.

It runs from top to bottom and returns; for every later request the python host runs the guarded block again.
"""

import os
import sys
from html import escape
from urllib.parse import parse_qs, quote

HEAD = """Content-Type: text/html; charset=utf-8

<!doctype html>
<html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Counter in Python: {count}</title><link rel="stylesheet" href="/style.css">
<main><h1>Counter in Python</h1>
<output>{count}</output>"""
LIVING = """<p>A variable of process {pid}; session {handle:.4}… waits {seconds} s for your next visit.</p>
<form method="post" action="{start}/{handle}"><label for="note">Note</label>
<input id="note" name="note" value="{note}" maxlength="100" autofocus> <button>Count on</button></form>
<nav><a href="{start}/{handle}">Count on</a> <a href="{start}">Start another</a>
<a href="{start}/{handle}?end">End this session</a></nav></main></html>"""
ENDED = """<p>It was a variable of process {pid}, which ends now. Your last note: <q>{note}</q></p>
<nav><a href="{start}">Start another</a></nav></main></html>"""
count, note = 0, ""

if __name__ == "__main__":
    count += 1
    form = parse_qs(sys.stdin.buffer.read(4096).decode(errors="replace"), keep_blank_values=True)
    note = form.get("note", [note])[0]
    handle = os.environ.get("HTSESSION_HANDLE") or os.environ["HTSESSION_NEXT_HANDLE"]
    ends = os.environ.get("QUERY_STRING") == "end"
    if not ends:
        print(f"Accept-HTSession: {handle}")
    page = {
        "count": count,
        "pid": os.getpid(),
        "seconds": os.environ["HTSESSION_TIMEOUT"],
        "note": escape(note),
    }
    page |= {"start": escape(quote(os.environ["SCRIPT_NAME"])), "handle": escape(handle)}
    print((HEAD + "\n" + (ENDED if ends else LIVING)).format(**page))
