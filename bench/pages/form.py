#!/usr/bin/env python3
import html
import os
import sys
import urllib.parse

form = urllib.parse.parse_qs(os.environ["QUERY_STRING"] or sys.stdin.read())
print("Content-Type: text/html\n")
print("<p>hello", html.escape(form.get("name", ["you"])[0]))
