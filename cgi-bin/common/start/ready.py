"""Whether a program of start.toml can run here, and what to do if not."""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from html import escape
from typing import Any

# Exits with 1 when a file of the arguments (CGI.pm) lies nowhere in the path of modules
PERL_HAS = 'for my $file (@ARGV) { exit 1 unless grep { -e "$_/$file" } @INC }'


def lacks(program: dict[str, Any], table: dict[str, Any]) -> str:
    """What keeps a program (a row of `table`) from running, in HTML; nothing when it is ready."""
    file, interpreter = program["file"], program.get("interpreter")
    if not os.path.isfile(file):
        return _unbuilt(program.get("compiler"), table["packages"])
    if interpreter and not shutil.which(interpreter):
        return f"Its interpreter is missing: {_apt(table['packages'][interpreter])}"
    if not os.access(file, os.R_OK if "host" in program else os.X_OK):
        return f"It may not be run: {_type(f'chmod +rx {file}')}"
    return "; ".join(_modules(program, table))


def _unbuilt(compiler: str | None, packages: dict[str, str]) -> str:
    if compiler is None:
        return "The file is missing."
    first = "run " if shutil.which(compiler) else f"{_apt(packages[compiler])}, then "
    return f"Not built: {first}{_type('make programs')}"


def _modules(program: dict[str, Any], table: dict[str, Any]) -> Iterator[str]:
    for name in program.get("modules", []):
        if program.get("interpreter") == "perl":
            if subprocess.run(["perl", "-e", PERL_HAS, f"{name.replace('::', '/')}.pm"]).returncode:
                yield f"Its module {escape(name)} is missing: {_apt(table['perl'][name])}"
        elif importlib.util.find_spec(name) is None:  # on the interpreter that runs this page and them
            pip = _type(f"pip install {table['modules'][name]}")
            yield f"Its package {escape(name)} is missing: {pip}, or start by {_type('make serve')}"


def _apt(package: str) -> str:
    return f"{_type(f'apt-get install {package}')} (on Debian)"


def _type(command: str) -> str:
    return f"<kbd>{escape(command)}</kbd>"
