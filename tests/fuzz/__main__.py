"""`make fuzz`: inputs for everything that reads what others wrote, and a verdict.

Each target runs by itself: coverage-guided (atheris, where it is installed), then by hypothesis; in the end
the models of the registry, with many more examples. An escape is an error that is not declared, a broken
invariant, or an input that hangs; it is kept in the folder of the run, and belongs into tests/fuzz/cases.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.fuzz.target import NAMES, TARGETS

ROOT = Path(__file__).resolve().parents[2]
MODELS = ("tests/sessions/test_registry_model.py", "tests/sessions/test_shared_model.py")
_COVERAGE = re.compile(r"^#\d+\s.*\bcov: (\d+)", re.MULTILINE)
_PATIENCE = 120.0  # seconds beyond its time that a target may take to end


class Row(NamedTuple):
    """A line of the report; `wanted`: inputs that were asked for; `edges` 0: not measured."""

    target: str
    way: str
    wanted: int
    inputs: int
    seconds: float
    edges: int
    escapes: int


def main() -> None:
    """Run what was asked for; status 1 when something escaped."""
    given = _arguments()
    folder = Path(given.folder or tempfile.mkdtemp(prefix="gateway-fuzz-"))
    ways = ["guided", "generated"] if importlib.util.find_spec("atheris") else ["generated"]
    if ways == ["generated"]:
        print("atheris is not installed: hypothesis makes all inputs, without looking at coverage", flush=True)
    rows = []
    print(f"{'target':14} {'by':10} {'inputs':>9} {'per s':>7} {'edges':>6} {'escapes':>7}", flush=True)
    for name in given.targets or NAMES:
        share = given.generated if len(ways) > 1 else 1.0
        for way in ways:
            count = round(given.count * (share if way == "generated" else 1 - share))
            if count:
                rows.append(_run(name, way, count, given.seconds, folder / name / way))
    if given.models:
        rows += [_model(path, given.models, folder) for path in MODELS]
    if given.json:
        Path(given.json).write_text(json.dumps([row._asdict() for row in rows], indent=1))
    escapes = sum(row.escapes for row in rows)
    for row in rows:
        if row.inputs < row.wanted:
            print(f"{row.target} by {row.way}: {row.inputs} of {row.wanted} inputs in its time")
    print(f"{sum(row.inputs for row in rows)} inputs, {escapes} escapes" + f" (see {folder})" * bool(escapes))
    if not escapes and not given.folder:
        shutil.rmtree(folder)
    sys.exit(bool(escapes))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", help=f"of {', '.join(NAMES)}; all without any")
    parser.add_argument("--count", type=int, default=1_000_000, help="inputs of each target (1,000,000)")
    parser.add_argument("--generated", type=float, default=0.02, help="the part that hypothesis makes (0.02)")
    parser.add_argument("--seconds", type=float, default=3600.0, help="at most, for each target and way (3600)")
    parser.add_argument(
        "--models", type=int, default=2000, help="examples of the registry's models (2000; 0: none)"
    )
    parser.add_argument(
        "--folder",
        help="for inputs that escape and what the fuzzer has learnt (one that is gone without an escape)",
    )
    parser.add_argument("--json", help="a file for the figures")
    given = parser.parse_args()
    known = {path.stem for path in TARGETS.glob("[a-z]*.py")}
    if unknown := set(given.targets) - known:
        parser.error(f"expected targets ({', '.join(NAMES)}), found {', '.join(sorted(unknown))}")
    if not 0 <= given.generated <= 1:
        parser.error(f"expected a part from 0 to 1 for --generated, found {given.generated:g}")
    return given


def _run(name: str, way: str, count: int, seconds: float, folder: Path) -> Row:
    """One target in a process of its own."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "told").unlink(missing_ok=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="gateway-fuzz-") as scratch, open(folder / "output", "w") as output:
        command = [sys.executable, "-m", f"tests.fuzz.{way}", name, str(folder), str(count), str(seconds)]
        environment = os.environ | {"TMPDIR": scratch, "PYTHONHASHSEED": "0"}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=output, stderr=output)
        try:
            process.wait(seconds + _PATIENCE)
        finally:
            process.kill()
            process.wait()
    took = time.monotonic() - begin
    said = (folder / "output").read_text(errors="replace")
    told = json.loads((folder / "told").read_text()) if (folder / "told").exists() else None
    row = Row(
        name,
        {"guided": "atheris", "generated": "hypothesis"}[way],
        count,
        told["inputs"] if told else 0,
        took,
        max(map(int, _COVERAGE.findall(said)), default=0),
        told["escapes"] if told else 1,
    )
    _print(row)
    if row.escapes:
        print(said[-3000:] if told is None else _excerpt(said), flush=True)
    return row


def _excerpt(said: str) -> str:
    """What the process said of escapes."""
    return "\n".join(
        part[:2000] for part in re.findall(r"^escape, .*?(?=^#\d|^escape, |\Z)", said, re.M | re.S)[:5]
    )


def _model(path: str, examples: int, folder: Path) -> Row:
    """A model of tests/sessions with so many examples."""
    begin = time.monotonic()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout=0", path]
    environment = os.environ | {"MODEL_EXAMPLES": str(examples)}
    folder.mkdir(parents=True, exist_ok=True)
    output = folder / f"{Path(path).stem}.output"
    with open(output, "w") as file:
        status = subprocess.run(command, cwd=ROOT, env=environment, stdout=file, stderr=file).returncode
    name, took = Path(path).stem.removeprefix("test_"), time.monotonic() - begin
    row = Row(name, "hypothesis", examples, examples, took, 0, bool(status))
    _print(row)
    if status:
        print(output.read_text()[-5000:], flush=True)
    return row


def _print(row: Row) -> None:
    rate, edges = row.inputs / max(row.seconds, 0.001), row.edges or "-"
    print(f"{row.target:14} {row.way:10} {row.inputs:9} {rate:7.0f} {edges:>6} {row.escapes:7}", flush=True)


if __name__ == "__main__":
    main()
