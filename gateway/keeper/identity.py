"""Who a process is: giving up root for good, and giving up the means of becoming somebody else."""

import ctypes
import os
from collections.abc import Callable, Sequence
from typing import NamedTuple

from gateway.logs.error import ErrorLog

_PR_SET_NO_NEW_PRIVS, _PR_GET_NO_NEW_PRIVS = 38, 39  # linux/prctl.h
Step = tuple[str, Callable[[], object]]


class Identity(NamedTuple):
    """User, group and supplementary groups by number; `suexec`: its programs obey the rules of suexec."""

    uid: int
    gid: int
    groups: tuple[int, ...]
    suexec: bool = False


def identity_of(fields: Sequence[int | bool | Sequence[int]] | None) -> Identity | None:
    """An identity as a message of the link carries it. Raises ValueError, TypeError."""
    if fields is None:
        return None
    uid, gid, groups, suexec = fields
    if not isinstance(uid, int) or not isinstance(gid, int) or not isinstance(groups, list):
        raise ValueError(f"not an identity: {fields!r}")
    return Identity(uid, gid, tuple(map(int, groups)), bool(suexec))


def steps(identity: Identity) -> list[Step]:
    """What makes a process of root's another's, in the only order that works, each step by its name.

    The last one raises PermissionError when anything of root is left.
    """
    uid, gid = identity.uid, identity.gid
    return [
        ("setgroups", lambda: os.setgroups(identity.groups)),
        ("setgid", lambda: os.setresgid(gid, gid, gid)),
        ("setuid", lambda: os.setresuid(uid, uid, uid)),
        ("the check of who it is", lambda: _check(identity)),
    ]


def assume(identity: Identity) -> None:
    """Become this identity for good. Raises OSError."""
    for _, action in steps(identity):
        action()


def _check(identity: Identity) -> None:
    uid, gid = identity.uid, identity.gid
    if os.getresuid() != (uid,) * 3 or os.getresgid() != (gid,) * 3:
        raise PermissionError(1, f"still {os.getresuid()}, {os.getresgid()}")
    if set(os.getgroups()) != set(identity.groups):
        raise PermissionError(1, f"still in the groups {os.getgroups()}")
    if uid and _can_return():
        raise PermissionError(1, "root can be had again")


def _can_return() -> bool:
    try:
        os.setuid(0)
    except PermissionError:
        return False
    return True


def no_new_privileges() -> None:
    """From now on neither this process nor any that it starts gains privileges by execve. Raises OSError."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def gains_privileges() -> bool:
    """Whether setuid files still have their effect on what this process starts."""
    return not _prctl(_PR_GET_NO_NEW_PRIVS, 0)


def limit_privileges(log: ErrorLog, *, wanted: bool) -> None:
    """CGINoNewPrivileges: inherited by all that is started from now on. Raises OSError."""
    if wanted:
        no_new_privileges()
    elif not gains_privileges():
        text = "CGINoNewPrivileges Off works at the next start: privileges that were given up stay so"
        log("warn", text, module="core")


def _prctl(option: int, argument: int) -> int:
    zero = ctypes.c_ulong(0)
    result: int = ctypes.CDLL(None, use_errno=True).prctl(option, ctypes.c_ulong(argument), zero, zero, zero)
    if result < 0:
        raise OSError(ctypes.get_errno(), "prctl")
    return result


def is_roots(pid: int) -> bool:
    """Whether every user id of a process is root's, as the kernel tells."""
    with open(f"/proc/{pid}/status") as status:
        line = next((line for line in status if line.startswith("Uid:")), "")
    return line.split()[1:] == ["0"] * 4
