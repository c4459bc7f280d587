"""What a URL path can mean besides a program, each with the settings that hold there."""

from dataclasses import dataclass
from typing import NamedTuple

from gateway.directives.settings import Settings
from gateway.errors import GatewayError
from gateway.program import Program
from gateway.protocol.paths import Path


class StaticFile(NamedTuple):
    """A file to be sent as it is; `kind` is its Content-Type, None when its name tells."""

    settings: Settings
    path: str
    kind: str | None = None


class FolderRedirect(NamedTuple):
    """A folder was named without its slash: the client is sent to `location`, a decoded path."""

    settings: Settings
    location: bytes


class OwnPage(NamedTuple):
    """An answer of the gateway's own, by SetHandler; `name` is the handler's."""

    settings: Settings
    name: str


class ClientRedirect(NamedTuple):
    """Redirect and its kin: the client is sent to `location`, a URL or path, encoded."""

    settings: Settings
    status: int
    location: str


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder and what its index is, or a pattern that changes the path info; `path` is what leads there."""

    settings: Settings
    index: "Found"
    path: Path


class Refused(NamedTuple):
    """Nothing, or nothing that may be had: `error` says why, once access has been granted."""

    settings: Settings
    error: GatewayError


Found = Program | StaticFile | FolderRedirect | ClientRedirect | OwnPage | Folder | Refused
