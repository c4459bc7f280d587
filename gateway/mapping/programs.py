"""URL -> program or file, with its settings (spec 1 R2, R9; Apache's handler rules)."""

import os
import stat
from functools import lru_cache, partial
from typing import NamedTuple

from gateway.configuration.accounts import permitted, program_identity
from gateway.configuration.load import Configuration, Host
from gateway.directives import table
from gateway.directives.foreign.handlers import PAGES
from gateway.directives.settings import Settings
from gateway.errors import ByDirective, Forbidden, GatewayError, NotFound
from gateway.mapping.ahead import configured_groups
from gateway.mapping.build import build
from gateway.mapping.found import ClientRedirect, Folder, FolderRedirect, Found, OwnPage, Refused, StaticFile
from gateway.mapping.kinds import host_choice, is_script, type_of
from gateway.mapping.locate import Place, locate
from gateway.mapping.translation import ScriptFolders
from gateway.program import HostGroup, Program
from gateway.protocol.paths import BadPath, Path

_REMEMBERED = 1024


class _Trail(NamedTuple):
    """Where a URL path led: through folders that were no links, to the file of a program, which somebody may
    execute or read (`access`)."""

    program: Program
    folders: tuple[str, ...]
    access: int


class Programs:
    """Finds what a URL path means; the file system is asked each time, what follows is memoised."""

    def __init__(self, configuration: Configuration) -> None:
        self._hosts = {host.key: host for host in (configuration.server, *configuration.hosts)}
        self._accounts = {key: program_identity(host.settings) for key, host in self._hosts.items()}
        self._build = lru_cache(_REMEMBERED)(partial(build, self._accounts))
        self._scripts = ScriptFolders(list(self._hosts.values()))
        self._trails: dict[tuple[str, Path], _Trail] = {}

    def known(self, host: Host, path: Path) -> Program | None:
        """The program that a URL path led to before, if it still does: what can have changed is looked at.
        None: `find` has to see to it."""
        trail = self._trails.get((host.key, path))
        if trail is None:
            return None
        file = trail.program.file
        try:
            if not stat.S_ISREG(os.lstat(file).st_mode):
                return None
            for folder in trail.folders:
                if not stat.S_ISDIR(os.lstat(folder).st_mode):
                    return None
            return trail.program if permitted(file, trail.access, self._accounts[host.key]) else None
        except OSError:
            return None

    def find(self, host: Host, path: Path, *, indexed: bool = False) -> Found:
        """What a URL path means and the settings that hold there; `indexed`: as an index, which no folder is.
        Raises BadPath."""
        known = self.known(host, path)
        if known is not None:
            return known
        url = os.fsdecode(path.decoded)
        redirect = _redirect(host.settings, url)
        if redirect is not None:  # before access, as in Apache: it may lead to where a password is safe
            return redirect
        place = locate(host, url)
        settings = host.lookup(url, None if place is None else place.path)
        redirect = _redirect(settings, url)
        if redirect is not None:
            return redirect
        own = settings[table.SetHandler]
        if own in PAGES:
            return OwnPage(settings, own)
        try:
            if place is None:
                raise NotFound(f"{url[: url.find('/', 1) + 1]}…: no alias fits, and there is no DocumentRoot")
            if indexed and place.folder:
                raise NotFound(f"{place.file}: a folder cannot be the index of another one")
            return self._found(host, path, place, settings)
        except BadPath as error:
            return Refused(settings, NotFound(str(error)))
        except GatewayError as error:
            return Refused(settings, error)

    def _found(self, host: Host, path: Path, place: Place, settings: Settings) -> Found:
        """Raises NotFound, Forbidden (no execute permission, no ExecCGI, a link), BadPath."""
        if place.links:
            _check_links(place, settings)
        if place.error is not None:
            raise place.error
        if place.folder:
            return self._folder(host, path, place, settings)
        info = os.fsencode(place.info)
        cgi_name = path.before(info)
        path.after(cgi_name)
        if not place.scripted and not is_script(place.file, settings):
            return self._static(place, settings)
        (program, access), led = self._program(host, cgi_name, place, settings), cgi_name + info
        if led != path.decoded:
            return Folder(settings, program, Path(led, len(led)))
        if not place.links:
            if len(self._trails) >= _REMEMBERED:
                self._trails.clear()
            self._trails[host.key, path] = _Trail(program, place.folders, access)
        return program

    def again(self, program: Program, path: Path) -> Program:
        """The program of a living session with the settings of this very URL (R9)."""
        host = self._hosts[program.name[0]]
        if not host.varies_below(program.text):
            return program
        settings = host.lookup(os.fsdecode(path.decoded), program.file)
        return self._build(host, program.cgi_name, program.file, settings, program.context)

    def by_name(self, host_key: str, cgi_name: bytes) -> Program | None:
        """The program of a cgi-name, None when there is none (any more): for sessions of another front."""
        host = self._hosts.get(host_key)
        if host is None:
            return None
        for url in (cgi_name, cgi_name + b"/"):  # a ScriptAliasMatch may want the slash
            try:
                found = self.find(host, Path(url, len(url)))
            except BadPath:
                continue
            if isinstance(found, Program) and found.cgi_name == cgi_name:
                return found
        return None

    def hosts_ahead(self) -> list[HostGroup]:
        """The hosts that are to be ready before anybody asks for a program."""
        return list(configured_groups(self._hosts.values(), self._accounts))

    def _program(self, host: Host, cgi_name: bytes, place: Place, settings: Settings) -> tuple[Program, int]:
        """The program, and what must be allowed of its file."""
        file = place.file
        if not place.scripted and "ExecCGI" not in settings[table.Options]:
            raise Forbidden(f"{file}: Options ExecCGI is off here")
        hosted = host_choice(file, settings) is not None
        access = os.R_OK if hosted else os.X_OK
        if not permitted(file, access, self._accounts[host.key]):
            raise Forbidden(f"{file}: {'not readable' if hosted else 'not executable'}")
        return self._build(host, cgi_name, file, settings, (place.prefix, place.context)), access

    def _folder(self, host: Host, path: Path, place: Place, settings: Settings) -> Found:
        if not path.decoded.endswith(b"/"):
            return FolderRedirect(settings, path.decoded + b"/")
        path.after(path.decoded)
        for name in settings[table.DirectoryIndex]:
            if name.startswith("/"):
                index = os.fsencode(name)
            elif os.path.isfile(os.path.join(place.file, name)):
                index = path.decoded + os.fsencode(name)
            else:
                continue
            led = Path(index, len(index))
            found = self.find(host, led, indexed=True)
            if not isinstance(found, Refused) or not isinstance(found.error, NotFound):
                return Folder(settings, found, led)
        names = ", ".join(settings[table.DirectoryIndex])
        raise Forbidden(f"{place.file}: a folder without an index file ({names})")

    def _static(self, place: Place, settings: Settings) -> StaticFile:
        """A file to be sent; never the source of a program, whichever way it is reached."""
        if place.info and settings[table.AcceptPathInfo] != "On":
            raise NotFound(f"{place.file} is a file and takes no path info")
        bare = place.file.rstrip("~#")  # an editor's copy
        if host_choice(bare, settings) or is_script(bare, settings) or self._scripts.hold(place.file):
            raise Forbidden(f"{place.file} is a program; its source is not shown")
        if not os.access(place.file, os.R_OK):
            raise Forbidden(f"{place.file}: not readable")
        return StaticFile(settings, place.file, settings[table.ForceType] or type_of(place.file, settings))


def _redirect(settings: Settings, url: str) -> ClientRedirect | Refused | None:
    for one in settings[table.Redirect]:
        location = one.location(url)
        if location:
            return ClientRedirect(settings, one.status, location)
        if location is not None:
            return Refused(settings, ByDirective(one.status))
    return None


def _check_links(place: Place, settings: Settings) -> None:
    """Raises Forbidden."""
    options = settings[table.Options]
    if "FollowSymLinks" in options or ("SymLinksIfOwnerMatch" in options and not place.strangers):
        return
    raise Forbidden(f"{place.file} is a symbolic link, and Options FollowSymLinks is off")
