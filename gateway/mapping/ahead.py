"""Which hosts are kept ready for which programs (StartCGI): what would be started the same way shares them."""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping

from gateway import helpers, hosts
from gateway.configuration.accounts import process_limits
from gateway.configuration.load import Host
from gateway.directives import table
from gateway.directives.readers.lists import HostChoice
from gateway.directives.settings import Settings
from gateway.keeper.identity import Identity
from gateway.program import HostGroup
from gateway.protocol.environ import Variables

DEFAULT_PATH = b"/usr/local/bin:/usr/bin:/bin"


def environments(settings: Settings) -> tuple[Variables, Variables]:
    """What a new process alone gets, and what SetEnv and PassEnv give to every request."""
    given = settings[table.SetEnv].effective(os.environ)
    named = {os.fsencode(name): os.fsencode(value) for name, value in given.items()}
    new = {b"PATH": named.pop(b"PATH", DEFAULT_PATH), b"HTSESSION_LIB": os.fsencode(helpers.FOLDER)}
    return new, named


def host_group(settings: Settings, choice: HostChoice | None, identity: Identity | None) -> HostGroup | None:
    """The group that a program of these settings starts from; None: it is started cold.

    A program of SuexecUserGroup is, because the keeper looks at every file that it starts for another user.
    """
    number = settings[table.StartCGI].number
    if choice is None or not number or not hosts.KINDS[choice.kind].warm or (identity and identity.suexec):
        return None
    new, named = environments(settings)
    command = hosts.KINDS[choice.kind].command(choice.option("interpreter"))
    group = HostGroup(
        "", tuple(map(os.fsencode, command)), new | named, identity, process_limits(settings), number
    )
    return group._replace(id=hashlib.sha256(repr(group).encode()).hexdigest()[:16])


def configured_groups(served: Iterable[Host], accounts: Mapping[str, Identity | None]) -> Iterator[HostGroup]:
    """The groups of the folders that aliases name; what other sections add comes with their first program.
    `accounts`: as whom the programs of each host run."""
    for host in served:
        identity = accounts[host.key]
        for url, folder in _folders(host):
            settings = host.lookup(url, folder)
            for choice in settings[table.CGIActivationGroup].values():
                group = host_group(settings, choice, identity)
                if group is not None:
                    yield group


def _folders(host: Host) -> Iterator[tuple[str, str]]:
    yield from host.settings[table.ScriptAlias]
    yield from host.settings[table.Alias]
    root = host.settings[table.DocumentRoot]
    if root is not None:
        yield "/", os.path.join(root, "")
