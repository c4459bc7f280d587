"""lighttpd from Debian's package: FastCGI with a connection for each request, and its own CGI."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bench.packages import need
from bench.peers.responders import responders
from bench.servers import free_port, own_folder, running

PROCESSES = 64


@contextlib.contextmanager
def fastcgi(folder: Path, cores: set[int], program: str) -> Iterator[int]:
    """/page by 64 processes of the program. Raises Missing."""
    own = own_folder(folder, f"lighttpd-{program}")
    place = own / "programs.sock"
    settings = (
        'server.modules += ( "mod_fastcgi" )\n'
        f'fastcgi.server = ( "/page" => (( "socket" => "{place}", "check-local" => "disable" )))'
    )
    with (
        responders(folder / "pages" / program, place, cores, PROCESSES),
        _lighttpd(folder, own, cores, settings) as port,
    ):
        yield port


@contextlib.contextmanager
def cgi(folder: Path, cores: set[int]) -> Iterator[int]:
    """It forks the programs itself. Raises Missing."""
    own = own_folder(folder, "lighttpd-cgi")
    settings = (
        'server.modules += ( "mod_alias", "mod_cgi" )\n'
        f'alias.url = ( "/cgi-bin/" => "{folder}/pages/" )\ncgi.assign = ( "" => "" )'
    )
    with _lighttpd(folder, own, cores, settings) as port:
        yield port


@contextlib.contextmanager
def _lighttpd(folder: Path, own: Path, cores: set[int], settings: str) -> Iterator[int]:
    command = need("lighttpd", "lighttpd")
    port = free_port()
    conf = own / "lighttpd.conf"
    conf.write_text(
        f'server.document-root = "{folder}"\nserver.bind = "127.0.0.1"\nserver.port = {port}\n'
        f'server.errorlog = "{own}/error.log"\nserver.upload-dirs = ( "{own}" )\n'
        "server.max-keep-alive-requests = 65535\nserver.max-fds = 4096\nserver.max-connections = 1024\n"
        f"{settings}\n"
    )
    with running([command, "-D", "-f", str(conf)], port, own, cores):
        yield port
