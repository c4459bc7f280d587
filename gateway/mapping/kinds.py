"""What a file is by the extensions of its name (AddHandler, AddType, CGIActivationGroup)."""

import os

from gateway.directives import table
from gateway.directives.readers.lists import HostChoice
from gateway.directives.readers.types import PROGRAM_TYPE
from gateway.directives.settings import Settings


def _extensions(file: str) -> list[str]:
    return ["." + part.lower() for part in os.path.basename(file).split(".")[1:]]


def is_script(file: str, settings: Settings) -> bool:
    """Whether a handler or a type makes a program of it."""
    if settings[table.SetHandler] == "cgi-script" or settings[table.ForceType] == PROGRAM_TYPE:
        return True
    handlers, types = settings[table.AddHandler], settings[table.AddType]
    return any(handlers.get(ext) == "cgi-script" or types.get(ext) == PROGRAM_TYPE for ext in _extensions(file))


def host_choice(file: str, settings: Settings) -> HostChoice | None:
    """The host that runs it (CGIActivationGroup); None: it is executed."""
    groups = settings[table.CGIActivationGroup]
    return next((groups[ext] for ext in reversed(_extensions(file)) if ext in groups), None)


def type_of(file: str, settings: Settings) -> str | None:
    """The media type that AddType gives it."""
    added = settings[table.AddType]
    return next((added[ext] for ext in reversed(_extensions(file)) if added.get(ext)), None) if added else None
