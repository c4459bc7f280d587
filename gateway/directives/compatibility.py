"""What real Apache and IBM i files hold that has no effect here: accepted, with one notice each (spec 3)."""

from __future__ import annotations

MODULES = frozenset(
    {"core", "http_core", "mod_so", "mod_alias", "mod_cgi", "mod_cgid", "mod_dir", "mod_env", "mod_mime"}
)
_IDENTIFIERS = {"core_module": "core", "http_module": "http_core"}


def module_served(name: str) -> bool:
    """True for a module (`mod_dir.c`, `mod_dir`, `dir_module`) whose work the gateway does."""
    base = name.lower().removesuffix(".c")
    if base.endswith("_module"):
        base = _IDENTIFIERS.get(base, "mod_" + base.removesuffix("_module"))
    return base in MODULES


_REASONS = {
    "the gateway's processes are not Apache's worker processes or threads": (
        "AsyncRequestWorkerFactor MaxClients MaxConnectionsPerChild MaxMemFree MaxRequestsPerChild "
        "MaxRequestsPerThread MaxRequestWorkers MaxSpareServers MaxSpareThreads MinSpareServers "
        "MinSpareThreads ServerLimit StartServers StartThreads ThreadLimit ThreadsPerChild "
        "ThreadStackSize ListenBacklog AcceptMutex Mutex"
    ),
    "CGI programs are started by the keeper, not by Apache's daemon": "ScriptSock",
    "the gateway keeps no such file": "PidFile DefaultRuntimeDir LockFile ScoreBoardFile CoreDumpDirectory",
    "there are no .htaccess files": "AccessFileName AllowOverride AllowOverrideList",
    "names of clients are not looked up": "HostnameLookups IdentityCheck",
    "clients are told nothing about the gateway": "ServerSignature ServerTokens",
    "the method TRACE is not served": "TraceEnable",
    "the name and port of a request are those of its Host": "UseCanonicalName UseCanonicalPhysicalPort",
    "how files are marked is not adjustable": "ContentDigest FileETag",
    "folders are not listed": (
        "AddAlt AddAltByEncoding AddAltByType AddDescription AddIcon AddIconByEncoding AddIconByType "
        "DefaultIcon HeaderName IndexIgnore IndexOptions IndexOrderDefault ReadmeName"
    ),
    "there is no special treatment of old browsers": "BrowserMatch BrowserMatchNoCase",
    "no content is chosen by language or charset": (
        "AddCharset AddLanguage DefaultLanguage ForceLanguagePriority LanguagePriority AddDefaultCharset"
    ),
    "connections are kept alive as HTTP/1.1 says": "KeepAlive MaxKeepAliveRequests",
    "the operating system decides how files are sent": "EnableMMAP EnableSendfile",
    "modules are built in": "AddModule ClearModuleList",
    "text is never converted: programs and clients use the same bytes": (
        "CGIConvMode CGIJobCCSID DefaultFsCCSID DefaultNetCCSID"
    ),
    "programs take their locale from SetEnv (LANG, LC_ALL)": "CGIJobLocale",
    "every program is a process of its own": "CGIMultiThreaded MaxThreadedCGIJobs StartThreadedCGI",
    "there is no job that could be given a URL before its first request": "CgiInitialUrl",
    "programs run as the user of the gateway": "UserID ServerUserID",
    "the restart after a crash is built in": "HotBackup",
    "log files are rotated and removed by other tools": "LogCycle LogLength LogMaint LogMaintHour",
    "the log has one format of time": "LogTime",
    "paths are compared with their letter case": "RuleCaseSense",
    "there is no cache in the kernel": "FRCAEnableFileCache",
}
IGNORED = {name.lower(): (name, reason) for reason, names in _REASONS.items() for name in names.split()}
