#!/usr/bin/env python3
"""STARTER: greets. A plain CGI program: started for a request, gone with its end."""

import os
from html import escape
from urllib.parse import parse_qs, quote

fields = parse_qs(os.environ.get("QUERY_STRING", ""))
name = fields.get("name", ["nobody yet"])[0]

# the header, a blank line, then the page; the program's end is the end of the page
print("Content-Type: text/html; charset=utf-8\n")
print(f"""<!doctype html>
<html lang="en"><meta charset="utf-8"><title>STARTER</title>
<h1>Hello, {escape(name)}</h1>
<form action="{escape(quote(os.environ["SCRIPT_NAME"]))}">
<input name="name" maxlength="80" autofocus> <button>Greet</button>
</form></html>""")
