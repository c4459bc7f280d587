"""Why a session is alive, and what will end it, in words."""

from collections.abc import Iterator

from gateway.directives.readers.units import format_time
from gateway.sessions.session import Session

_A_MOMENT = 1.0  # seconds: a new front draws both times up anew
_PROLONGED = "it was given more time since; "


def alive(session: Session, doing: str, left: float | None) -> str:
    """One sentence; `doing` and `left` are those of `facts.of_session`."""
    granted = format_time(round(session.timeout, 3))
    if doing == "busy":
        return f"a request runs; its clock stands (T1) and begins anew, at {granted}, with the response"
    if doing == "waiting":
        return "a request waits for the process, which serves another session; its clock stands (T1)"
    return (
        f"its last response asked to be kept, and {granted} were granted; "
        f"{_PROLONGED if prolonged(session) else ''}{round(left or 0)} s are left now"
    )


def prolonged(session: Session) -> bool:
    """Whether its deadline was moved since its last response: by `gateway extend`, the status page, or its user
    (PersistentCGIWarning). Of a shared instance's it is not known: their clocks stand while requests wait."""
    return session.instance.shared is None and session.deadline > session.rested + session.timeout + _A_MOMENT


def ends(session: Session, doing: str, left: float | None) -> Iterator[str]:
    """What will end it, or would, the first to come first."""
    program, instance = session.program, session.instance
    if doing == "idle":
        yield f"the time-out in {round(left or 0)} s, unless a request comes first (HTS002)"
    if doing == "busy":
        limit = format_time(program.script_timeout)
        yield f"CGIScriptTimeout, if program and client both do not move for {limit} (HTS009)"
    yield "a response without Accept-HTSession, or with HTTimeout: 0 (HTS006)"
    cause = "the exit of its process (HTS007)"
    if instance.shared is not None:
        cause += ", with all its other sessions"
    yield cause
    if program.process_limits:
        named = ", ".join(
            f"{name} {soft if soft is not None else 'max'}" for name, soft, _ in program.process_limits
        )
        yield f"its process's limits: {named}"
    yield "`gateway end`, a reload that takes its cgi-name away (HTS006), and the stop of the gateway (HTS013)"
