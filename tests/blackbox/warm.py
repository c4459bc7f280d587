"""Gateways that keep hosts ready (StartCGI), and what their processes are."""

from __future__ import annotations

import contextlib
import os
import re
import time
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from tests.blackbox.harness import Answer, Gateway, wait_for
from tests.blackbox.proc import descriptors, started

# Carries out the Python text of its query; with X-Keep it stays alive under that handle
PROGRAM = """
import os, sys
from urllib.parse import unquote
count = 0
if __name__ == "__main__":
    count += 1
    if "HTTP_X_KEEP" in os.environ:
        print("Accept-HTSession:", os.environ["HTTP_X_KEEP"])
    with open("/proc/self/stat") as stat:
        flags = int(stat.read().rpartition(")")[2].split()[6])
    print(f"Content-Type: text/plain\\n\\npid={os.getpid()} count={count} forked={flags >> 6 & 1}")
    exec(unquote(os.environ["QUERY_STRING"]))
"""
PERL = r"""
our $count;
open my $stat, '<', '/proc/self/stat' or die;
my ($flags) = <$stat> =~ /.*\) (?:\S+ ){6}(\d+)/;
print "Accept-HTSession: $ENV{HTTP_X_KEEP}\n" if $ENV{HTTP_X_KEEP};
print "Content-Type: text/plain\n\npid=$$ count=", ++$count, ' forked=', $flags >> 6 & 1, "\n";
(my $text = $ENV{QUERY_STRING}) =~ s/%([0-9A-F]{2})/chr hex $1/gie;
eval $text;
"""
ONE = "/cgi-bin/one.py"
PROGRAMS = {"one.py": PROGRAM, "two.py": PROGRAM, "one.pl": PERL}
WARM = "CGIActivationGroup python .py\nStartCGI 2\n"


class Host(NamedTuple):
    """A warm host: what it is, its environment."""

    pid: int
    command: str
    environ: dict[str, str]


def hosts(gateway: Gateway) -> list[Host]:
    """The warm hosts: the keeper's children that were started as such."""
    found = []
    for pid, command in _hosted(gateway).items():
        with contextlib.suppress(OSError):  # it has gone
            if _forked(pid) is False:
                found.append(Host(pid, command, environ(pid)))
    return found


def ready(gateway: Gateway) -> list[int]:
    """The processes that were made by a warm host and wait for their first request."""
    return sorted(pid for pid in _hosted(gateway) if _forked(pid) and not _named(pid))


def wait_ready(gateway: Gateway, count: int = 2) -> list[int]:
    """Wait until so many are ready, and neither they nor a host are at work."""

    def found() -> list[int] | None:
        pids = ready(gateway)
        still = all(_sleeps(pid) for pid in [*pids, *(one.pid for one in hosts(gateway))])
        return pids if len(pids) == count and still else None

    return wait_for(f"{count} ready processes", found)


def host(gateway: Gateway) -> int:
    """The pid of the one warm host there is."""
    (one,) = wait_for("a warm host", lambda: hosts(gateway))
    return one.pid


def environ(pid: int) -> dict[str, str]:
    """The environment that a process was started with."""
    text = Path(f"/proc/{pid}/environ").read_bytes().decode()
    return dict(pair.split("=", 1) for pair in text.split("\0") if pair)


def settled(gateway: Gateway) -> list[int]:
    """Ready processes of some age: their deaths are no sign of a host that does not work."""

    def found() -> list[int] | None:
        pids, now = wait_ready(gateway), time.clock_gettime(time.CLOCK_BOOTTIME)
        last = max(map(started, pids)) / os.sysconf("SC_CLK_TCK")
        return pids if now - last > 1.5 and ready(gateway) == pids else None

    return wait_for("ready processes of some age", found)


def once(gateway: Gateway, text: str = "", url: str = ONE, body: bytes | None = None, **headers: str) -> Answer:
    """A request that carries out this Python text in a process of its own."""
    return gateway.request("GET" if body is None else "POST", f"{url}?{quote(text)}", body, headers)


def keep(gateway: Gateway, handle: str, text: str = "", url: str = ONE) -> Answer:
    """The first call of a session."""
    return once(gateway, text, url, X_Keep=handle)


def call(gateway: Gateway, handle: str, text: str = "", url: str = ONE) -> Answer:
    """A later call of a session."""
    return once(gateway, text, f"{url}/{handle}", X_Keep=handle)


def is_warm(answer: Answer) -> bool:
    """Whether the program ran in a process that a warm host had made."""
    assert answer.status == 200, answer
    return bool(answer.number("forked"))


def held(gateway: Gateway) -> dict[str, int]:
    """How many descriptors the keeper and the newest front hold."""
    return {"keeper": len(descriptors(gateway.keeper)), "front": len(descriptors(gateway.fronts()[-1]))}


def holds_no_more(gateway: Gateway, before: dict[str, int]) -> bool:
    """Whether keeper and front have given back what they did not hold `before`: then, something may still have
    been on its way out."""
    return all(count <= before[name] for name, count in held(gateway).items())


def warm_lines(gateway: Gateway) -> list[str]:
    """What the log says of warm hosts."""
    return re.findall(r"warm host (.*)", gateway.log)


def _hosted(gateway: Gateway) -> dict[int, str]:
    return {pid: text for pid, text in gateway.children().items() if re.search(r"/hosts/\w+\.p[yl] $", text)}


def _sleeps(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
    except OSError:
        return False


def _forked(pid: int) -> bool | None:
    """Whether a process goes on with the program of the one that made it (PF_FORKNOEXEC of linux/sched.h); None
    when it has gone."""
    try:
        return bool(int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[6]) & 0x40)
    except OSError:
        return None


def _named(pid: int) -> bool:
    """Whether a process has taken a script's name."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip() in PROGRAMS
    except OSError:
        return True
