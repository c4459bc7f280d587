"""What a response asks for, judged when its head has come; while two fronts serve, by the keeper too."""

import asyncio

from gateway.keeper.reasons import Reason
from gateway.keeper.table import LONGEST_OWNER, session_key
from gateway.logs.error import ErrorLog
from gateway.protocol.events import Advice, Head
from gateway.sessions.call import Call
from gateway.sessions.decision import Asked, Outcome, ask
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session

_KEPT_HEADERS = ((b"referrer-policy", b"same-origin"), (b"cache-control", b"no-store"))  # W3


class Judge:
    """`decide` is what a Call asks."""

    def __init__(self, registry: Registry, log: ErrorLog) -> None:
        self._registry, self._log = registry, log
        self._advised: set[tuple[bytes, str]] = set()

    def decide(self, call: Call, head: Head) -> "asyncio.Future[None] | None":
        """Judge the gateway headers; a future while the keeper is asked."""
        session, advice = call.session, head.advice
        if session is not None and _same_again(call, session, advice):
            self._registry.renew(call, session.handles.current, session.renewed[1])
            _protect(call, head)
            return None
        asked = self._ask(call, advice)
        for text in asked.advice:
            self._advise(call, text)
        if self._registry.overlap and asked.outcome is Outcome.KEEP:
            return asyncio.ensure_future(self._ask_keeper(call, head, asked))
        self._apply(call, head, asked)
        return None

    def _ask(self, call: Call, advice: Advice) -> Asked:
        registry, program, session = self._registry, call.program, call.session
        asked = ask(
            advice,
            program.limits,
            own=None if session is None else tuple(session.handles.accepted),
            segment=call.segment,
            taken=lambda handle: registry.store.find(program.name, handle) is not None,
            full=lambda: registry.persistent >= registry.limits.persistent,
            never_kept=call.never_kept,
            nph=program.nph,
        )
        if session is None and asked.outcome is Outcome.KEEP and len(call.user or b"") > LONGEST_OWNER:
            text = "HTS005 the name of the user is too long for an owner of a session"
            return asked._replace(outcome=Outcome.REFUSED, log=text)
        return asked

    async def _ask_keeper(self, call: Call, head: Head, asked: Asked) -> None:
        key, newcomer = session_key(*call.program.name, asked.handle), call.session is None
        link, limit = self._registry.link, self._registry.limits.persistent
        message = await link.claim(call.instance.id, key, newcomer=newcomer, limit=limit)
        answer = message.fields["answer"]
        if answer == "taken":
            asked = asked._replace(outcome=Outcome.REFUSED, log="HTS001 the handle is not unique")
        elif answer == "limit":
            asked = asked._replace(outcome=Outcome.LIMIT, log="HTS003 MaxPersistentCGI is reached")
        if call.instance.call is call:  # else the call has failed meanwhile
            self._apply(call, head, asked)

    def _apply(self, call: Call, head: Head, asked: Asked) -> None:
        call.asked = asked
        if asked.outcome is Outcome.KEEP:
            self._registry.renew(call, asked.handle, asked.timeout)
            if call.session is not None:
                call.session.renewed = head.advice, asked.timeout
            _protect(call, head)
        elif asked.log:
            self._refuse(call, asked)

    def _refuse(self, call: Call, asked: Asked) -> None:
        """What is not kept is remembered where R4 says so; a session's own end is logged when it comes."""
        if call.session is None:
            level = "info" if asked.outcome is Outcome.END else "warn"
            self._registry.say(level, asked.log, call.program, asked.handle)
        own = [] if call.session is None else call.session.handles.accepted
        reason = {Outcome.LIMIT: Reason.LIMIT, Outcome.END: Reason.ENDED}.get(asked.outcome)
        if reason is not None and asked.handle and asked.handle not in own:
            key = session_key(*call.program.name, asked.handle)
            self._registry.store.retired.add(key, reason, asked.timeout)

    def _advise(self, call: Call, text: str) -> None:
        """HTS008 and HTS010, once per program and kind (H6)."""
        if (call.program.cgi_name, text) not in self._advised:
            self._advised.add((call.program.cgi_name, text))
            self._log("warn", f"{text}: {call.program.text}", host=call.program.name[0])


def _same_again(call: Call, session: Session, advice: Advice) -> bool:
    """Whether the response repeats what was granted last time, under the same settings."""
    return (
        advice.handle == session.handles.accepted[0]
        and advice == session.renewed[0]
        and call.program is session.program
    )


def _protect(call: Call, head: Head) -> None:
    """The page carries a handle: headers that keep it from leaking, unless the program set its own (W3)."""
    present = [name for name, _ in head.headers]
    call.extra_headers = [pair for pair in _KEPT_HEADERS if pair[0] not in present]
