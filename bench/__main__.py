"""`make bench`: the gateway beside something else, in one run, told as ratios.

Sections: living (requests to living sessions beside bare uvicorn), starts (one-shot scripts beside Apache's
mod_cgid), sessions (created in a second), memory (of idle sessions), abuse (what others notice of one client
that misbehaves).
"""

import argparse
from collections.abc import Callable

from bench import abuse, living, memory, sessions, starts
from bench.options import Missing, Options

SECTIONS: dict[str, Callable[[Options], None]] = {
    "living": living.run,
    "starts": starts.run,
    "sessions": sessions.run,
    "memory": memory.run,
    "abuse": abuse.run,
}


def main() -> None:
    """Run the sections that were named, all without a name; one whose tool is missing is skipped by name."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("sections", nargs="*", metavar="SECTION")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3, help="of a run of wrk")
    parser.add_argument("--connections", type=int, nargs="+")
    parser.add_argument("--sessions", type=int, default=50, dest="held", help="held at a time")
    arguments = parser.parse_args()
    for name in arguments.sections:
        if name not in SECTIONS:
            parser.error(f"expected a section ({', '.join(SECTIONS)}), found {name}")
    options = Options(arguments.rounds, arguments.seconds, arguments.connections, arguments.held)
    for name in arguments.sections or SECTIONS:
        try:
            SECTIONS[name](options)
        except Missing as missing:
            print(f"{name}: skipped: {missing}", flush=True)


if __name__ == "__main__":
    main()
