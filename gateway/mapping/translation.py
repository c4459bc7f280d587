"""URL path -> path in the file system: Alias, ScriptAlias, their Match forms, DocumentRoot (mod_alias)."""

import os
import re
from functools import lru_cache
from typing import NamedTuple

from gateway.configuration.load import Host
from gateway.directives import table
from gateway.directives.settings import Settings


class Target(NamedTuple):
    """Where a URL path begins in the file system, and what follows: `base` and `rest`.

    `scripted`: by ScriptAlias; `prefix` and `context` are CONTEXT_PREFIX and CONTEXT_DOCUMENT_ROOT (None: that
    of the host).
    """

    base: str
    rest: str
    scripted: bool = False
    prefix: str = ""
    context: str | None = None


class Translation:
    """The aliases of a host: the longest that fits wins, whichever line it is on; then patterns, in order."""

    def __init__(self, settings: Settings) -> None:
        aliases = [(alias, target, False) for alias, target in settings[table.Alias]]
        aliases += [(alias, target, True) for alias, target in settings[table.ScriptAlias]]
        self._aliases = sorted(aliases, key=lambda entry: len(entry[0]), reverse=True)
        self._patterns = settings[table.AliasMatch]
        self._root = settings[table.DocumentRoot]
        self._starts = tuple(alias.rstrip("/") or "/" for alias, *_ in aliases)

    def find(self, url: str) -> Target | None:
        """The target of a URL path; None where no alias fits and there is no DocumentRoot."""
        for alias, target, scripted in self._aliases:
            folder = alias if alias.endswith("/") else alias + "/"
            if url == alias or url.startswith(folder):
                return Target(target, url[len(alias) :], scripted, alias, target)
        for substitution, scripted in self._patterns:
            path = substitution.apply(url)
            if path is not None:
                base = _existing(substitution.base)
                return Target(base or "/", path[len(base) :], scripted)
        return None if self._root is None else Target(self._root, url)

    def file(self, path_info: bytes) -> bytes:
        """The file that a URL path of this host would be: PATH_TRANSLATED (RFC 3875, section 4.1.6)."""
        url = os.fsdecode(path_info)
        if not self._patterns and not url.startswith(self._starts):
            return b"" if self._root is None else os.fsencode(self._root.rstrip("/")) + path_info
        target = self.find(url)
        return b"" if target is None else os.fsencode(target.base + target.rest)


def _existing(path: str) -> str:
    """The part of a path that is there: what a pattern's targets share may lie within a program's path info."""
    while path and not os.path.exists(path):
        path = path.rpartition("/")[0]
    return path


@lru_cache(1024)
def translation(host: Host) -> Translation:
    """The prepared aliases of a host."""
    return Translation(host.settings)


class ScriptFolders:
    """Where programs lie by ScriptAlias and ScriptAliasMatch, of all hosts: nothing there is sent as a file."""

    def __init__(self, hosts: list[Host]) -> None:
        targets = {target for host in hosts for _, target in host.settings[table.ScriptAlias]}
        patterns = {one for host in hosts for one in host.settings[table.AliasMatch] if one.scripted}
        self._folders = tuple({os.path.realpath(target) for target in targets})
        self._reaches: list[re.Pattern[str]] = [one.substitution.reach for one in patterns]

    def hold(self, file: str) -> bool:
        """Whether a file lies there, however it was named."""
        real = os.path.realpath(file)
        if any(real == folder or real.startswith(folder + "/") for folder in self._folders):
            return True
        return any(reach.match(path) for reach in self._reaches for path in (real, file))
