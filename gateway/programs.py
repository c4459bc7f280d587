"""URL -> program or file, with its settings (spec 1 R2, R9; Apache's handler rules)."""

import os
import sys
from dataclasses import dataclass
from functools import lru_cache

from gateway import helpers, hosts
from gateway.configuration import Configuration, Host
from gateway.directives import table
from gateway.directives.lists import HostChoice
from gateway.directives.settings import Settings
from gateway.errors import Forbidden, GatewayError, NotFound
from gateway.locate import Place, locate
from gateway.program import Limits, Program
from gateway.protocol.environ import fixed_variables
from gateway.protocol.paths import BadPath, Path

DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"
_REMEMBERED = 1024


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file to be sent as it is."""

    settings: Settings
    path: str


@dataclass(frozen=True, slots=True)
class FolderRedirect:
    """A folder was named without its slash: the client is sent to `location`."""

    settings: Settings
    location: bytes


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder, and what its index file is."""

    settings: Settings
    index: "Found"


@dataclass(frozen=True, slots=True)
class Refused:
    """Nothing, or nothing that may be had: `error` says why, once access has been granted."""

    settings: Settings
    error: GatewayError


Found = Program | StaticFile | FolderRedirect | Folder | Refused


class Programs:
    """Finds what a URL path means; the file system is asked each time, what follows is memoised."""

    def __init__(self, configuration: Configuration) -> None:
        self._hosts = {host.key: host for host in (configuration.server, *configuration.hosts)}
        self._build = lru_cache(_REMEMBERED)(_program)

    def find(self, host: Host, path: Path) -> Found:
        """What a URL path means and the settings that hold there. Raises BadPath."""
        url = os.fsdecode(path.decoded)
        place = locate(host, url)
        settings = host.lookup(url, None if place is None else place.path)
        try:
            if place is None:
                raise NotFound(f"{url[: url.find('/', 1) + 1]}…: no alias fits, and there is no DocumentRoot")
            return self._found(host, path, place, settings)
        except GatewayError as error:
            return Refused(settings, error)

    def _found(self, host: Host, path: Path, place: Place, settings: Settings) -> Found:
        """Raises NotFound, Forbidden (no execute permission, no ExecCGI, a link), BadPath."""
        if place.links and "FollowSymLinks" not in settings[table.Options]:
            raise Forbidden(f"{place.file} is a symbolic link, and Options FollowSymLinks is off")
        if place.error is not None:
            raise place.error
        if place.folder:
            return self._folder(host, path, place, settings)
        url = os.fsdecode(path.decoded)
        cgi_name = os.fsencode(url[: len(url) - len(place.info)])
        path.after(cgi_name)
        if place.scripted or _is_script(place.file, settings):
            return self._program(host, cgi_name, place.file, settings, scripted=place.scripted)
        return _static(host, place, settings)

    def again(self, program: Program, path: Path) -> Program:
        """The program of a living session with the settings of this very URL (R9)."""
        host = self._hosts[program.name[0]]
        if not host.varies_below(program.text):
            return program
        settings = host.lookup(os.fsdecode(path.decoded), program.file)
        return self._build(host, program.cgi_name, program.file, settings)

    def by_name(self, host_key: str, cgi_name: bytes) -> Program | None:
        """The program of a cgi-name, None when there is none (any more): for sessions of another front."""
        host = self._hosts.get(host_key)
        if host is None:
            return None
        try:
            found = self.find(host, Path(cgi_name, len(cgi_name)))
        except BadPath:
            return None
        return found if isinstance(found, Program) and found.cgi_name == cgi_name else None

    def _program(
        self, host: Host, cgi_name: bytes, file: str, settings: Settings, *, scripted: bool
    ) -> Program:
        if not scripted and "ExecCGI" not in settings[table.Options]:
            raise Forbidden(f"{file}: Options ExecCGI is off here")
        hosted = _host_choice(file, settings) is not None
        if not os.access(file, os.R_OK if hosted else os.X_OK):
            raise Forbidden(f"{file}: {'not readable' if hosted else 'not executable'}")
        return self._build(host, cgi_name, file, settings)

    def _folder(self, host: Host, path: Path, place: Place, settings: Settings) -> Found:
        if not path.decoded.endswith(b"/"):
            return FolderRedirect(settings, path.decoded + b"/")
        path.after(path.decoded)
        for name in settings[table.DirectoryIndex]:
            if not name.startswith("/") and os.path.isfile(os.path.join(place.file, name)):
                index = path.decoded + os.fsencode(name)
                return Folder(settings, self.find(host, Path(index, len(index))))
        names = ", ".join(settings[table.DirectoryIndex])
        raise Forbidden(f"{place.file}: a folder without an index file ({names})")


