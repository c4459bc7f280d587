#!/usr/bin/env python3
import datetime
import email.message
import html
import http.cookies
import json
import logging
import os
import sqlite3
import urllib.parse

form = urllib.parse.parse_qs(os.environ["QUERY_STRING"])
cookies = http.cookies.SimpleCookie(os.environ.get("HTTP_COOKIE", ""))
database = sqlite3.connect(":memory:")
answer = database.execute("select 6 * 7").fetchone()[0]
message = email.message.Message()
message["Content-Type"] = "text/html"
logging.getLogger("page").debug("not told")
print(f"{message.as_string()}")
print(f"<p>{html.escape(json.dumps([answer, form, len(cookies)]))} {datetime.date(2000, 1, 1)}")
