#!/usr/bin/env python3
"""A long job that shows its progress while it runs, and keeps its result for the next pages of the session.

The page of the job is sent piece by piece: after each step another segment of the bar, a list item that says
what was done. It needs no script: the bar is that list, and grows as the page grows. What is flushed is on its
way at once. While it runs the session clock stands still (T1).

The result stays in `rows`, a variable of this living process: the report and its CSV file cost nothing any
more. If the visitor leaves in the middle, the gateway reads on (R7), and the result is there when they return.
Each job has a number in its URL, so that a reload does not run it again.
"""

import csv
import io
import os
import sys
from html import escape

from common import progress as pages
from common.page import CLOSED, answer, form, halves, keep, own_handle, own_path, redirect

STEPS = 20
MOST = 500  # thousands of numbers
MINUTES = 10

thousands, job = 100, 0  # what was asked for last, and its number
done = 0  # the number of the job whose result this is:
rows = []  # from, to, the number with the longest chain, its steps, its peak, all steps


def respond():
    place = os.environ.get("HTSESSION_PATH_INFO", "")
    if "HTSESSION_HANDLE" not in os.environ:
        go_to()
    elif os.environ["REQUEST_METHOD"] == "POST":
        take(form())
    elif place == f"/run/{job}" and done != job:
        run()
    elif place == "/report.csv" and rows:
        send_csv()
    elif place:
        go_to()
    elif rows:
        show("The report", pages.REPORT, table=pages.table(rows), longest=pages.longest(rows))
    else:
        show("Collatz", pages.ASK)


def take(fields):
    global thousands, job
    text = fields.get("thousands", "")
    if fields.get("do") == "end":
        return answer("Good-bye", pages.OVER.format(start=escape(own_path())), *CLOSED)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MOST):
        return show("Collatz", pages.ASK, "Status: 422 Unprocessable Content", note=pages.note(MOST))
    thousands, job = int(text), job + 1
    return go_to("run", str(job))


def go_to(*place):
    redirect(own_path(own_handle(), *place), *keep(own_handle(), MINUTES))


def show(title, page, *head, **parts):
    here = {"here": escape(own_path(own_handle())), "start": escape(own_path())}
    body = page.format(**{"note": "", **here, **parts, "thousands": thousands, "most": MOST})
    answer(title, body, *keep(own_handle(), MINUTES), *head, *CLOSED)


def run():
    """Do the job, and show each step when it is done: flushed, so that it is on its way."""
    global rows, done
    before, after = halves("Counting")
    print(*keep(own_handle(), MINUTES), *CLOSED, "Content-Type: text/html; charset=utf-8", "", sep="\n")
    print(before, pages.BEGIN.format(thousands=thousands, padding=" " * 1024), flush=True)
    rows, size = [], thousands * 1000 // STEPS
    for step in range(STEPS):
        rows.append(collatz(1 + step * size, size))
        print(pages.step(100 * (step + 1) // STEPS, rows), flush=True)
    done = job
    print(pages.END.format(here=escape(own_path(own_handle()))), after)


def collatz(first, count):
    """Which of these numbers takes the most steps to 1: halve the even, three times the odd and one."""
    best, longest, peak, total = first, 0, first, 0
    for start in range(first, first + count):
        number, steps, high = start, 0, start
        while number != 1:
            number = number // 2 if number % 2 == 0 else 3 * number + 1
            steps += 1
            if number > high:
                high = number
        total += steps
        if steps > longest:
            best, longest, peak = start, steps, high
    return first, first + count - 1, best, longest, peak, total


def send_csv():
    text = io.StringIO()
    csv.writer(text).writerows([pages.COLUMNS, *rows])
    print(*keep(own_handle(), MINUTES), "Content-Type: text/csv; charset=utf-8; header=present", sep="\n")
    print(f'Content-Disposition: attachment; filename="collatz-{rows[-1][1]}.csv"\n', flush=True)
    sys.stdout.buffer.write(text.getvalue().encode())


if __name__ == "__main__":
    respond()
