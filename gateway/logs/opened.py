"""The logs of a front, opened before it serves: error logs, access logs, script logs."""

from typing import NamedTuple

from gateway.configuration.load import Configuration, Host
from gateway.directives import table
from gateway.directives.log_names import format_text
from gateway.directives.readers.logformat import JSON, Part, parse
from gateway.directives.readers.logs import DEFAULT_LEVEL
from gateway.logs.error import ErrorLog, LogFile, LogFiles, Target


class OpenLog(NamedTuple):
    """One CustomLog of a host; `format` None is JSON. `condition` as in AccessLog."""

    file: LogFile
    format: tuple[Part, ...] | None
    condition: str


class Logs(NamedTuple):
    """`access` holds the hosts, by key, that have an access log. `error.files` are all files."""

    error: ErrorLog
    access: dict[str, tuple[OpenLog, ...]]


def targets(configuration: Configuration) -> dict[str, Target]:
    """Where the messages of each host go, the main server under ""."""
    hosts = (configuration.server, *configuration.hosts)
    return {
        host.key: Target(host.settings[table.ErrorLog], {"": DEFAULT_LEVEL, **host.settings[table.LogLevel]})
        for host in hosts
    }


def session_logs(configuration: Configuration) -> dict[str, str | None]:
    """SessionLog of each host, the main server's under "". The keeper writes it."""
    hosts = (configuration.server, *configuration.hosts)
    return {host.key: host.settings[table.SessionLog] for host in hosts}


def open_logs(configuration: Configuration) -> Logs:
    """Open every log of a directives file. Raises OSError."""
    error = ErrorLog()
    error.configure(targets(configuration))
    access: dict[str, tuple[OpenLog, ...]] = {}
    for host in (configuration.server, *configuration.hosts):
        logs = _access_logs(host, error.files)
        if logs:
            access[host.key] = logs
        for path in (host.settings[table.ScriptLog], host.settings[table.SessionLog]):
            if path is not None:
                error.files.open(path)
    return Logs(error, access)


def _access_logs(host: Host, files: LogFiles) -> tuple[OpenLog, ...]:
    opened = []
    for log in host.settings[table.CustomLog]:
        text = format_text(host.settings, log.format)
        parts = None if text == JSON else parse(text)
        opened.append(OpenLog(files.open(log.path), parts, log.condition))
    return tuple(opened)
