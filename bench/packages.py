"""What a section needs from Debian: installed when we are root, else named."""

import os
import shutil
import subprocess
from functools import cache

from bench.options import Missing

PATHS = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def need(file: str, package: str) -> str:
    """The path of a command (or the file itself, when it is a path). Raises Missing."""
    found = _find(file)
    if found is None and install(package):
        found = _find(file)
    if found is None:
        raise Missing(f"{file} is missing (Debian: apt-get install {package})")
    return found


def _find(file: str) -> str | None:
    if file.startswith("/"):
        return file if os.path.exists(file) else None
    return shutil.which(file, path=PATHS)


@cache
def install(package: str) -> bool:
    """Whether Debian's packages (their names with blanks between) are there now."""
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return False
    command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *package.split()]
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(command, check=False, capture_output=True, stdin=subprocess.DEVNULL, env=environment)
    return done.returncode == 0
