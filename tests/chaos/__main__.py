"""`make chaos`: every fault many times under a load of real sessions. Exit status 1 when anything was lost,
wrong, mixed or left behind, 2 when a tool is missing."""

from __future__ import annotations

import argparse
import platform
import shutil
import signal
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from bench.options import count
from tests.chaos import report, series
from tests.chaos.faults import FAULTS
from tests.chaos.faults.fault import Fault
from tests.chaos.programs import ALL
from tests.chaos.report import Outcome
from tests.chaos.scene import compiled

TOOLS = ("gcc", "perl", "setpriv")


def main() -> int:
    """Run the faults that were named, all without a name; the exit status. TERM ends it as Ctrl-C
    does: with the gateway."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    arguments = _arguments()
    absent = [tool for tool in TOOLS if shutil.which(tool) is None]
    if absent:
        print(f"chaos: not installed here: {', '.join(absent)}", file=sys.stderr)
        return 2
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="chaos-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        native = compiled(folder)
        print(report.head(), flush=True)
        for fault in FAULTS:
            if arguments.faults and fault.name not in arguments.faults:
                continue
            outcomes.append(_run(fault, folder, native, arguments))
            print(report.row(outcomes[-1]), flush=True)
    print(report.verdict(outcomes))
    about = {"date": datetime.now(UTC).isoformat(), "python": platform.python_version(), "seed": arguments.seed}
    if arguments.json:
        arguments.json.write_text(report.as_json(outcomes, about))
    return 0 if all(outcome.good for outcome in outcomes) else 1


def _run(fault: Fault, folder: Path, native: Path, arguments: argparse.Namespace) -> Outcome:
    if missing := fault.missing():
        return Outcome(fault.name, fault.what, 0, 0, {}, [], 0.0, missing)
    sessions = min(fault.sessions, arguments.sessions)
    times = arguments.times or fault.times
    return series.run(fault, folder / fault.name, native, times, sessions, arguments.seed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="chaos", description=__doc__)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help=", ".join(fault.name for fault in FAULTS))
    parser.add_argument("--times", type=count(), help="each fault so often, instead of the table's own number")
    parser.add_argument("--sessions", type=count(least=len(ALL)), default=500, help="living sessions, at most")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    unknown = set(arguments.faults) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(
            f"expected faults ({', '.join(fault.name for fault in FAULTS)}), found {', '.join(unknown)}"
        )
    return arguments


if __name__ == "__main__":
    sys.exit(main())
