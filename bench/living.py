"""Section `living`: requests to living sessions beside bare uvicorn with a constant page."""

import re
import statistics
import tempfile
import urllib.request
from pathlib import Path

from bench import load, servers
from bench.options import Options

SESSIONS = 64
CONNECTIONS = [1, 16, 64]


def run(options: Options) -> None:
    """Alternate between both servers and print each round's ratio and the median."""
    wrk = load.find_wrk()
    with (
        tempfile.TemporaryDirectory() as name,
        servers.constant() as plain,
        servers.looping(Path(name)) as ours,
    ):
        paths = [_session(ours) for _ in range(SESSIONS)]
        print(f"{SESSIONS} sessions of a C program beside bare uvicorn with a constant page")
        for connections in options.connections or CONNECTIONS:
            _compare(wrk, Path(name), plain, ours, paths, connections, options.rounds, options.seconds)


def _session(port: int) -> str:
    """Start a session; its URL path."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/cgi-bin/counter") as answer:
        found = re.search(r"<p>([\w-]+)<p>", answer.read().decode())
    if found is None:
        raise SystemExit("bench: the counter does not count")
    return f"/cgi-bin/counter/{found[1]}"


def _compare(
    wrk: str,
    folder: Path,
    plain: int,
    ours: int,
    paths: list[str],
    connections: int,
    rounds: int,
    seconds: int,
) -> None:
    ratios = []
    for number in range(1, rounds + 1):
        theirs = load.run(wrk, folder, plain, ["/"], connections, seconds)
        own = load.run(wrk, folder, ours, paths, connections, seconds)
        if own.errors:
            raise SystemExit(f"bench: {own.errors} answers of the gateway were errors")
        ratios.append(own.rate / theirs.rate)
        print(
            f"  {connections:3d} connections, round {number}: "
            f"session {own.rate:7.0f}/s (p99 {own.p99:6.2f} ms), "
            f"uvicorn {theirs.rate:7.0f}/s (p99 {theirs.p99:6.2f} ms), ratio {ratios[-1]:.2f}"
        )
    print(f"  {connections:3d} connections: median ratio {statistics.median(ratios):.2f}", flush=True)
