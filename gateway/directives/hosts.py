"""The finished configuration: virtual hosts, which one answers, and the settings of a path."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from gateway.directives import table
from gateway.directives.contradictions import capped
from gateway.directives.problems import Notice
from gateway.directives.readers.addresses import Address, HostNames, Listener, normal_ip
from gateway.directives.sections import Section, varies_below
from gateway.directives.settings import Settings

_REMEMBERED = 4096
_REMEMBERED_HOSTS = 1024


class Host:
    """The main server or a virtual host. `directories`, `files` and `locations` are in merging order."""

    def __init__(
        self,
        key: str,
        title: str,
        addresses: Sequence[Address],
        aliases: tuple[str, ...],
        settings: Settings,
        directories: Sequence[Section],
        files: Sequence[Section],
        locations: Sequence[Section],
    ) -> None:
        self.key = key
        self.title = title
        self.addresses = tuple(addresses)
        self.aliases = tuple(aliases)
        self.settings = capped(settings)
        self.directories = tuple(directories)
        self.files = tuple(files)
        self.locations = tuple(locations)
        self._names = HostNames(name for name in (settings[table.ServerName], *aliases) if name)
        self._lookup = lru_cache(_REMEMBERED)(self._find)
        self._merged = lru_cache(_REMEMBERED)(self._merge)
        self._varies = lru_cache(_REMEMBERED)(self._find_variation)

    def answers_to(self, name: str) -> bool:
        """True if ServerName or ServerAlias is this name (lower case, no port)."""
        return name in self._names

    def lookup(self, url_path: str, file_path: str | None) -> Settings:
        """The settings of a URL path and the file behind it (a folder ends with /), all sections merged."""
        return self._lookup(url_path, file_path)

    def varies_below(self, url_prefix: str) -> bool:
        """False if every URL below url_prefix + "/" has the same Location sections as url_prefix."""
        return self._varies(url_prefix)

    def _find(self, url_path: str, file_path: str | None) -> Settings:
        matched = [] if file_path is None else self._file_sections(file_path)
        matched += [section for section in self.locations if section.pattern.matches(url_path)]
        return self._merged(tuple(matched))

    def _file_sections(self, file_path: str) -> list[Section]:
        folder, _, name = file_path.rpartition("/")
        directories = [section for section in self.directories if section.pattern.matches(folder + "/")]
        files = [*self.files, *(inner for section in directories for inner in section.files)]
        return directories + [section for section in files if section.pattern.matches(name)]

    def _merge(self, sections: tuple[Section, ...]) -> Settings:
        settings = self.settings
        for section in sections:
            settings = settings.changed_by(section.settings)
        return capped(settings)

    def _find_variation(self, url_prefix: str) -> bool:
        return any(varies_below(section.pattern, url_prefix) for section in self.locations)


class Configuration:
    """Everything a directives file says; `listeners` are where requests arrive. Immutable."""

    def __init__(
        self,
        path: str,
        server: Host,
        hosts: Sequence[Host],
        listeners: Sequence[Listener],
        notices: Sequence[Notice],
    ) -> None:
        self.path = path
        self.server = server
        self.hosts = tuple(hosts)
        self.notices = tuple(notices)
        self.listeners = tuple(listeners)
        self._selected = lru_cache(_REMEMBERED_HOSTS)(self._select)

    @property
    def server_root(self) -> str:
        """Where relative paths start."""
        return self.server.settings[table.ServerRoot]

    def select(self, local_address: str | None, local_port: int | None, host_header: str | None) -> Host:
        """The host for a request that arrived at this address (None: a Unix socket) with this Host header.

        Of the virtual hosts with the most exact address the first with the name, else the first; the main
        server if no address fits. The port in the header does not count (Apache, "Virtual Host Matching").
        """
        return self._selected(local_address, local_port, host_header) if self.hosts else self.server

    def _select(self, local_address: str | None, local_port: int | None, host_header: str | None) -> Host:
        ip = None if local_address is None else normal_ip(local_address)
        candidates = self._at_address(ip, None if local_address is None else local_port)
        name = _bare_name(host_header or "")
        named = (host for host in candidates if host.answers_to(name))
        return next(named, candidates[0] if candidates else self.server)

    def _at_address(self, ip: str | None, port: int | None) -> list[Host]:
        if port is None:
            return [host for host in self.hosts if any(address.ip is None for address in host.addresses)]
        for wanted in (Address(ip, port), Address(ip, None), Address(None, port), Address(None, None)):
            found = [host for host in self.hosts if wanted in host.addresses]
            if found:
                return found
        return []


def _bare_name(header: str) -> str:
    name, colon, port = header.strip().lower().rpartition(":")
    bare = name if colon and (port.isdecimal() or not port) else header.strip().lower()
    return bare.removesuffix(".")
