"""Where the control socket is."""

import os

from gateway.directives import table
from gateway.directives.hosts import Configuration

NAME = "control"


def state_directory(configuration: Configuration) -> str:
    """Where the key of the handles lies: STATE_DIRECTORY (systemd), else `state` below ServerRoot."""
    return os.environ.get("STATE_DIRECTORY") or os.path.join(configuration.server_root, "state")


def control_path(configuration: Configuration) -> str | None:
    """The path of the control socket (ControlSocket); None: there is none."""
    said = configuration.server.settings[table.ControlSocket]
    if said is None:
        return os.path.join(state_directory(configuration), NAME)
    return None if said == "none" else said
