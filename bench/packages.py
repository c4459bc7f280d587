"""What a section needs from Debian: installed when we are root, else named."""

import os
import shutil
import subprocess
from collections.abc import Iterable
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
    wanted = ["install", "-y", "--no-install-recommends", *package.split()]
    return _apt(*wanted) or (_update() and _apt(*wanted))


@cache
def _update() -> bool:
    """Debian's images for containers come without lists of packages."""
    return _apt("update")


def _apt(*words: str) -> bool:
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive", "RUNLEVEL": "1"}
    done = subprocess.run(
        ["apt-get", "-qq", *words], check=False, capture_output=True, stdin=subprocess.DEVNULL, env=environment
    )
    return done.returncode == 0


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Those of Debian's packages that are installed; empty elsewhere."""
    if shutil.which("dpkg-query") is None:
        return {}
    command = ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages]
    told = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    pairs = (line.partition(" ") for line in told.splitlines())
    return {name: version for name, _, version in pairs if version}
