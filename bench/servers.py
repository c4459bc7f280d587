"""The servers under comparison, each on a port of its own. Where requests to living sessions are counted, they
are pinned to one core; programs are started on all of them, as they would be."""

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.packages import PATHS

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SERVER_CORE = 0
ALL_CORES = os.sched_getaffinity(0)
READY = 8  # StartCGI
HOSTED = {"python": ".py", "perl": ".pl", "native": ".so"}
_BOUND = 20.0
MOST = 400  # sessions
# wrk goes through the sessions whether they have answered or not: one whose process waits for a processor is
# waited for, by all connections (else 503)
_WAITING = 64


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def own_folder(folder: Path, name: str) -> Path:
    """A new one for the files of one server."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-", dir=folder))


@contextlib.contextmanager
def constant() -> Iterator[int]:
    """Bare uvicorn with a constant page."""
    port = free_port()
    with running([sys.executable, str(HERE / "constant.py"), str(port)], port, HERE, {SERVER_CORE}):
        yield port


@contextlib.contextmanager
def pages(folder: Path, cores: set[int], directives: str = "") -> Iterator[int]:
    """The gateway with the programs of the folder `pages` as /cgi-bin/ (hosts for each that has one), in warm
    hosts as /warm/, and in hosts that are started for them as /cold/."""
    groups = "".join(f"CGIActivationGroup {kind} {suffix}\n" for kind, suffix in HOSTED.items())
    aliases = "".join(
        f"ScriptAlias /{name}/ {folder}/{place}/\n"
        f"<Directory {folder}/{place}>\nStartCGI {number}\n</Directory>\n"
        for name, place, number in (("cgi-bin", "pages", 0), ("warm", "warm", READY), ("cold", "cold", 0))
        if (folder / place).exists()
    )
    with gateway(folder, groups + aliases + directives, cores) as port:
        yield port


@contextlib.contextmanager
def gateway(folder: Path, directives: str, cores: set[int]) -> Iterator[int]:
    """The gateway with these directives, its files in the folder."""
    port = free_port()
    conf = folder / "conf" / "gateway.conf"
    conf.parent.mkdir(exist_ok=True)
    conf.write_text(
        f"Listen 127.0.0.1:{port}\nErrorLog error.log\nLogLevel warn\n"
        f"MaxPersistentCGI {MOST}\nMaxCGIJobs {MOST * 2}\nPersistentCGIQueue {_WAITING}\n{directives}"
    )
    with running([sys.executable, "-m", "gateway", "serve", str(conf)], port, ROOT, cores):
        yield port


@contextlib.contextmanager
def running(command: list[str], port: int, directory: Path, cores: set[int]) -> Iterator[None]:
    """A server on these cores, until TERM; yields when it listens on the port."""
    process = subprocess.Popen(
        command,
        cwd=directory,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
        stdout=subprocess.DEVNULL,
        start_new_session=True,  # Apache ends its whole process group with itself
        env=os.environ | {"PATH": PATHS},  # not a developer's own interpreters
    )
    try:
        _wait(process, port)
        yield
    finally:
        process.terminate()
        process.wait()


def _wait(process: "subprocess.Popen[bytes]", port: int) -> None:
    end = time.monotonic() + _BOUND
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"bench: a server did not come up on port {port}")
