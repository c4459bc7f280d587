"""URL path -> place in the file system (Apache's translation; the file system is asked each time)."""

import os
import stat
from dataclasses import dataclass

from gateway.configuration.load import Host
from gateway.errors import Forbidden, GatewayError, NotFound
from gateway.mapping.translation import translation


@dataclass(slots=True)
class Place:
    """Where a URL path led: a file or folder, what of the path is left, and whether links were met.

    `strangers`: a link belongs to another owner than its target. `scripted`, `prefix`, `context`: as in Target.
    `folders` lie between what the path was translated to and the file. `error`: why it leads nowhere; `file` is
    then as far as it went.
    """

    file: str
    info: str
    folder: bool
    links: bool
    strangers: bool = False
    scripted: bool = False
    prefix: str = ""
    context: str | None = None
    error: GatewayError | None = None
    folders: tuple[str, ...] = ()

    @property
    def path(self) -> str:
        """The file; a folder with its slash."""
        return self.file + "/" * self.folder


def locate(host: Host, url: str) -> Place | None:
    """Where a URL path of a host leads; None where no alias fits and there is no DocumentRoot."""
    target = translation(host).find(url)
    if target is None:
        return None
    place = _walk(target.base, target.rest)
    place.scripted, place.prefix, place.context = target.scripted, target.prefix, target.context
    return place


def _walk(base: str, rest: str) -> Place:
    """Follow the path as far as there are folders; the first file takes it, the rest is path info."""
    place = Place(base.rstrip("/") or "/", "", False, False)
    segments = [segment for segment in rest.split("/") if segment]
    try:
        for position in range(len(segments) + 1):
            if not stat.S_ISDIR(_mode(place.file)):
                left = "".join("/" + segment for segment in segments[position:])
                place.info = left + "/" * rest.endswith("/")
                return place
            if position:
                place.folders += (place.file,)
            if position < len(segments):
                _step(place, segments[position])
    except GatewayError as error:
        place.error = error
        return place
    place.folder = True
    return place


def _step(place: Place, segment: str) -> None:
    """Go into a folder. Raises NotFound."""
    if segment in (".", ".."):  # out of a pattern: the URL itself has no dot segments
        raise NotFound(f"{place.file}/{segment}: a pattern leads to a dot segment")
    place.file = os.path.join(place.file, segment)
    if os.path.islink(place.file):
        place.links = True
        place.strangers = place.strangers or not _same_owner(place.file)


def _same_owner(link: str) -> bool:
    try:
        return os.lstat(link).st_uid == os.stat(link).st_uid
    except (OSError, ValueError):
        return False


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
