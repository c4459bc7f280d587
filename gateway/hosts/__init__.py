"""Hosts: activation groups for returning programs. They run in other processes; nothing is imported here."""

import os
import shutil
import sys
from collections.abc import Mapping
from typing import NamedTuple

_HERE = os.path.dirname(os.path.abspath(__file__))
_PATH = "/usr/local/bin:/usr/bin:/bin"


class HostKind(NamedTuple):
    """A kind of CGIActivationGroup: the host's file in this folder, what runs it when no `interpreter=` is
    named, and whether it can be started warm (StartCGI; see `zygote.py`)."""

    script: str
    interpreter: str
    warm: bool = True

    @property
    def file(self) -> str:
        """The host's file with its path."""
        return os.path.join(_HERE, self.script)

    def command(self, interpreter: str | None = None) -> tuple[str, str]:
        """What stands before the name of a program: interpreter and host."""
        return interpreter or self.interpreter, self.file


def _found(command: str) -> str:
    return shutil.which(command, path=_PATH) or f"/usr/bin/{command}"


KINDS: Mapping[str, HostKind] = {
    "python": HostKind("python.py", sys.executable),
    "perl": HostKind("perl.pl", _found("perl")),
    "native": HostKind("native.py", sys.executable),
}
OPTIONS = ("interpreter",)
