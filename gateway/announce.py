"""What `gateway serve` prints when it serves: the addresses, and the programs' URLs."""

import os
import sys
from urllib.parse import quote

from gateway.configuration.load import Configuration
from gateway.directives import table
from gateway.directives.readers.addresses import Listener

_MOST = 20


def announce(configuration: Configuration) -> None:
    """Print the start page of each listener and, for the first one, the programs of the main server."""
    listeners = configuration.listeners
    for listener in listeners:
        print(f"serving {url(listener)}")
    if listeners and listeners[0].unix_path is None:
        base = url(listeners[0]).rstrip("/")
        for path in programs(configuration)[:_MOST]:
            print(f"  {base}{quote(path)}")
    sys.stdout.flush()


def url(listener: Listener) -> str:
    """The URL of a listener's start page."""
    if listener.unix_path is not None:
        return f"unix:{listener.unix_path}"
    host = listener.address or "localhost"
    return f"{listener.scheme}://{f'[{host}]' if ':' in host else host}:{listener.port}/"


def programs(configuration: Configuration) -> list[str]:
    """The URL paths of the programs in the folders of ScriptAlias, and of aliased programs."""
    found = []
    for alias, target in configuration.server.settings[table.ScriptAlias]:
        if os.path.isfile(target):
            found.append(alias)
        else:
            names = _names(target)
            base = alias.rstrip("/") + "/"
            found += [base + name for name in names if _is_program(os.path.join(target, name))]
    return found


def _names(folder: str) -> list[str]:
    """What is in a folder; nothing where there is none, or none that this user may list."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def _is_program(path: str) -> bool:
    return os.path.isfile(path) and os.access(path, os.X_OK)
