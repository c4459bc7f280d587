"""Logs."""

from __future__ import annotations

from gateway.directives import values
from gateway.directives.directive import Directive, directive

LOG_LEVELS = ("emerg", "alert", "crit", "error", "warn", "notice", "info", "debug")

ErrorLog: Directive[str] = directive(
    "ErrorLog",
    values.Path("file|stderr", words=("stderr",)),
    default="stderr",
    contexts="SV",
    origin="Apache",
    paths=values.folder_of,
    help="Where errors, notices and the programs' standard error go.",
)
LogLevel: Directive[str] = directive(
    "LogLevel",
    values.Choice(LOG_LEVELS),
    default="info",
    contexts="SV",
    origin="Apache",
    help="The least important messages that are still logged.",
)
