"""The servers under comparison, each on a port of its own. Where requests to living sessions are counted, they
are pinned to one core; programs are started on all of them, as they would be."""

import contextlib
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
SERVER_CORE = 0
ALL_CORES = os.sched_getaffinity(0)
READY = 8  # StartCGI
_BOUND = 20.0
_MOST = 400


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def constant() -> Iterator[int]:
    """Bare uvicorn with a constant page."""
    port = free_port()
    with running([sys.executable, str(HERE / "constant.py"), str(port)], port, HERE, {SERVER_CORE}):
        yield port


@contextlib.contextmanager
def looping(folder: Path, directives: str = "") -> Iterator[int]:
    """The gateway with the looping counter in C as /cgi-bin/counter, and with these directives."""
    (folder / "cgi-bin").mkdir()
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("bench: a C compiler is missing (Debian: apt-get install gcc libc6-dev)")
    subprocess.run([compiler, "-O2", "-o", folder / "cgi-bin" / "counter", HERE / "counter.c"], check=True)
    with gateway(folder, f"ScriptAlias /cgi-bin/ cgi-bin/\n{directives}", {SERVER_CORE}) as port:
        yield port


@contextlib.contextmanager
def hosted(folder: Path) -> Iterator[int]:
    """The gateway with the programs of the folders `warm` and `cold` in hosts, as /warm/ and /cold/."""
    kinds = {"python": ".py", "perl": ".pl", "native": ".so"}
    groups = "".join(f"CGIActivationGroup {kind} {suffix}\n" for kind, suffix in kinds.items())
    aliases = "".join(
        f"ScriptAlias /{name}/ {name}/\n<Directory {name}>\nStartCGI {number}\n</Directory>\n"
        for name, number in (("warm", READY), ("cold", 0))
    )
    with gateway(folder, groups + aliases, ALL_CORES) as port:
        yield port


@contextlib.contextmanager
def gateway(folder: Path, directives: str, cores: set[int]) -> Iterator[int]:
    """The gateway with these directives, its files in the folder."""
    port = free_port()
    conf = folder / "conf" / "gateway.conf"
    conf.parent.mkdir()
    conf.write_text(
        f"Listen 127.0.0.1:{port}\nErrorLog error.log\nLogLevel warn\n"
        f"MaxPersistentCGI {_MOST}\nMaxCGIJobs {_MOST * 2}\n{directives}"
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
