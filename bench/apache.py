"""Apache with mod_cgid, from Debian's package, on a port of its own: the yardstick of starts."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bench.options import Missing
from bench.servers import ALL_CORES, free_port, running

MODULES = Path("/usr/lib/apache2/modules")
_PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOADED = ["mpm_event", "cgid", "alias", "env", "authz_core"]


@contextlib.contextmanager
def cgid(folder: Path) -> Iterator[int]:
    """Executes the files of the folder `warm` as /cgi-bin/, in the foreground. Raises Missing."""
    command = shutil.which("apache2", path=_PATHS)
    if command is None or not (MODULES / "mod_cgid.so").exists():
        raise Missing("apache2 is missing (Debian: apt-get install apache2)")
    port = free_port()
    own = folder / "apache"
    own.mkdir()
    folder.chmod(0o755)  # its workers are another user's
    conf = own / "apache.conf"
    conf.write_text(_conf(folder, own, port))
    with running([command, "-f", str(conf), "-DFOREGROUND"], port, own, ALL_CORES):
        yield port


def _conf(folder: Path, own: Path, port: int) -> str:
    loaded = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in _LOADED)
    user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
    return f"""\
ServerRoot {own}
Listen 127.0.0.1:{port}
PidFile {own}/pid
DefaultRuntimeDir {own}
ScriptSock {own}/cgid.sock
ErrorLog {own}/error.log
LogLevel warn
ServerName localhost
{loaded}
{user}
ScriptAlias /cgi-bin/ {folder}/warm/
<Directory {folder}/warm>
Require all granted
</Directory>
"""
