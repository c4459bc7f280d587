"""Readers of the logs' directives (Apache: mod_log_config, core)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from gateway.directives.directive import Merging, Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.logformat import parse
from gateway.directives.readers.values import absolute, folder_of, only

LEVELS = (
    *("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug"),
    *(f"trace{number}" for number in range(1, 9)),
)
DEFAULT_LEVEL = "info"
Levels = Mapping[str, str]  # module, "" for all that are not named -> level
STANDARD = ("stdout", "stderr", "/dev/stdout", "/dev/stderr")
_SAME_MODULE = {"cgid": "cgi", "mod_cgid": "cgi", "http_core": "http"}


def _folded(values: Sequence[Levels]) -> Levels:
    """A level for all takes back those of single modules (Apache, LogLevel)."""
    levels: dict[str, str] = {}
    for value in values:
        if "" in value:
            levels = {}
        levels.update(value)
    return MappingProxyType(levels)


LEVELS_MERGED: Merging[Levels] = Merging(
    "lines add up; a level for all modules takes back those of single ones",
    _folded,
    lambda outer, inner: _folded([outer, inner]),
)


class LevelsReader(NamedTuple):
    """`level`, `module:level`, or several of them."""

    syntax: str = "[module:]level …"

    def read(self, words: Words, root: str) -> Levels:
        """Level by module."""
        if not words:
            raise Malformed(self.syntax, shown(words))
        return _folded([self._one(word) for word in words])

    def _one(self, word: str) -> Levels:
        module, _, level = word.lower().rpartition(":")
        if level not in LEVELS:
            raise Malformed(f"one of {', '.join(LEVELS)}", shown([word]))
        if ":" in word and not re.fullmatch(r"[a-z0-9_]+(\.c)?", module):
            raise Malformed("module:level", shown([word]))
        return {_module(module): level}

    def lines(self, value: Levels) -> Iterable[Words]:
        """One line, the level for all first."""
        words = [f"{module}:{level}" if module else level for module, level in value.items()]
        return [sorted(words, key=lambda word: ":" in word)] if words else []


def _module(name: str) -> str:
    """`mod_cgi.c`, `cgi_module` and `cgi` are one."""
    bare = name.removesuffix(".c").removesuffix("_module").removeprefix("mod_")
    return _SAME_MODULE.get(bare, bare)


class AccessLog(NamedTuple):
    """One CustomLog. `format`: a name or the format itself, "" for the default of TransferLog; `condition`:
    a variable that must be there (with `!`: must not be), "" is none."""

    path: str
    format: str
    condition: str = ""


def _path(word: str, root: str) -> str:
    if word.startswith("|"):
        raise Malformed(
            "a file: logs are not piped to programs here; logrotate renames them, then SIGUSR1 opens them anew",
            shown([word]),
        )
    if word.startswith("syslog"):
        raise Malformed("a file, stdout or stderr", shown([word]))
    return word if word in STANDARD else absolute(word, root)


class FileReader(NamedTuple):
    """A file, `stdout` or `stderr`."""

    syntax: str = "file|stdout|stderr"

    def read(self, words: Words, root: str) -> str:
        """The path, made absolute."""
        return _path(only(words, f"one path ({self.syntax})"), root)

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word; none where there is no file."""
        return [[value]] if value else []


def folder(value: str | None) -> list[str]:
    """What must exist for one log: its folder."""
    return [] if value is None or value in STANDARD else folder_of(value)


def folders(value: tuple[AccessLog, ...]) -> list[str]:
    """What must exist for access logs: their folders."""
    return [log.path.rpartition("/")[0] or "/" for log in value if log.path not in STANDARD]


class CustomLogReader(NamedTuple):
    """`file format [env=[!]variable]`."""

    syntax: str = 'file|stdout|stderr "format"|name [env=[!]variable]'

    def read(self, words: Words, root: str) -> tuple[AccessLog, ...]:
        """One log."""
        if len(words) not in (2, 3) or not words[1]:
            raise Malformed(self.syntax, shown(words))
        path = _path(words[0], root)
        if "%" in words[1]:
            parse(words[1])
        return (AccessLog(path, words[1], _condition(words[2]) if words[2:] else ""),)

    def lines(self, value: tuple[AccessLog, ...]) -> Iterable[Words]:
        """One line for each log with a format."""
        return [
            (log.path, log.format, *([f"env={log.condition}"] if log.condition else []))
            for log in value
            if log.format
        ]


def _condition(word: str) -> str:
    if not re.fullmatch(r"env=!?[^=!\s]+", word, re.IGNORECASE):
        raise Malformed("env=variable or env=!variable (expressions are not evaluated)", shown([word]))
    return word[4:]


class TransferLogReader(NamedTuple):
    """`file`."""

    syntax: str = "file|stdout|stderr"

    def read(self, words: Words, root: str) -> tuple[AccessLog, ...]:
        """One log in the default format."""
        if len(words) != 1:
            raise Malformed(self.syntax, shown(words))
        return (AccessLog(_path(words[0], root), ""),)

    def lines(self, value: tuple[AccessLog, ...]) -> Iterable[Words]:
        """One line for each log without a format."""
        return [(log.path,) for log in value if not log.format]


class FormatReader(NamedTuple):
    """`"format" [name]`."""

    syntax: str = '"format" [name]'

    def read(self, words: Words, root: str) -> Mapping[str, str]:
        """Name ("" for TransferLog) to format; without a name, it may itself be the name of another."""
        if len(words) not in (1, 2) or not words[0]:
            raise Malformed(self.syntax, shown(words))
        name = words[1] if words[1:] else ""
        if words[1:] and (not name or "%" in name):
            raise Malformed("a name without % after the format", shown([name]))
        parse(words[0])
        return MappingProxyType({name: words[0]})

    def lines(self, value: Mapping[str, str]) -> Iterable[Words]:
        """One line for each format."""
        return [(text, name) if name else (text,) for name, text in value.items()]
