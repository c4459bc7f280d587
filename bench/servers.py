"""The servers under comparison, each started on a port of its own and pinned to one core."""

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
    with _running([sys.executable, str(HERE / "constant.py"), str(port)], port, HERE):
        yield port


@contextlib.contextmanager
def gateway(folder: Path) -> Iterator[int]:
    """The gateway with the counter in C as /cgi-bin/counter."""
    port = free_port()
    for name in ("cgi-bin", "conf"):
        (folder / name).mkdir()
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        raise SystemExit("bench: a C compiler is missing (Debian: apt-get install gcc libc6-dev)")
    subprocess.run([compiler, "-O2", "-o", folder / "cgi-bin" / "counter", HERE / "counter.c"], check=True)
    conf = folder / "conf" / "gateway.conf"
    conf.write_text(
        f"Listen 127.0.0.1:{port}\nScriptAlias /cgi-bin/ cgi-bin/\nErrorLog error.log\nLogLevel warn\n"
        f"MaxPersistentCGI {_MOST}\nMaxCGIJobs {_MOST * 2}\n"
    )
    with _running([sys.executable, "-m", "gateway", "serve", str(conf)], port, ROOT):
        yield port


@contextlib.contextmanager
def _running(command: list[str], port: int, directory: Path) -> Iterator[None]:
    process = subprocess.Popen(
        command,
        cwd=directory,
        preexec_fn=lambda: os.sched_setaffinity(0, {SERVER_CORE}),
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
