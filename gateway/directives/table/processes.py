"""Processes: who programs run as, and what they may use."""

from __future__ import annotations

from gateway.directives.directive import Directive, directive
from gateway.directives.readers import processes, values
from gateway.directives.readers.processes import ResourceLimit, UserGroup

_LIMITED = (
    " `max` is the most that the gateway itself may use. The first limit is the one that counts, the second "
    "the one to which a program may raise it (without it: as far as the gateway may). For programs, hosts and "
    "their children."
)

RLimitCPU: Directive[ResourceLimit | None] = directive(
    "RLimitCPU",
    processes.LimitReader(),
    default=None,
    contexts="SVD",
    origin="Apache",
    help="Seconds of processor time of each process; one that uses more is ended by SIGXCPU." + _LIMITED,
)
RLimitMEM: Directive[ResourceLimit | None] = directive(
    "RLimitMEM",
    processes.LimitReader(size=True),
    default=None,
    contexts="SVD",
    origin="Apache",
    help="Bytes of address space of each process; one that wants more is refused it." + _LIMITED,
)
RLimitNPROC: Directive[ResourceLimit | None] = directive(
    "RLimitNPROC",
    processes.LimitReader(),
    default=None,
    contexts="SVD",
    origin="Apache",
    help="Processes of the user as whom the program runs, all of them counted; root has no limit." + _LIMITED,
)
User: Directive[str | None] = directive(
    "User",
    processes.AccountReader("user"),
    default=None,
    contexts="SV",
    origin="Apache",
    help="Works when root starts the gateway. In the main server: requests are answered, and programs run, as "
    "this user; only the keeper, which listens and starts programs, stays root. In a virtual host: its "
    "programs run as this user. When somebody else starts it: a notice, and an error in a virtual host.",
)
Group: Directive[str | None] = directive(
    "Group",
    processes.AccountReader("group"),
    default=None,
    contexts="SV",
    origin="Apache",
    help="The group that goes with User; without it the user's own. Other groups of the user come with it.",
)
SuexecUserGroup: Directive[UserGroup | None] = directive(
    "SuexecUserGroup",
    processes.UserGroupReader(),
    default=None,
    contexts="SV",
    origin="Apache",
    help="Programs run as this user and group, under the rules of Apache's suexec: both exist and have numbers "
    "from 100 on; the program and its folder belong to them, nobody else may write there, the program is a "
    "regular file (no link, not setuid) below ServerRoot, DocumentRoot or the target of an alias; PATH is the "
    "default one, and of other variables only those of a request and of SetEnv, PassEnv and SetEnvIf are "
    "passed. A program that breaks a rule is answered with 500, and the log says which. Only when root starts "
    "the gateway. It goes before User.",
)
CGINoNewPrivileges: Directive[str] = directive(
    "CGINoNewPrivileges",
    values.Choice(("On", "Off")),
    default="On",
    contexts="S",
    origin="ours",
    help="Nothing that the gateway starts can gain privileges: setuid and setgid files run without them "
    "(PR_SET_NO_NEW_PRIVS). Programs that call sudo, or send mail by a setgid sendmail or postdrop, need Off. "
    "It cannot be taken back: Off after On works at the next start.",
)
