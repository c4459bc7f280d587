"""Apache from Debian's package: mod_cgid and mod_cgi execute a program a request, mod_fcgid keeps them."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bench.packages import need
from bench.servers import free_port, own_folder, running

MODULES = "/usr/lib/apache2/modules"
PROCESSES = 64
_LOADED = ["alias", "env", "authz_core", "mime"]


@contextlib.contextmanager
def cgid(folder: Path, cores: set[int]) -> Iterator[int]:
    """A daemon forks the programs, threads serve. Raises Missing."""
    with _apache(folder, cores, ["mpm_event", "cgid"], "ScriptSock {own}/cgid.sock") as port:
        yield port


@contextlib.contextmanager
def cgi(folder: Path, cores: set[int]) -> Iterator[int]:
    """Processes serve, and fork the programs. Raises Missing."""
    with _apache(folder, cores, ["mpm_prefork", "cgi"], "StartServers 16\nMaxRequestWorkers 128") as port:
        yield port


@contextlib.contextmanager
def fcgid(folder: Path, cores: set[int]) -> Iterator[int]:
    """mod_fcgid starts the programs of the folder that end in .fcgi, and keeps them. Raises Missing."""
    need(f"{MODULES}/mod_fcgid.so", "libapache2-mod-fcgid")
    settings = (
        "AddHandler fcgid-script .fcgi\nFcgidIPCDir {own}\nFcgidProcessTableFile {own}/table\n"
        f"FcgidMaxProcesses {4 * PROCESSES}\nFcgidMaxProcessesPerClass {PROCESSES}\n"
        "FcgidMaxRequestsPerProcess 0\nFcgidSpawnScoreUpLimit 1000000"
    )
    with _apache(folder, cores, ["mpm_event", "fcgid"], settings) as port:
        yield port


@contextlib.contextmanager
def _apache(folder: Path, cores: set[int], modules: list[str], settings: str) -> Iterator[int]:
    command = need("apache2", "apache2")
    port = free_port()
    own = own_folder(folder, modules[-1])
    for place in (folder, own):
        place.chmod(0o777)  # its workers are another user's
    conf = own / "apache.conf"
    conf.write_text(_conf(folder, own, port, modules, settings.format(own=own)))
    with running([command, "-f", str(conf), "-DFOREGROUND"], port, own, cores):
        yield port


def _conf(folder: Path, own: Path, port: int, modules: list[str], settings: str) -> str:
    loaded = "\n".join(
        f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in (*modules[:1], *_LOADED, *modules[1:])
    )
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    return f"""\
ServerRoot {own}
Listen 127.0.0.1:{port}
PidFile {own}/pid
DefaultRuntimeDir {own}
ErrorLog {own}/error.log
LogLevel warn
ServerName localhost
MaxKeepAliveRequests 0
LimitRequestBody 0
{loaded}
TypesConfig /dev/null
{user}
{settings}
ScriptAlias /cgi-bin/ {folder}/pages/
<Directory {folder}/pages>
Options ExecCGI
Require all granted
</Directory>
"""
