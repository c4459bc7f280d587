"""A real Apache with mod_cgid on a free port, all of its files in one folder."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tests.blackbox.harness import BOUND, free_port, wait_for

MODULES = Path("/usr/lib/apache2/modules")
_LOADED = [
    "mpm_event",
    "cgid",
    "alias",
    "env",
    "mime",
    "dir",
    "setenvif",
    "unique_id",
    "authn_core",
    "authn_file",
    "authz_core",
    "authz_host",
    "authz_user",
    "authz_groupfile",
    "auth_basic",
    "access_compat",
]


class Apache:
    """`site` is a directives file with everything but the addresses, the modules and the logs."""

    def __init__(self, folder: Path, site: Path) -> None:
        """`folder` must be reachable for the user of Apache's workers (www-data when run as root)."""
        self.folder, self.port, self._site = folder, 0, site
        folder.mkdir(parents=True, exist_ok=True)
        self._conf = folder / "apache.conf"
        self._process: subprocess.Popen[bytes] | None = None

    def _configure(self) -> None:
        folder = self.folder
        loaded = "\n".join(f"LoadModule {name}_module {MODULES}/mod_{name}.so" for name in _LOADED)
        user = "User www-data\nGroup www-data" if os.geteuid() == 0 else ""
        self._conf.write_text(f"""\
ServerRoot {folder}
Listen 127.0.0.1:{self.port}
PidFile {folder}/pid
DefaultRuntimeDir {folder}
ScriptSock {folder}/cgid.sock
ErrorLog {folder}/error.log
LogLevel info
{loaded}
{user}
TypesConfig /etc/mime.types
ServerName localhost
Include {self._site}
""")

    def start(self) -> Apache:
        """Choose a port, start, and wait until it serves."""
        self.port = free_port()
        self._configure()
        with open(self.folder / "output", "ab") as output:
            self._process = subprocess.Popen(
                ["apache2", "-f", str(self._conf), "-DFOREGROUND"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin"}, executable=shutil.which("apache2"),
            )  # fmt: skip
        wait_for("Apache to serve", self._serves)
        return self

    def _serves(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise AssertionError(f"Apache ended: {(self.folder / 'output').read_text()}{self.log}")
        return "resuming normal operations" in self.log

    @property
    def log(self) -> str:
        """The error log so far."""
        path = self.folder / "error.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def stop(self) -> None:
        """Stop and wait."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(2 * BOUND)  # it gives its workers ten seconds
