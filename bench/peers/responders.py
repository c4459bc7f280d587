"""Programs that speak FastCGI, started before a server that only connects to them."""

import contextlib
import os
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

from bench.packages import PATHS


@contextlib.contextmanager
def responders(program: Path, place: Path, cores: set[int], count: int) -> Iterator[None]:
    """So many processes that accept on one socket, their descriptor 0 (FastCGI 1.0, section 2.2)."""
    processes = []
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(place))
        place.chmod(0o777)
        listener.listen(1024)
        try:
            for _ in range(count):
                process = subprocess.Popen(
                    [program],
                    stdin=listener.fileno(),
                    env={"PATH": PATHS},
                    preexec_fn=lambda: os.sched_setaffinity(0, cores),
                )
                processes.append(process)
            yield
        finally:
            for process in processes:
                process.kill()
                process.wait()
