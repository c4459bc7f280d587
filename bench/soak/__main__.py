"""`make soak`: 1,000,000 requests over sessions that come and go, in C, Python and Perl, alone and shared.

They are spread over the time that was given. Every answer is checked against its session's own count, and
sessions that are over must say why. Sessions are left to expire, end, and crash. A straight line is laid
through memory, descriptors, processes and threads after a warm-up (the first part of the run, in which the
memory of retired handles fills): what rises by more than its tolerance fails. In the end, with every session
over, there are no more processes and descriptors than in the beginning.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from bench import servers
from bench.options import count
from bench.soak import growth, programs
from bench.soak.growth import Line, Sample
from bench.soak.visitors import TIMEOUT, Plan, Visitor

_SAMPLES = 300  # over the whole run
_QUIET = 30.0  # seconds in which all sessions must be over
_BETWEEN = 0.1
_FIRST, _FIRST_SECONDS = 200, 3.0  # requests of the warm-up that is no part of the run
_SPARE_DESCRIPTORS = 4
_DIRECTIVES = f"""
PersistentCGITimeout {TIMEOUT:g}
PersistentCGILookupLimit 0
CGIStopGrace 1s
CGIActivationGroup python .py
CGIActivationGroup perl .pl
ScriptAlias /cgi-bin/ cgi-bin/
<Files shared.cgi>
PersistentCGIShared On
</Files>
<Directory cgi-bin>
StartCGI 4
</Directory>
"""


def main() -> None:
    """Run, print and write the figures; status 1 when anything grew or any answer was wrong. TERM ends it as
    Ctrl-C does: with the gateway."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    given = _arguments()
    with tempfile.TemporaryDirectory(prefix="gateway-soak-") as name:
        folder = Path(name)
        names = programs.write(folder)
        with servers.gateway(folder, _DIRECTIVES, servers.ALL_CORES) as port:
            (keeper,) = growth.children(os.getpid())
            plan, samples, quiet = asyncio.run(_soak(given, names, port, keeper))
    found = growth.lines([one for one in samples if one.seconds >= given.warm_up * given.seconds])
    problems = _problems(given, plan, found, quiet)
    _print(plan, found, quiet)
    for problem in problems:
        print(f"NOT MET: {problem}")
    if given.json:
        _write(Path(given.json), plan, samples, found, problems)
    print("soak: " + ("failed" if problems else "passed"))
    sys.exit(bool(problems))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0, help="how long (600)")
    parser.add_argument("--count", type=count(), default=1_000_000, help="requests in that time (1,000,000)")
    parser.add_argument("--visitors", type=count(), default=24, help="connections (24)")
    parser.add_argument(
        "--longest", type=count(least=2), default=300, help="requests of the longest session, at least 2 (300)"
    )
    parser.add_argument("--warm-up", type=float, default=0.4, help="part of the time that is not judged (0.4)")
    parser.add_argument("--seed", type=int, default=1, help="of what visitors do (1)")
    parser.add_argument("--json", help="a file for the figures and samples")
    return parser.parse_args()


async def _soak(
    given: argparse.Namespace, names: list[str], port: int, keeper: int
) -> tuple[Plan, list[Sample], list[Sample]]:
    """The plan as it was fulfilled, samples while it was, and samples of the quiet before and after."""
    await Visitor(
        Plan(_FIRST, _FIRST_SECONDS, names, given.seed), port
    ).run()  # hosts are ready, modules loaded
    before = await _quiet(keeper, lambda one: True, 2 * TIMEOUT)
    plan = Plan(given.count, given.seconds, names, given.seed, given.longest)
    samples: list[Sample] = []
    watch = asyncio.create_task(_watch(plan, keeper, samples))
    await asyncio.gather(*(Visitor(plan, port).run() for _ in range(given.visitors)))
    watch.cancel()
    after = await _quiet(keeper, lambda one: one.processes <= before.processes, _QUIET)
    return plan, samples, [before, after]


async def _watch(plan: Plan, keeper: int, samples: list[Sample]) -> None:
    pause = max(_BETWEEN, plan.seconds / _SAMPLES)
    while not plan.over:
        samples.append(
            await asyncio.to_thread(growth.sample, keeper, time.monotonic() - plan.begin, plan.ends.total())
        )
        await asyncio.sleep(pause)


async def _quiet(keeper: int, enough: Callable[[Sample], bool], bound: float) -> Sample:
    """A sample when no session lives any more, as far as that is seen within the bound."""
    end = time.monotonic() + bound
    least = growth.sample(keeper, 0.0, 0)
    while time.monotonic() < end:
        await asyncio.sleep(_BETWEEN)
        one = growth.sample(keeper, 0.0, 0)
        least = min(least, one, key=lambda known: (known.processes, known.descriptors))
        if enough(least) and time.monotonic() > end - bound + 2 * TIMEOUT:
            break
    return least


def _problems(given: argparse.Namespace, plan: Plan, found: list[Line], quiet: list[Sample]) -> list[str]:
    before, after = quiet
    problems = [f"{plan.mistakes} wrong answers, such as {text}" for text in plan.wrong[:1]]
    if plan.done < given.count:
        problems.append(f"expected {given.count} requests within {given.seconds:g} s, found {plan.done}")
    if not found:
        problems.append("expected at least three samples after the warm-up")
    problems += [
        f"{one.kind} rises by {one.rise:.1f} (at most {one.most:.1f})" for one in found if not one.flat
    ]
    if after.processes > before.processes:
        problems.append(f"expected {before.processes} processes in the end, found {after.processes}")
    if after.descriptors > before.descriptors + _SPARE_DESCRIPTORS:
        problems.append(f"expected {before.descriptors} descriptors in the end, found {after.descriptors}")
    return problems


def _print(plan: Plan, found: list[Line], quiet: list[Sample]) -> None:
    took = time.monotonic() - plan.begin
    sessions = sum(plan.sessions.values())
    print(f"{plan.done} requests in {took:.0f} s, {sessions} sessions, {plan.mistakes} wrong answers")
    print("  sessions: " + ", ".join(f"{name} {count}" for name, count in sorted(plan.sessions.items())))
    print("  over: " + ", ".join(f"{how} {count}" for how, count in sorted(plan.ends.items())))
    print(f"{'after the warm-up':18} {'mean':>10} {'rise':>9} {'error':>8} {'at most':>8}")
    for one in found:
        told = "flat" if one.flat else "GROWS"
        print(f"  {one.kind:16} {one.mean:10.1f} {one.rise:9.1f} {one.error:8.1f} {one.most:8.1f}  {told}")
    for text, seen in zip(("before", "after"), quiet, strict=True):
        figures = f"{seen.processes:.0f} processes, {seen.descriptors:.0f} descriptors, {seen.memory:.0f} KiB"
        print(f"  quiet {text:6}: {figures}")


def _write(path: Path, plan: Plan, samples: list[Sample], found: list[Line], problems: list[str]) -> None:
    figures = {
        "requests": plan.done,
        "sessions": plan.sessions,
        "over": plan.ends,
        "wrong": plan.mistakes,
        "lines": [one._asdict() | {"flat": one.flat} for one in found],
        "problems": problems,
        "samples": [one._asdict() for one in samples],
    }
    path.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
