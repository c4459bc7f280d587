"""`make bench`: the gateway beside others, in one run, in turns, told as ratios of same rounds.

Sections: living (requests to living sessions), oneshot (programs that live for one request), first (the first
page of a session), sessions (created in a second), bulk (large bodies), idle (with thousands of idle sessions),
memory, expiry (thousands of sessions time out together), abuse (what others notice of one client that
misbehaves).
"""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bench import abuse, bulk, chart, expiry, first, idle, living, memory, oneshot, servers, sessions, table
from bench.options import Missing, Options, count
from bench.results import Book, summary

SECTIONS: dict[str, Callable[[Options, Book], None]] = {
    "living": living.run,
    "oneshot": oneshot.run,
    "first": first.run,
    "sessions": sessions.run,
    "bulk": bulk.run,
    "idle": idle.run,
    "memory": memory.run,
    "expiry": expiry.run,
    "abuse": abuse.run,
}


def main() -> None:
    """Run the sections that were named, all without a name; one whose tool is missing is skipped by name. TERM
    ends it as Ctrl-C does: with all servers."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    parser.add_argument("--rounds", type=count(), default=5)
    parser.add_argument("--seconds", type=count(), default=2, help="of a run of wrk")
    parser.add_argument("--connections", type=count(), nargs="+")
    parser.add_argument(
        "--sessions", type=count(servers.MOST // 2), default=50, dest="held", help="held at a time"
    )
    parser.add_argument("--idle", type=count(), help="idle sessions, or those that time out together")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures")
    parser.add_argument("--svg", type=Path, metavar="FILE", help="the goals as a chart")
    arguments = parser.parse_args()
    for name in arguments.sections:
        if name not in SECTIONS:
            parser.error(f"expected a section ({', '.join(SECTIONS)}), found {name}")
    options = Options(
        arguments.rounds, arguments.seconds, arguments.connections, arguments.held, arguments.idle
    )
    book = Book()
    try:
        for name in arguments.sections or SECTIONS:
            _run(name, options, book)
    finally:  # what was measured is told even when a section breaks off
        print(f"{table.draw(book.rows)}\n{summary(book.rows)}")
        if arguments.json:
            book.write(arguments.json, sys.argv[1:])
        if arguments.svg:
            arguments.svg.write_text(chart.draw(book.rows))


def _run(name: str, options: Options, book: Book) -> None:
    try:
        SECTIONS[name](options, book)
    except Missing as missing:
        print(f"{name}: skipped: {missing}", flush=True)


if __name__ == "__main__":
    main()
