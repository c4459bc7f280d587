#!/usr/bin/env python3
"""STARTER: a list that grows. It runs from top to bottom, returns, and is called again with its variables."""

import os
import sys
from html import escape
from urllib.parse import parse_qs, quote

items: list[str] = []  # made once: what stands above the block below runs in the first call only, and stays

if __name__ == "__main__":  # this block runs for every request
    # the form: standard input ends after CONTENT_LENGTH bytes and is empty without a body
    form = parse_qs(sys.stdin.buffer.read(100_000).decode(errors="replace"))
    items += form.get("item", [])
    ends = os.environ.get("QUERY_STRING") == "end"

    # the handle by which this request came, else a new one that the gateway offers
    handle = os.environ.get("HTSESSION_HANDLE") or os.environ.get("HTSESSION_NEXT_HANDLE", "")
    start = escape(quote(os.environ["SCRIPT_NAME"]))
    here = f"{start}/{escape(handle)}"  # the next request by this link comes to this process

    if not ends:
        print("Accept-HTSession:", handle)  # with every page but the last; first of all headers
        print("HTTimeout: 10")  # minutes to wait for the next request
    print("Content-Type: text/html; charset=utf-8\n")
    print('<!doctype html>\n<html lang="en"><meta charset="utf-8"><title>STARTER</title>')
    print(f"<h1>{len(items)} items</h1>")
    print("<ul>", *(f"<li>{escape(item)}</li>" for item in items), "</ul>", sep="\n")
    if ends:
        print(f'<p>It is over. <a href="{start}">Start anew</a></p></html>')
    else:
        print(f'<form method="post" action="{here}"><input name="item" maxlength="80" autofocus>')
        print(f'<button>Add</button></form>\n<p><a href="{here}?end">End</a></p></html>')
