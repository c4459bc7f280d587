"""What a front says to the keeper before it gives up being root (User), and the giving up."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from typing import Any

from gateway import helpers, hosts
from gateway.access import hashes
from gateway.configuration.accounts import program_identity
from gateway.configuration.load import Configuration, Host
from gateway.control import facts
from gateway.directives import table
from gateway.directives.build import all_sections
from gateway.directives.settings import Settings
from gateway.keeper.identity import Identity, assume, no_new_privileges
from gateway.mapping.ahead import DEFAULT_PATH
from gateway.web import pages


def privileges(configuration: Configuration) -> dict[str, Any]:
    """Fields of `configure`: the permit (see `gateway.keeper.permit`), whether this process will be another
    user's, CGINoNewPrivileges."""
    served = (configuration.server, *configuration.hosts)
    own = own_identity(configuration)
    settings = [host.settings for host in served]
    settings += [section.settings for host in served for section in all_sections(host)]
    permit = {
        "identities": list({who for host in served if (who := program_identity(host.settings)) is not None}),
        "anybody": own is None,
        "roots": sorted({_text(root) for host in served for root in _roots(host)}),
        "hosts": sorted({command for one in settings for command in _commands(one)}),
        "names": sorted({_text(name) for one in settings for name in _variables(one)}),
        "fixed": {"PATH": DEFAULT_PATH.decode(), "HTSESSION_LIB": _text(helpers.FOLDER)},
    }
    return {"permit": permit, "drops": own is not None, "no_new_privileges": _no_gains(configuration)}


def own_identity(configuration: Configuration) -> Identity | None:
    """As whom requests are answered: User and Group of the main server, when root has started the gateway."""
    without = configuration.server.settings.with_value(table.SuexecUserGroup, None)
    return program_identity(without)


def give_up(configuration: Configuration) -> None:
    """Become the user of the main server, for good. Raises OSError."""
    if _no_gains(configuration):
        no_new_privileges()
    own = own_identity(configuration)
    if own is not None:
        from gateway.status.making import load_files

        hashes.load()  # the folder of the libraries may be root's alone
        pages.template()
        load_files()
        facts.processes()
        assume(own)
        tempfile.tempdir = None  # the folder where this user may write
        tempfile.gettempdir()


def _no_gains(configuration: Configuration) -> bool:
    return configuration.server.settings[table.CGINoNewPrivileges] == "On"


def _roots(host: Host) -> Iterator[str]:
    """The folders below which suexec lets programs lie."""
    yield host.settings[table.ServerRoot]
    root = host.settings[table.DocumentRoot]
    if root is not None:
        yield root
    for _, target in (*host.settings[table.ScriptAlias], *host.settings[table.Alias]):
        yield os.path.dirname(target) if os.path.isfile(target) else target


def _variables(settings: Settings) -> Iterator[str]:
    yield from settings[table.SetEnv].names
    for condition in settings[table.SetEnvIf]:
        yield from (setting.name for setting in condition.settings)


def _commands(settings: Settings) -> Iterator[tuple[str, str]]:
    for choice in settings[table.CGIActivationGroup].values():
        interpreter, host = hosts.KINDS[choice.kind].command(choice.option("interpreter"))
        yield _text(interpreter), _text(host)


def _text(path: str) -> str:
    """Bytes of a path or name as the link carries them."""
    return os.fsencode(path).decode("latin-1")
