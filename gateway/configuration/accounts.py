"""Users, groups and limits: what the directives file says as numbers, and what is wrong with it here."""

from __future__ import annotations

import grp
import os
import pwd
import resource
import stat
from collections.abc import Iterator

from gateway.directives import table
from gateway.directives.assemble import Scope
from gateway.directives.problems import Malformed, Notice, Place, Problem, shown
from gateway.directives.readers.processes import UserGroup
from gateway.directives.settings import Assignment, Settings, collect
from gateway.keeper.identity import Identity
from gateway.keeper.suexec import broken_account_rule

_NOT_ROOT = "expected a gateway that root has started, found one of user"
_LIMITS = (
    (table.RLimitCPU, "cpu", resource.RLIMIT_CPU),
    (table.RLimitMEM, "memory", resource.RLIMIT_AS),
    (table.RLimitNPROC, "processes", resource.RLIMIT_NPROC),
)
_ACCESS = {
    os.X_OK: (stat.S_IXUSR, stat.S_IXGRP, stat.S_IXOTH),
    os.R_OK: (stat.S_IRUSR, stat.S_IRGRP, stat.S_IROTH),
}


def program_identity(settings: Settings) -> Identity | None:
    """As whom the programs of a (virtual) host run; None: as whoever started the gateway. Raises Malformed."""
    if os.geteuid():
        return None
    suexec = settings[table.SuexecUserGroup]
    if suexec is not None:
        return _suexec_identity(suexec)
    user, group = settings[table.User], settings[table.Group]
    return None if user is None else _identity(user, group)


def _identity(user: str, group: str | None) -> Identity | None:
    uid, name, gid = _user(user)
    if not uid:
        return None
    if group is not None:
        gid = _group(group)
    if gid is None:
        raise Malformed("a Group beside a User that the machine does not know", shown([user]))
    return Identity(uid, gid, _groups(name, gid))


def _suexec_identity(value: UserGroup) -> Identity:
    uid, name, _ = _user(value.user)
    if name is None:
        raise Malformed("a user of this machine", shown([value.user]))
    gid = _group(value.group, known=True)
    return Identity(uid, gid, _groups(name, gid), suexec=True)


def _user(word: str) -> tuple[int, str | None, int | None]:
    """Number, name and own group; a number need not be known."""
    try:
        entry = pwd.getpwuid(int(word[1:])) if word.startswith("#") else pwd.getpwnam(word)
    except (KeyError, OverflowError):
        if word.startswith("#"):
            return int(word[1:]), None, None
        raise Malformed("a user of this machine", shown([word])) from None
    return entry.pw_uid, entry.pw_name, entry.pw_gid


def _group(word: str, *, known: bool = False) -> int:
    try:
        return (grp.getgrgid(int(word[1:])) if word.startswith("#") else grp.getgrnam(word)).gr_gid
    except (KeyError, OverflowError):
        if word.startswith("#") and not known:
            return int(word[1:])
        raise Malformed("a group of this machine", shown([word])) from None


def _groups(name: str | None, gid: int) -> tuple[int, ...]:
    return (gid,) if name is None else tuple(sorted(os.getgrouplist(name, gid)))


def process_limits(settings: Settings) -> tuple[tuple[str, int | None, int | None], ...]:
    """RLimitCPU, RLimitMEM and RLimitNPROC where they are set: (name, soft, hard), None for `max`."""
    values = ((name, settings[row]) for row, name, _ in _LIMITS)
    return tuple((name, *value) for name, value in values if value is not None)


def permitted(file: str, access: int, identity: Identity | None) -> bool:
    """Whether a program may be executed (X_OK) or read (R_OK) by who will run it, as far as its mode says."""
    if identity is None or identity.uid == os.geteuid():
        return os.access(file, access)
    status = os.stat(file)
    owner, group, others = _ACCESS[access]
    if status.st_uid == identity.uid:
        wanted = owner
    else:
        wanted = group if status.st_gid in (identity.gid, *identity.groups) else others
    return bool(status.st_mode & wanted)


# ---- at load


def problems(main: Scope) -> Iterator[Problem]:
    """Users and groups that are not there, or that nobody but root can start programs as."""
    for scope in (main, *main.hosts):
        for one in scope.assignments:
            if one.row in (table.User, table.Group, table.SuexecUserGroup):
                yield from _problems(one, inner=scope is not main)
        yield from _group_alone(main, scope)


def _problems(one: Assignment, *, inner: bool) -> Iterator[Problem]:
    if os.geteuid():
        if inner or one.row is table.SuexecUserGroup:
            yield Problem(one.place, f"{one.row.name}: {_NOT_ROOT} {_own_name()}")
        return
    try:
        if isinstance(one.value, UserGroup):
            rule = broken_account_rule(_suexec_identity(one.value))
            if rule is not None:
                raise Malformed("a user and group whom suexec accepts", f"{shown(one.value)} ({rule})")
        elif one.row is table.Group:
            _group(one.value)
        elif not _user(one.value)[0] and inner:
            raise Malformed("another user than root", shown([one.value]))
    except Malformed as error:
        yield Problem(one.place, f"{one.row.name}: {error}")


def _group_alone(main: Scope, scope: Scope) -> Iterator[Problem]:
    """A Group without a User, a User whose group nobody knows."""
    own = collect(scope.assignments)
    settings = own if scope is main else collect(main.assignments).changed_by(own)
    row = next((row for row in (table.User, table.Group) if row in own), None)
    if row is None or os.geteuid():
        return
    user = settings[table.User]
    if user is None:
        yield Problem(own.place(row), f"{row.name}: expected a User beside it, found none")
    elif settings[table.Group] is None and user.startswith("#") and _user(user)[1] is None:
        text = f"{row.name}: expected a Group beside a number that is no user's, found none"
        yield Problem(own.place(row), text)


def runs_as_root(path: str, settings: Settings) -> Iterator[Notice]:
    """A notice if root starts the gateway and the main server (its settings) names no other User."""
    user = settings[table.User]
    if not os.geteuid() and (user is None or not _user(user)[0]):
        place = Place(path, 0) if user is None else settings.place(table.User)
        yield Notice(place, "requests are answered, and programs run, as root: there is no other User")


def without_effect(main: Scope) -> Iterator[Notice]:
    """A notice for User and Group of the main server: not root starts the gateway, nor they."""
    settings = collect(main.assignments)
    for row, current in ((table.User, _own_user()), (table.Group, _own_group())):
        if os.geteuid() and row in settings and settings[row] not in current:
            text = f"{row.name} has no effect here: it is not root who starts the gateway, but {_own_name()}"
            yield Notice(settings.place(row), text)


def capped_limits(assignments: list[Assignment]) -> Iterator[Notice]:
    """A notice for each limit above the gateway's own, which only root can raise."""
    for one in assignments if os.geteuid() else ():
        for row, _, number in _LIMITS:
            most = resource.getrlimit(number)[1]
            wanted = max(limit or 0 for limit in one.value) if one.row is row else 0
            if most != resource.RLIM_INFINITY and wanted > most:
                yield Notice(one.place, f"{row.name} is capped by the gateway's own limit, {most}")


def _own_user() -> tuple[str, ...]:
    return (_own_name(), f"#{os.geteuid()}")


def _own_name() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"#{os.geteuid()}"


def _own_group() -> tuple[str, ...]:
    gid = os.getegid()
    try:
        return (grp.getgrgid(gid).gr_name, f"#{gid}")
    except KeyError:
        return (f"#{gid}",)
