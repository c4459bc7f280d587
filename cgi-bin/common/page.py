"""What the programs here say and hear: pages, forms, links to themselves."""

import os
import re
import sys
from collections.abc import Iterable
from html import escape
from urllib.parse import parse_qsl, quote

LONGEST_FORM = 65536  # bytes

# Lines for the head of a page without scripts, frames and styles of its own: nothing comes from elsewhere
CLOSED = (
    "Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options: nosniff",
)

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="icon" href="/favicon.svg">
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


def halves(title: str) -> list[str]:
    """What comes before the body of a page and what comes behind it, for a page that is sent piece by piece."""
    return PAGE.format(title=escape(title), body="\0").split("\0")


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
    return quote(os.fsencode("/".join((os.environ["SCRIPT_NAME"], *segments))), safe="/~!$&'()*+,;=:@")


def beside(name: str) -> str:
    """The URL path of a file beside this program, by the name that the folder was called by."""
    return quote(os.path.dirname(os.fsencode(os.environ["SCRIPT_NAME"])).rstrip(b"/")) + f"/{quote(name)}"


def link(url: str, text: str, label: str = "") -> str:
    """A link (HTML); `label` is read out instead of a text that says too little by itself."""
    named = f' aria-label="{escape(label)}"' if label else ""
    return f'<a href="{escape(url)}"{named}>{escape(text)}</a>'


def form() -> dict[str, str]:
    """The fields of a posted form, the last of each name; what is longer than LONGEST_FORM is cut off."""
    if (
        os.environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
        != "application/x-www-form-urlencoded"
    ):
        return {}
    return dict(parse_qsl(sys.stdin.buffer.read(LONGEST_FORM).decode(errors="replace"), keep_blank_values=True))


def one_line(text: str) -> str:
    """Without control characters; blanks as one."""
    return re.sub("[\\x00-\\x20\\x7f]+", " ", text).strip(" ")


def query() -> dict[str, str]:
    """The fields of the query string, a name without a value included."""
    return dict(parse_qsl(os.environ.get("QUERY_STRING", ""), keep_blank_values=True))


def button(action: str, text: str, fields: Iterable[tuple[str, str]] = ()) -> str:
    """A form of one button (HTML), with hidden fields."""
    hidden = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in fields
    )
    return f'<form method="post" action="{escape(action)}">{hidden}<button>{escape(text)}</button></form>'
