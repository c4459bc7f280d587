"""A program's file and its settings -> all that is known of the program."""

import os
from collections.abc import Callable, Mapping
from functools import lru_cache

from gateway import hosts
from gateway.configuration.accounts import process_limits
from gateway.configuration.load import Host
from gateway.directives import table
from gateway.directives.access import access_of
from gateway.directives.readers.agents import matcher
from gateway.directives.readers.lists import HostChoice
from gateway.directives.settings import Settings
from gateway.keeper.identity import Identity
from gateway.mapping.ahead import environments, host_group
from gateway.mapping.kinds import host_choice
from gateway.mapping.translation import translation
from gateway.program import Limits, Program
from gateway.protocol.environ import fixed_variables, server_name
from gateway.request.conditional import conditions

_REMEMBERED = 1024  # Host headers of one host


def build(
    accounts: Mapping[str, Identity | None],
    host: Host,
    cgi_name: bytes,
    file: str,
    settings: Settings,
    context: tuple[str, str | None],
) -> Program:
    """The program in a file. `accounts` are the users of the hosts, `context` the prefix of its alias and the
    folder behind it."""
    environ, named = environments(settings)
    nph = os.path.basename(file).startswith("nph-")
    choice, own_name = host_choice(file, settings), host.settings[table.ServerName]
    admin, root = host.settings[table.ServerAdmin], host.settings[table.DocumentRoot] or os.path.dirname(file)
    fixed = fixed_variables(
        script_name=cgi_name,
        script_filename=os.fsencode(file),
        document_root=os.fsencode(root),
        server_name=None if own_name is None or host.aliases else own_name.encode(),
        server_admin=None if admin is None else os.fsencode(admin),
        context_prefix=os.fsencode(context[0]),
        context_document_root=os.fsencode(context[1] or root),
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
        warning=settings[table.PersistentCGIWarning],
        binding=settings[table.PersistentCGIBind],
        denied=matcher(settings[table.PersistentCGIDeny]),
        most_per_user=settings[table.MaxPersistentCGIPerUser],
        most_per_client=settings[table.MaxPersistentCGIPerClient],
        rate=settings[table.PersistentCGIClientRate],
        fresh_when_expired=settings[table.PersistentCGIExpired] == "fresh",
        body_limit=settings[table.LimitRequestBody],
        hosted=choice is not None,
        shared=settings[table.PersistentCGIShared] == "On" and not nph,
        most_sessions=settings[table.PersistentCGISharedSessions],
        nph=nph,
        pass_auth=settings[table.CGIPassAuth] == "On",
        access=access_of(settings),
        path_info=settings[table.AcceptPathInfo] != "Off",
        context=context,
        translate=translation(host).file,
        called=_called(host, own_name.encode()) if own_name and host.aliases else None,
        keeps_output=settings[table.ScriptLog] is not None,
        conditions=conditions(settings),
        steady=not conditions(settings) and not host.settings[table.AliasMatch],
        ahead=host_group(settings, choice, accounts[host.key]),
        identity=accounts[host.key],
        process_limits=process_limits(settings),
    )


def _called(host: Host, canonical: bytes) -> Callable[[bytes], bytes]:
    """SERVER_NAME for a Host header: the name that the client used, if it is one of the host's."""

    @lru_cache(_REMEMBERED)
    def called(header: bytes) -> bytes:
        name = server_name(header)
        return name if name is not None and host.answers_to(name.decode("ascii")) else canonical

    return called


def _argv(file: str, choice: HostChoice | None) -> tuple[str, ...]:
    if choice is None:
        return (file,)
    return (*hosts.KINDS[choice.kind].command(choice.option("interpreter")), file)
