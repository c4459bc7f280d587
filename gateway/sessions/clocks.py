"""The two clocks: sessions that nobody calls (T1, T2), programs and clients that do not move (T4, R7).

A session's timer is armed once and looks at the deadline when it fires: a request to a living session
touches no timer. Running calls are looked at by one tick for all.
"""

import asyncio
import time
from collections.abc import Callable
from itertools import islice

from gateway.errors import NoAnswerInTime
from gateway.keeper.reasons import Reason
from gateway.sessions.call import Call
from gateway.sessions.exchange import Fault
from gateway.sessions.session import Session

TICK = 0.25  # seconds
_AT_ONCE, _PAUSE = 16, 0.008  # sessions that end together, and seconds until the next: 2,000 a second


class SessionClock:
    """Calls `expired(session)` when an idle session's deadline has passed."""

    def __init__(self, loop: asyncio.AbstractEventLoop, expired: Callable[[Session], None]) -> None:
        self._loop, self._expired = loop, expired
        self._timers: dict[Session, tuple[float, asyncio.TimerHandle]] = {}
        self._over: dict[Session, None] = {}  # the first to end first

    def arm(self, session: Session) -> None:
        """The session's deadline was set; an earlier timer stays unless it would come too late."""
        armed = self._timers.get(session)
        if armed is not None:
            if armed[0] <= session.deadline:
                return
            armed[1].cancel()
        delay = max(0.0, session.deadline - time.monotonic())
        self._timers[session] = session.deadline, self._loop.call_later(delay, self._due, session)

    def disarm(self, session: Session) -> None:
        """The session is over, or another front's."""
        self._over.pop(session, None)
        armed = self._timers.pop(session, None)
        if armed is not None:
            armed[1].cancel()

    def _due(self, session: Session) -> None:
        del self._timers[session]
        if session.called:
            return  # what comes after the request arms anew
        if session.deadline > time.monotonic():
            self.arm(session)
        else:
            if not self._over:
                self._loop.call_soon(self._end_some)
            self._over[session] = None

    def _end_some(self) -> None:
        """End sessions that have timed out, few at a time: their processes all want a processor when they end,
        and so do requests."""
        now = time.monotonic()
        for session in list(islice(self._over, _AT_ONCE)):
            over = session in self._over  # and has not ended with another
            self._over.pop(session, None)
            if not over or session.called:
                continue
            if session.deadline > now:
                self.arm(session)
            else:
                self._expired(session)
        if self._over:
            self._loop.call_later(_PAUSE, self._end_some)


class CallClock:
    """Looks at all running calls every TICK seconds, while there are any. Time in which the front itself stood
    still counts for nobody: what came meanwhile has not been read."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: set[Call] = set()
        self._ticking = False
        self._looked = 0.0

    def add(self, call: Call) -> None:
        """A call has begun."""
        self._calls.add(call)
        if not self._ticking:
            self._ticking = True
            self._looked = time.monotonic()
            self._loop.call_later(TICK, self._tick)

    def discard(self, call: Call) -> None:
        """A call is over."""
        self._calls.discard(call)

    def running(self) -> list[Call]:
        """The calls under way."""
        return list(self._calls)

    def __len__(self) -> int:
        return len(self._calls)

    def _tick(self) -> None:
        now = time.monotonic()
        stood, self._looked = now - self._looked - TICK, now
        for call in list(self._calls):
            if stood > TICK:
                call.excuse(stood)
            _check(call, now)
        self._ticking = bool(self._calls)
        if self._ticking:
            self._loop.call_later(TICK, self._tick)


def _check(call: Call, now: float) -> None:
    limit = call.program.script_timeout
    if call.undecided:
        return  # it is the keeper's turn
    if call.lost_at and now - call.lost_at > limit:
        text = f"HTS009 the client left, and no end mark came within {limit:g} s (R7)"
        call.fail(Fault(Reason.CRASHED, text))
    elif call.waits_for_client:
        if call.client_moved():
            call.touched()
        elif now - call.since > call.program.timeout:
            call.client_stalled()
    elif call.reading and now - call.since > limit:
        text = f"HTS009 neither read nor wrote for {limit:g} s (T4)"
        call.fail(Fault(Reason.CRASHED, text, answer=NoAnswerInTime))
