#!/usr/bin/env python3
"""Pages through a big file, or through the answer of a database, without ever opening it again.

What is open is an object of a living process, `view`: a file with an index of where its lines begin, or a
cursor of an SQL query; and so is the position. A plain CGI program would have to open, seek and count anew for
each page.

Which file it is, the administrator says (`SetEnv BROWSE_FILE /path`), never the URL. All pages have one handle:
they are links, which may be gone back to and bookmarked as long as the session lives.
"""

import os
import sys
from html import escape

from common.bank.trouble import Away, Busy
from common.browse import pages
from common.browse.lines import Lines
from common.browse.sample import sample_file
from common.page import CLOSED, answer, form, keep, own_handle, own_path, query, redirect

LENGTH = 40  # lines of a page
MINUTES = 10

view = None  # what is open
position = 1  # the first line, or row, of the page


def respond():
    if "HTSESSION_HANDLE" not in os.environ:
        start(query().get("open"))
    elif os.environ["REQUEST_METHOD"] == "POST" and form().get("do") == "close":
        end("Closed", "The file, or the cursor, is closed, and the process that had it is let go.")
    elif isinstance(view, Lines):
        show_lines()
    else:
        show_rows()


def start(what):
    """Open what was chosen; without a choice this is an ordinary page of a program that answers once."""
    global view
    if what == "file":
        view = Lines(os.environ.get("BROWSE_FILE") or sample_file())
    elif what == "postings":
        from common.browse.rows import Rows, postings_by_name  # the file needs no SQLAlchemy

        view = Rows(postings_by_name(), LENGTH)
    else:
        return answer("Browse", pages.CHOICE.format(start=escape(own_path())), *CLOSED)
    return redirect(own_path(own_handle()), *keep(own_handle(), MINUTES))


def number(name, most):
    """A number of the query, from 1 on; None if there is none."""
    text = query().get(name, "")
    whole = text.isascii() and text.isdecimal() and len(text) < 16
    return max(1, min(int(text), most)) if whole else None


def show_lines():
    global position
    news, percent, most = view.news(), number("percent", 100), 10**15
    wanted = number("line", most) or position
    if percent is not None:
        wanted = view.line_at(percent)
    texts = view.page(wanted, LENGTH)
    if view.complete and len(texts) < LENGTH:  # the last page is a full one
        wanted = max(1, view.counted - LENGTH + 1)
        texts = view.page(wanted, LENGTH)
    reached = texts or view.complete
    position = wanted if reached else position
    last = wanted + len(texts) - 1
    more = not view.complete or last < view.counted
    show(
        f"Lines {wanted:,} to {last:,}" if texts else "No lines",
        pages.LINES,
        ways("line", 1, wanted, more, "percent=100"),
        name=escape(os.path.basename(view.path)), news=pages.NEWS[news], texts=pages.listed(wanted, texts),
        size=f"{os.fstat(view.file.fileno()).st_size:,}", descriptor=view.file.fileno(), line=wanted,
        counted=pages.counted(view.counted, view.complete),
        unfinished="" if reached else pages.unfinished(own_path(own_handle()), wanted, view.counted),
    )  # fmt: skip


def show_rows():
    global position
    position, rows = view.page(number("row", 10**15) or position)
    last = position + len(rows) - 1
    show(
        f"Postings {position:,} to {last:,}" if rows else "No postings",
        pages.ROWS,
        ways("row", view.oldest(), position, last < view.fetched),
        rows=pages.table(rows), counted=pages.counted(view.fetched, view.complete),
        oldest=pages.oldest(view.oldest()),
    )  # fmt: skip


def ways(name, first, here, more, last=""):
    """Where one can go from a page: relation, text, query."""
    back = here > first
    found = [("first", "First", f"{name}={first}" if back else "")]
    found += [("prev", "Back", f"{name}={max(first, here - LENGTH)}" if back else "")]
    found += [("next", "Next", f"{name}={here + LENGTH}" if more else "")]
    return found + ([("last", "Last", last if more else "")] if last else [])


def show(title, page, places, **parts):
    here = own_path(own_handle())
    parts |= {"here": escape(here), "start": escape(own_path()), "pid": os.getpid()}
    body = page.format(ways=pages.ways(here, places), **parts)
    answer(title, body, *keep(own_handle(), MINUTES), *CLOSED)


def end(title, text, *head):
    answer(title, pages.OVER.format(told=escape(text), start=escape(own_path())), *head, *CLOSED)


if __name__ == "__main__":
    try:
        respond()
    except (Away, Busy):
        end("The database is away", "The database cannot be reached.", "Status: 503 Service Unavailable")
    except OSError as error:
        print("browse.py:", error, file=sys.stderr)
        end("No such file", "The file cannot be read.", "Status: 404 Not Found")
