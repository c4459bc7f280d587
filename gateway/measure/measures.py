"""The measures of one front since it began to serve. There are none where no directive asks for them.

`answered` runs once a request and takes about a microsecond.
"""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING

from gateway.measure.histogram import Histogram

if TYPE_CHECKING:
    from gateway.request.incoming import Record
    from gateway.sessions.call import Call

SESSION, FIRST, OTHER = "session", "first", "other"
COLD, WARM = "cold", "warm"


class Measures:
    """`requests`: to living sessions, first ones (of no session yet), and others (files, redirects, refusals);
    what `program` and `gateway` took of those of the first two kinds; `answers` of programs by the first digit
    of their status, `refusals` of the gateway's own by status; `queued` for a session or a start; `starts`:
    from the order to the head of the first response; `keeper`: from question to answer, by message; `lag` of
    the event loop."""

    __slots__ = (
        "_times", "answers", "gateway", "keeper", "lag", "program", "queued", "refusals", "requests", "starts",
    )  # fmt: skip

    def __init__(self) -> None:
        self.requests = {SESSION: 0, FIRST: 0, OTHER: 0}
        self.program = {SESSION: Histogram(), FIRST: Histogram()}
        self.gateway = {SESSION: Histogram(), FIRST: Histogram()}
        self._times = {
            newcomer: (self.program[kind], self.gateway[kind])
            for newcomer, kind in ((False, SESSION), (True, FIRST))
        }
        self.answers: Counter[int] = Counter()
        self.refusals: Counter[int] = Counter()
        self.queued = {"session": Histogram(), "start": Histogram()}
        self.starts = {COLD: Histogram(), WARM: Histogram()}
        self.keeper: dict[str, Histogram] = {}
        self.lag = Histogram()

    def started(self, call: Call) -> None:
        """The head of the first response of an instance has come."""
        instance = call.instance
        self.starts[WARM if instance.warm else COLD].add(call.since - instance.ordered)

    def asked_keeper(self, message: str, seconds: float) -> None:
        """The keeper has answered a question."""
        histogram = self.keeper.get(message)
        if histogram is None:
            histogram = self.keeper[message] = Histogram()
        histogram.add(seconds)

    def answered(self, record: Record, came: float) -> None:
        """A request is over, whose head had come at `came` (monotonic)."""
        call, waited = record.call, record.waited
        if waited:
            self.queued["start" if record.matched is None else "session"].add(waited)
        if call is None:
            self.requests[OTHER] += 1
            return
        exchange, newcomer = call.exchange, call.newcomer
        self.requests[FIRST if newcomer else SESSION] += 1
        head = exchange.head
        if head is not None:
            self.answers[head.status // 100] += 1
        if record.before is None:  # else more than one program, and a way through the gateway for each
            now = time.monotonic()
            took = (call.ended or now) - (call.instance.ordered if exchange.first else call.began)
            own = now - came - took - waited - record.received
            program, gateway = self._times[newcomer]
            program.add(took)
            gateway.add(own if own > 0.0 else 0.0)
