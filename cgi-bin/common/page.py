"""What the programs here say and hear: pages, forms, links to themselves."""

import os
import sys
from collections.abc import Iterable
from html import escape
from urllib.parse import parse_qsl, quote

LONGEST_FORM = 65536  # bytes

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="stylesheet" href="/style.css">
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
</body>
</html>"""


def answer(title: str, body: str, *head: str) -> None:
    """Print a response: the lines of its CGI head, Accept-HTSession first, and a page; `body` is HTML."""
    print(*head, "Content-Type: text/html; charset=utf-8", "", sep="\n")
    print(PAGE.format(title=escape(title), body=body))


def keep(handle: str, minutes: int | None = None) -> tuple[str, ...]:
    """The lines of a head that keep this process for its session; `minutes`: HTTimeout."""
    return (f"Accept-HTSession: {handle}", *([] if minutes is None else [f"HTTimeout: {minutes}"]))


def redirect(path: str, *head: str) -> None:
    """Print a redirection to a path of this server: after a form was taken (303)."""
    print(*head, "Status: 303 See Other", f"Location: {path}", "", sep="\n")


def own_handle() -> str:
    """The handle of the URL; on a fresh start the one that the gateway offers (H11)."""
    return os.environ.get("HTSESSION_HANDLE") or os.environ["HTSESSION_NEXT_HANDLE"]


def own_path(*segments: str) -> str:
    """This program's URL path, with segments behind it, quoted."""
    return quote("/".join((os.environ["SCRIPT_NAME"], *segments)), safe="/~!$&'()*+,;=:@")


def form() -> dict[str, str]:
    """The fields of a posted form, the last of each name; what is longer than LONGEST_FORM is cut off."""
    if (
        os.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        != "application/x-www-form-urlencoded"
    ):
        return {}
    return dict(parse_qsl(sys.stdin.buffer.read(LONGEST_FORM).decode(errors="replace"), keep_blank_values=True))


def query() -> dict[str, str]:
    """The fields of the query string, a name without a value included."""
    return dict(parse_qsl(os.environ.get("QUERY_STRING", ""), keep_blank_values=True))


def button(action: str, text: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """A form of one button (HTML), with hidden fields."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields
    )
    return f'<form method="post" action="{escape(action)}">{hidden}<button>{escape(text)}</button></form>'
