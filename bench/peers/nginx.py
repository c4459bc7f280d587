"""nginx from Debian's package: FastCGI over connections that it keeps, and fcgiwrap for plain CGI."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bench.packages import need
from bench.peers.responders import responders
from bench.servers import free_port, own_folder, running

PROCESSES = 64
WRAPPERS = 32  # requests at once


@contextlib.contextmanager
def fastcgi(folder: Path, cores: set[int], program: str) -> Iterator[int]:
    """/page by 64 processes of the program, one for each connection. Raises Missing."""
    with _beside(folder, cores, folder / "pages" / program, PROCESSES, _KEEPING) as port:
        yield port


@contextlib.contextmanager
def fcgiwrap(folder: Path, cores: set[int]) -> Iterator[int]:
    """Each fcgiwrap executes one program at a time. Raises Missing."""
    with _beside(folder, cores, Path(need("fcgiwrap", "fcgiwrap")), WRAPPERS, _WRAPPED) as port:
        yield port


@contextlib.contextmanager
def _beside(folder: Path, cores: set[int], program: Path, count: int, places: str) -> Iterator[int]:
    command = need("nginx", "nginx-light")
    port = free_port()
    own = own_folder(folder, f"nginx-{program.name}")
    conf = own / "nginx.conf"
    conf.write_text(_conf(own, port, len(cores), count, places.format(pages=folder / "pages")))
    with (
        responders(program, own / "programs.sock", cores, count),
        running([command, "-p", str(own), "-c", str(conf), "-e", str(own / "error.log")], port, own, cores),
    ):
        yield port


_KEEPING = "location /page {{ include fastcgi; fastcgi_pass programs; fastcgi_keep_conn on; }}"
_WRAPPED = (
    "location /cgi-bin/ {{ include fastcgi; fastcgi_pass programs;"
    " fastcgi_param SCRIPT_FILENAME {pages}/$script; }}"
)
_PARAMETERS = """\
fastcgi_param QUERY_STRING $query_string;
fastcgi_param REQUEST_METHOD $request_method;
fastcgi_param CONTENT_TYPE $content_type;
fastcgi_param CONTENT_LENGTH $content_length;
fastcgi_param SCRIPT_NAME $fastcgi_script_name;
fastcgi_param REQUEST_URI $request_uri;
fastcgi_param DOCUMENT_ROOT $document_root;
fastcgi_param SERVER_PROTOCOL $server_protocol;
fastcgi_param GATEWAY_INTERFACE CGI/1.1;
fastcgi_param SERVER_SOFTWARE nginx;
fastcgi_param REMOTE_ADDR $remote_addr;
fastcgi_param REMOTE_PORT $remote_port;
fastcgi_param SERVER_ADDR $server_addr;
fastcgi_param SERVER_PORT $server_port;
fastcgi_param SERVER_NAME $server_name;
"""


def _conf(own: Path, port: int, workers: int, kept: int, places: str) -> str:
    (own / "fastcgi").write_text(_PARAMETERS)
    user = "user root;" if os.geteuid() == 0 else ""
    return f"""\
{user}
daemon off;
worker_processes {workers};
pid {own}/pid;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  keepalive_requests 100000000;
  client_max_body_size 0;
  client_body_temp_path {own}/body;
  fastcgi_temp_path {own}/fastcgi-temp;
  proxy_temp_path {own}/proxy-temp;
  uwsgi_temp_path {own}/uwsgi-temp;
  scgi_temp_path {own}/scgi-temp;
  map $uri $script {{ ~^/cgi-bin/(?<name>.*)$ $name; }}
  upstream programs {{ server unix:{own}/programs.sock; keepalive {kept}; }}
  server {{ listen 127.0.0.1:{port}; {places} }}
}}
"""
