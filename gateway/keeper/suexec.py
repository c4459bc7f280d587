"""The rules of suexec (Apache HTTP Server documentation, "suEXEC Security Model"), applied by the keeper.

Its caller is a front, which may have been broken into: what is checked here is what will be started.
"""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence

from gateway.keeper.identity import Identity

LEAST_UID = LEAST_GID = 100  # as Debian and Apache build suexec: system accounts are below
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
_SET_ID = stat.S_ISUID | stat.S_ISGID

# The variables of a request: RFC 3875, section 4.1, and what Apache, the gateway and IBM's original add
_SAFE_PREFIXES = (b"HTTP_", b"SSL_", b"HTSESSION_", b"REDIRECT_")
_SAFE_NAMES = frozenset(
    b"AUTH_TYPE CONTENT_LENGTH CONTENT_TYPE CONTEXT_DOCUMENT_ROOT CONTEXT_PREFIX DOCUMENT_ROOT "
    b"GATEWAY_INTERFACE HTTPS PATH_INFO PATH_TRANSLATED QUERY_STRING QZHBNEXT_SESSION_HANDLE REMOTE_ADDR "
    b"REMOTE_HOST REMOTE_IDENT REMOTE_PORT REMOTE_USER REQUEST_METHOD REQUEST_SCHEME REQUEST_URI "
    b"SCRIPT_FILENAME SCRIPT_NAME SERVER_ADDR SERVER_ADMIN SERVER_NAME SERVER_PORT SERVER_PROTOCOL "
    b"SERVER_SOFTWARE UNIQUE_ID".split()
)


def safe_environ(
    environ: Mapping[bytes, bytes], named: frozenset[bytes], fixed: Mapping[bytes, bytes]
) -> dict[bytes, bytes]:
    """The variables of a request and those that the directives file names; `fixed` has the last word."""
    safe = {
        name: value
        for name, value in environ.items()
        if name in _SAFE_NAMES or name in named or name.startswith(_SAFE_PREFIXES)
    }
    return {**safe, **fixed}


def broken_account_rule(identity: Identity) -> str | None:
    """Why nothing may run as this user and group; None when it may."""
    if identity.uid < LEAST_UID:
        return f"user {identity.uid} is below {LEAST_UID}: root and system users are refused"
    if identity.gid < LEAST_GID:
        return f"group {identity.gid} is below {LEAST_GID}: root's and system groups are refused"
    return None


def broken_rule(
    file: bytes, directory: bytes, identity: Identity, roots: Sequence[bytes], *, executed: bool
) -> str | None:
    """Why this program may not run as this user; None when it may. `executed`: by itself, not by a host."""
    folder = os.path.dirname(file)
    if file != os.path.normpath(file) or not file.startswith(b"/") or directory != folder:
        return "its path is not absolute and plain, or is not that of the working directory"
    try:
        real = os.path.realpath(folder, strict=True)
        status = os.stat(real)
        program = os.lstat(os.path.join(real, os.path.basename(file)))
    except OSError as error:
        return f"it cannot be looked at: {error.strerror}"
    if not _below(real, roots):
        return f"{_shown(real)} is not below ServerRoot, DocumentRoot or the target of an alias"
    return (
        broken_account_rule(identity)
        or _folder_rule(real, status, identity)
        or _program_rule(program, identity, executed=executed)
    )


def _folder_rule(folder: bytes, status: os.stat_result, identity: Identity) -> str | None:
    if status.st_mode & _OTHERS_WRITE:
        return f"the folder {_shown(folder)} can be written by others"
    if not _owned(status, identity):
        return f"the folder {_shown(folder)} {_owner(status, identity)}"
    return None


def _program_rule(status: os.stat_result, identity: Identity, *, executed: bool) -> str | None:
    if not stat.S_ISREG(status.st_mode):
        return "it is not a regular file (or a symbolic link)"
    if status.st_mode & _OTHERS_WRITE:
        return "it can be written by others"
    if status.st_mode & _SET_ID:
        return "it is setuid or setgid"
    if not _owned(status, identity):
        return f"it {_owner(status, identity)}"
    if executed and not status.st_mode & stat.S_IXUSR:
        return "its owner may not execute it"
    return None


def _owned(status: os.stat_result, identity: Identity) -> bool:
    return (status.st_uid, status.st_gid) == identity[:2]


def _owner(status: os.stat_result, identity: Identity) -> str:
    return f"belongs to {status.st_uid}:{status.st_gid}, not to {identity.uid}:{identity.gid}"


def _below(folder: bytes, roots: Iterable[bytes]) -> bool:
    reals = (os.path.realpath(root).rstrip(b"/") for root in roots)
    return any(folder == real or folder.startswith(real + b"/") for real in reals)


def _shown(path: bytes) -> str:
    return os.fsdecode(path)
