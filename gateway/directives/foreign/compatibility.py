"""What the gateway makes of Apache's modules, and of the directives that are not its own (spec 3, "Rules")."""

from __future__ import annotations

import re
from collections.abc import Container

_SERVED = (
    "core http_core mod_access mod_access_compat mod_alias mod_auth mod_auth_basic mod_authn_core "
    "mod_authn_file mod_authz_core mod_authz_groupfile mod_authz_host mod_authz_user mod_cgi mod_cgid mod_dir "
    "mod_env mod_log_config mod_logio mod_mime mod_remoteip mod_reqtimeout mod_setenvif mod_so mod_ssl "
    "mod_status mod_suexec mod_unique_id mod_unixd mod_version"
)
MODULES = frozenset(_SERVED.split())
VERSION = (2, 4, 58)  # the Apache whose syntax is read, for IfVersion
_TLS = "mod_ssl"
_IDENTIFIERS = {"core_module": "core", "http_module": "http_core"}
_WITHOUT_WORK = ("mod_mpm_", "mod_socache_", "mod_slotmem_", "mod_watchdog", "mod_systemd", "mod_access_compat")
_GUARDS = re.compile(
    r"require|order|allow|deny|satisfy|authtype|passwdfile|sslrequire\w*|sslverifyclient|allowmethods|sec(rule|action)\w*"
    r"|requireall|requireany|requirenone|limit|limitexcept"
)
_FORBIDDING = re.compile(r"\[[^]]*\b(F|forbidden)\b[^]]*\]\s*\Z")


def module(name: str) -> str:
    """The one name of a module that is written `mod_dir.c`, `mod_dir` or `dir_module`."""
    base = name.lower().removesuffix(".c")
    if base.endswith("_module"):
        base = _IDENTIFIERS.get(base, "mod_" + base.removesuffix("_module"))
    return base


def module_served(name: str, loaded: Container[str] = ()) -> bool:
    """True for a module whose work the gateway does; TLS is only done for a file that loads modules if it
    is `loaded`, since Debian's ports.conf would open port 443 without it."""
    base = module(name)
    return base in MODULES and (base != _TLS or not loaded or base in loaded)


def module_missed(name: str) -> bool:
    """True for a module that adds something to Apache which the gateway does not do."""
    base = module(name)
    return base not in MODULES and not base.startswith(_WITHOUT_WORK)


def guards(name: str, arguments: str) -> bool:
    """True for a directive or section that keeps somebody out."""
    if name.lower() == "rewriterule":
        return _FORBIDDING.search(arguments) is not None
    return _GUARDS.fullmatch(name.lower()) is not None