def _extensions(file: str) -> list[str]:
    return ["." + part.lower() for part in os.path.basename(file).split(".")[1:]]


def _is_script(file: str, settings: Settings) -> bool:
    added = settings[table.AddHandler]
    return settings[table.SetHandler] == "cgi-script" or any(ext in added for ext in _extensions(file))


def _host_choice(file: str, settings: Settings) -> HostChoice | None:
    groups = settings[table.CGIActivationGroup]
    return next((groups[ext] for ext in reversed(_extensions(file)) if ext in groups), None)


def _static(host: Host, place: Place, settings: Settings) -> StaticFile:
    """A file to be sent; never the source of a program, whichever way it is reached."""
    if place.info:
        raise NotFound(f"{place.file} is a file and takes no path info")
    real = os.path.realpath(place.file)
    folders = [os.path.realpath(target) for _, target in host.settings[table.ScriptAlias]]
    if _host_choice(place.file, settings) is not None or any(
        real == folder or real.startswith(folder + "/") for folder in folders
    ):
        raise Forbidden(f"{place.file} is a program; its source is not shown")
    if not os.access(place.file, os.R_OK):
        raise Forbidden(f"{place.file}: not readable")
    return StaticFile(settings, place.file)


def _program(host: Host, cgi_name: bytes, file: str, settings: Settings) -> Program:
    given = settings[table.SetEnv].effective(os.environ)
    named = {os.fsencode(name): os.fsencode(value) for name, value in given.items()}
    environ = {b"PATH": named.pop(b"PATH", DEFAULT_PATH), b"HTSESSION_LIB": os.fsencode(helpers.FOLDER)}
    choice, server_name = _host_choice(file, settings), host.settings[table.ServerName]
    root = host.settings[table.DocumentRoot] or os.path.dirname(file)
    fixed = fixed_variables(
        script_name=cgi_name,
        script_filename=os.fsencode(file),
        document_root=os.fsencode(root),
        server_name=None if server_name is None else server_name.encode(),
    )
    return Program(
        name=(host.key, cgi_name),
        settings=settings,
        text=cgi_name.decode("latin-1"),
        file=file,
        argv=tuple(os.fsencode(word) for word in _argv(file, choice)),
        directory=os.fsencode(os.path.dirname(file)),
        environ=environ,
        variables=named | fixed,
        limits=Limits(settings[table.PersistentCGITimeout], settings[table.MaxPersistentCGITimeout]),
        previous_handles=settings[table.PersistentCGIPreviousHandles],
        queue=settings[table.PersistentCGIQueue],
        queue_timeout=settings[table.PersistentCGIQueueTimeout],
        script_timeout=settings[table.CGIScriptTimeout],
        timeout=settings[table.Timeout],
        grace=settings[table.CGIStopGrace],
        fresh_when_expired=settings[table.PersistentCGIExpired] == "fresh",
        body_limit=settings[table.LimitRequestBody],
        hosted=choice is not None,
        nph=os.path.basename(file).startswith("nph-"),
    )


def _argv(file: str, choice: HostChoice | None) -> tuple[str, ...]:
    if choice is None:
        return (file,)
    return (choice.option("interpreter") or sys.executable, hosts.FILES[choice.kind], file)
