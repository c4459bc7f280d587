"""uWSGI from Debian's package, with its CGI plugin: threads serve, and execute the programs."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.packages import need
from bench.servers import free_port, own_folder, running

THREADS = 32


@contextlib.contextmanager
def cgi(folder: Path, cores: set[int]) -> Iterator[int]:
    """Raises Missing."""
    command = need("uwsgi", "uwsgi-core")
    port = free_port()
    own = own_folder(folder, "uwsgi")
    arguments = [
        "--plugin", "cgi", "--http-socket", f"127.0.0.1:{port}", "--http-socket-modifier1", "9",
        "--cgi", f"/cgi-bin={folder}/pages", "--master", "--processes", str(len(cores)),
        "--threads", str(THREADS), "--die-on-term", "--disable-logging",
        "--listen", "100", "--logto", str(own / "log"),
    ]  # fmt: skip
    with running([command, *arguments], port, own, cores):
        yield port
