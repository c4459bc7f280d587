"""Load by wrk, or by requests one after another."""

import http.client
import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from bench.packages import need
from bench.servers import ALL_CORES

LOAD_CORE = 1
_TIMEOUT = 30.0
_LONGEST = 15  # seconds of a run without an answer after which there is no other
_SCRIPT = """
local paths = {%s}
local turn = 0
request = function()
  turn = turn %% #paths + 1
  return wrk.format("GET", paths[turn])
end
"""


class Result(NamedTuple):
    """Requests per second, the 99th percentile in milliseconds, and answers that were not 2xx."""

    rate: float
    p99: float
    errors: int


def find_wrk() -> str:
    """The path of wrk. Raises Missing."""
    return need("wrk", "wrk")


def run(
    wrk: str, folder: Path, port: int, paths: list[str], connections: int, seconds: int, *, beside: bool = True
) -> Result:
    """Request the paths in turn over keep-alive connections, `beside` the servers on another core than theirs;
    wrk takes whole seconds. A run without an answer is made again for twice as long. Raises SystemExit when
    there is none at all."""
    cores = _cores() if beside else ALL_CORES
    script = folder / "paths.lua"
    script.write_text(_SCRIPT % ", ".join(f'"{path}"' for path in paths))
    command = [wrk, "-t1", f"-c{connections}", f"-d{seconds}s", "--latency", "-s", str(script)]
    finished = subprocess.run(
        [*command, f"http://127.0.0.1:{port}"], check=True, capture_output=True, text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )  # fmt: skip
    result = _read(finished.stdout)
    if result.rate:
        return result
    if seconds > _LONGEST:
        raise SystemExit(f"bench: no answer of {paths[0]} on port {port} within {seconds} s")
    return run(wrk, folder, port, paths, connections, 2 * seconds, beside=beside)


def ask(port: int, paths: Iterable[str]) -> list[str]:
    """The pages, one after another over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    pages = []
    for path in paths:
        connection.request("GET", path)
        answer = connection.getresponse()
        page = answer.read().decode()
        if answer.status != http.client.OK:
            raise SystemExit(f"bench: {path} was answered with {answer.status}:\n{page}")
        pages.append(page)
    connection.close()
    return pages


def leave_the_servers_core() -> None:
    """This process makes requests itself."""
    os.sched_setaffinity(0, _cores())


def _cores() -> set[int]:
    return {LOAD_CORE} if (os.cpu_count() or 1) > 1 else {0}


def _read(output: str) -> Result:
    rate = re.search(r"Requests/sec:\s*([\d.]+)", output)
    p99 = re.search(r"99%\s+([\d.]+)(us|ms|s)", output)
    errors = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    if rate is None or p99 is None:
        raise SystemExit(f"bench: wrk said something unexpected:\n{output}")
    scale = {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]]
    return Result(float(rate[1]), float(p99[1]) * scale, int(errors[1]) if errors else 0)
