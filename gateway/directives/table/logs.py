"""Logs."""

from __future__ import annotations

from collections.abc import Mapping

from gateway.directives.directive import Directive, directive
from gateway.directives.readers import lists, logs, values
from gateway.directives.readers.logs import AccessLog, Levels

LOG_LEVELS = logs.LEVELS

ErrorLog: Directive[str] = directive(
    "ErrorLog",
    values.Path("file|stderr", words=("stderr",)),
    default="stderr",
    contexts="SV",
    origin="Apache",
    paths=values.folder_of,
    help="Where errors, notices and the programs' standard error go; a virtual host's own goes to its own. The "
    "folder must exist; USR1 opens the file anew.",
)
LogLevel: Directive[Levels] = directive(
    "LogLevel",
    logs.LevelsReader(),
    default={"": logs.DEFAULT_LEVEL},
    contexts="SV",
    origin="Apache",
    merging=logs.LEVELS_MERGED,
    help="The least important messages that are still logged, of all modules or of one. The gateway's modules "
    "are `cgi`, `core` and `http`; others are accepted. `trace1` to `trace8` are as good as `debug`.",
)
LogFormat: Directive[Mapping[str, str]] = directive(
    "LogFormat",
    logs.FormatReader(),
    default={},
    contexts="SV",
    origin="Apache",
    merging=lists.UPDATED,
    help="A form of lines for CustomLog, under a name; without a name, for TransferLog. There are `common`, "
    "`combined`, `vhost_combined` and `json` (one object a line). All codes of mod_log_config and mod_logio "
    "are known. Logged as `-`, since the gateway does not know it: `%l`, `%L`, `%{…}n`, `%{…}^ti`, `%{…}^to`, "
    "`%^FB`. `%{…}e` are variables of SetEnv, PassEnv and SetEnvIf. The gateway's own: `%{HTSESSION}x`, the "
    "masked handle of the request's session; `%{HTSESSION_STATE}x`, `started`, `continued`, `ended`, or why it "
    "was over; `%{HTSESSION_REQUEST}x`, the request's number in it; `%{PROGRAM_TIME}x`, microseconds from when "
    "the program was handed out until its response was over; `%{QUEUE_TIME}x`, microseconds in queues. Handles "
    "of sessions are masked; credentials show their scheme only.",
)
CustomLog: Directive[tuple[AccessLog, ...]] = directive(
    "CustomLog",
    logs.CustomLogReader(),
    default=(),
    contexts="SV",
    origin="Apache",
    merging=lists.COLLECTED,
    paths=logs.folders,
    help="A log with a line for each request, written when its response is over. A virtual host with one of "
    "its own does not write the main server's. `env=` wants a variable of SetEnv or SetEnvIf to be there, "
    "or with `!` not to be. The folder must exist; USR1 opens the file anew. The file's mode is 0640.",
)
TransferLog: Directive[tuple[AccessLog, ...]] = directive(
    "TransferLog",
    logs.TransferLogReader(),
    default=(),
    contexts="SV",
    origin="Apache",
    merging=lists.COLLECTED,
    into=CustomLog,
    paths=logs.folders,
    help="As CustomLog, in the form of the LogFormat without a name, else `common`.",
)
SessionLog: Directive[str | None] = directive(
    "SessionLog",
    logs.FileReader(),
    default=None,
    contexts="SV",
    origin="ours",
    paths=logs.folder,
    help="A line of JSON for each session that is over: whose it was, from when to when, why it ended, "
    "requests, bytes, CPU time, memory. A virtual host with one of its own does not write the main server's. "
    "Handles are masked. The folder must exist; USR1 opens the file anew. See docs/operations.md, Accounting.",
)
ScriptLog: Directive[str | None] = directive(
    "ScriptLog",
    values.Path("file"),
    default=None,
    contexts="SV",
    origin="Apache",
    paths=lambda value: values.folder_of(value or ""),
    help="Request, response and standard error of each program that could not be started or did not answer "
    "properly, in Apache's form: for finding errors in programs. Handles, cookies and credentials are masked.",
)
ScriptLogLength: Directive[int] = directive(
    "ScriptLogLength",
    values.Size(),
    default=10385760,
    contexts="SV",
    origin="Apache",
    help="A ScriptLog that has so many bytes is not written any more.",
)
ScriptLogBuffer: Directive[int] = directive(
    "ScriptLogBuffer",
    values.Size(),
    default=1024,
    contexts="SV",
    origin="Apache",
    help="How many bytes of a request's body ScriptLog keeps (of a program's output 8192).",
)
