"""Ending and prolonging sessions by hand."""

import asyncio
import time

from gateway.control.facts import state
from gateway.control.seek import Refusal
from gateway.directives.problems import Malformed
from gateway.directives.readers.units import format_time, parse_time
from gateway.errors import Busy
from gateway.keeper.reasons import Reason
from gateway.sessions.call import Call
from gateway.sessions.exchange import Fault
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session

TEXT = "HTS006 ended by the administrator"
PATIENCE = 5.0  # seconds for a request that cannot be given up
_POLL = 0.02


async def end(registry: Registry, session: Session) -> None:
    """End a session (T3). A request of it that runs is given up: its client gets 503, or a cut response. One in
    a shared instance is waited for, as giving it up would end the other sessions too, and so is one whose
    client is still taking a finished response. Raises Refusal."""
    fault = Fault(Reason.CLOSED, TEXT, answer=Busy)
    bound = time.monotonic() + PATIENCE
    while state(session) == "busy":
        call = session.instance.call
        if session.instance.shared is None and isinstance(call, Call) and not call.exchange.over:
            call.fail(fault)
            return
        if time.monotonic() > bound:
            raise Refusal(409, f"{session.id}: a request of it runs and cannot be given up. Try again later")
        await asyncio.sleep(_POLL)
    if session not in registry.sessions.get(session.instance.id, ()):
        raise Refusal(404, f"{session.id}: it has ended, or gone to another front, meanwhile")
    registry.end_session(session, fault)


def extend(registry: Registry, session: Session, text: str) -> None:
    """The session lives so long from now on, at most MaxPersistentCGITimeout. Raises Refusal."""
    try:
        seconds = parse_time(text)
    except Malformed as error:
        raise Refusal(400, f"TIME: {error}") from None
    most, wanted = session.program.limits.max_timeout, format_time(seconds)
    if seconds > most:
        bound = f"MaxPersistentCGITimeout, {format_time(most)}"
        raise Refusal(409, f"{session.id}: expected at most {bound}, found {wanted}")
    if state(session) != "idle":
        raise Refusal(409, f"{session.id}: a request of it runs; its clock begins anew when that is over")
    left = session.deadline - time.monotonic()
    if seconds <= left:
        raise Refusal(409, f"{session.id}: it has {round(left)} s left already, no less than {wanted}")
    registry.prolong(session, seconds)
