"""URL path -> place in the file system (Apache's translation; the file system is asked each time)."""

import os
import stat
from dataclasses import dataclass

from gateway.configuration import Host
from gateway.directives import table
from gateway.errors import Forbidden, GatewayError, NotFound


@dataclass(slots=True)
class Place:
    """Where a URL path led: a file or folder, what of the path is left, and whether links were met.

    `scripted`: by ScriptAlias. `error`: why it leads nowhere; `file` is then as far as it went.
    """

    file: str
    info: str
    folder: bool
    links: bool
    scripted: bool = False
    error: GatewayError | None = None

    @property
    def path(self) -> str:
        """The file; a folder with its slash."""
        return self.file + "/" * self.folder


def locate(host: Host, url: str) -> Place | None:
    """Where a URL path of a host leads; None where no alias fits and there is no DocumentRoot."""
    target = _translate(host, url)
    if target is None:
        return None
    base, rest, scripted = target
    place = _walk(base, rest)
    place.scripted = scripted
    return place


def _translate(host: Host, url: str) -> tuple[str, str, bool] | None:
    """The file-system base of a URL path, what follows it, and whether ScriptAlias led there.

    The longest alias wins, whichever line it is on.
    """
    aliases = [(alias, target, False) for alias, target in host.settings[table.Alias]]
    aliases += [(alias, target, True) for alias, target in host.settings[table.ScriptAlias]]
    for alias, target, scripted in sorted(aliases, key=lambda entry: len(entry[0]), reverse=True):
        folder = alias if alias.endswith("/") else alias + "/"
        if url == alias or url.startswith(folder):
            return target, url[len(alias) :], scripted
    root = host.settings[table.DocumentRoot]
    return None if root is None else (root, url, False)


def _walk(base: str, rest: str) -> Place:
    """Follow the path as far as there are folders; the first file takes it, the rest is path info."""
    current, links = base.rstrip("/") or "/", False
    segments = [segment for segment in rest.split("/") if segment]
    for position in range(len(segments) + 1):
        try:
            mode = _mode(current)
        except GatewayError as error:
            return Place(current, "", False, links, error=error)
        if not stat.S_ISDIR(mode):
            info = "".join("/" + segment for segment in segments[position:])
            return Place(current, info + "/" * rest.endswith("/"), False, links)
        if position < len(segments):
            current = os.path.join(current, segments[position])
            links = links or os.path.islink(current)
    return Place(current, "", True, links)


def _mode(path: str) -> int:
    try:
        mode = os.stat(path).st_mode
    except PermissionError:
        raise Forbidden(f"{path}: no permission") from None
    except (OSError, ValueError):
        raise NotFound(f"{path}: no such file") from None
    if not stat.S_ISDIR(mode) and not stat.S_ISREG(mode):
        raise Forbidden(f"{path}: not a regular file")
    return mode
