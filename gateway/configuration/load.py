"""Reads directives files from disk: the IO around gateway.directives."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator, Mapping

from gateway.configuration import accounts, certificates
from gateway.directives import contradictions, encryption
from gateway.directives.assemble import Assembler
from gateway.directives.build import build
from gateway.directives.expand import Expander
from gateway.directives.hosts import Configuration, Host
from gateway.directives.log_names import unknown_formats
from gateway.directives.problems import ConfigurationErrors, Place, Problem, in_order
from gateway.directives.settings import Assignment

__all__ = ["Configuration", "ConfigurationErrors", "Host", "load"]


def load(path: str, *, defines: Iterable[str] = (), environ: Mapping[str, str] = os.environ) -> Configuration:
    """Read a directives file and all that it includes. `defines` are NAME or NAME=VALUE.

    Raises ConfigurationErrors with every problem found.
    """
    whole = Place(path, 0)
    root = _default_root(os.path.abspath(path))
    expander = Expander(_Files(), root, dict(_definition(text) for text in defines), environ)
    expander.read(path, whole)
    assembler = Assembler(whole, expander.root)
    assembler.run(expander.statements)
    problems = [
        *expander.problems,
        *assembler.problems,
        *contradictions.repeated_listeners(assembler.assignments),
        *accounts.problems(assembler.main),
        *unknown_formats(assembler.main),
        *_missing(assembler.assignments),
    ]
    if problems:
        raise ConfigurationErrors(in_order(problems), in_order([*expander.notices, *assembler.notices]))
    notices = [
        *expander.notices,
        *assembler.notices,
        *accounts.without_effect(assembler.main),
        *accounts.capped_limits(assembler.assignments),
    ]
    configuration = build(path, expander.root, assembler.main, assembler.assignments, notices)
    problems = [*encryption.problems(configuration), *certificates.problems(configuration)]
    if problems:
        raise ConfigurationErrors(in_order(problems), configuration.notices)
    return configuration


def _default_root(path: str) -> str:
    """The folder above the file's; Debian's apache2.conf counts from its own folder and names no ServerRoot."""
    folder = os.path.dirname(path)
    return folder if os.path.basename(path) == "apache2.conf" else os.path.dirname(folder)


def _definition(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name, value


def _missing(assignments: Iterable[Assignment]) -> Iterator[Problem]:
    for row, value, place in assignments:
        for path in row.paths(value):
            if not os.path.exists(path.rstrip("/") or "/"):
                hint = " (its ${…} is not defined: use Define, -D or the environment)" if "${" in path else ""
                found = f"found nothing at {path}{hint}"
                yield Problem(place, f"{row.name}: expected something that exists, {found}")


class _Files:
    """The files of this machine, for Include."""

    def find(self, pattern: str) -> list[str]:
        if os.path.isdir(pattern):
            found = [os.path.join(folder, name) for folder, _, names in os.walk(pattern) for name in names]
        else:
            found = [pattern] if os.path.exists(pattern) else glob.glob(pattern)
        return sorted(path for path in found if os.path.isfile(path))

    def real(self, path: str) -> str:
        return os.path.realpath(path)

    def exists(self, path: str) -> bool:
        return os.path.exists(path)

    def read(self, path: str) -> str:
        try:
            with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
                return file.read()
        except ValueError as error:  # a name with a NUL byte or beyond the file system's encoding
            raise OSError(str(error)) from error
