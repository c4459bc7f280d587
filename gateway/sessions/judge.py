"""What a response asks for, judged when its head has come; while two fronts serve, by the keeper too."""

import asyncio
from collections.abc import Callable

from gateway.keeper.reasons import Reason
from gateway.keeper.table import LONGEST_OWNER, session_key
from gateway.logs.error import ErrorLog
from gateway.protocol.events import Advice, Head
from gateway.sessions.call import Call
from gateway.sessions.decision import Asked, Outcome, ask
from gateway.sessions.ends import unmarked
from gateway.sessions.lifecycle import State
from gateway.sessions.registry import Registry
from gateway.sessions.session import Granted, Headers, Session
from gateway.sessions.store import shared_key
from gateway.sessions.suspicion import Suspicion

_WANTED = (Outcome.KEEP, Outcome.LIMIT)  # a session, whether it begins or not
_KEPT_HEADERS = ((b"referrer-policy", b"same-origin"), (b"cache-control", b"no-store"))  # W3

_REFUSALS = {
    "taken": (Outcome.REFUSED, "HTS001 the handle is not unique", ""),
    "other": (Outcome.REFUSED, "HTS003 another shared instance of the program serves", ""),
    "limit": (Outcome.LIMIT, "HTS003 MaxPersistentCGI is reached", "MaxPersistentCGI"),
    "full": (
        Outcome.LIMIT,
        "HTS003 there is no place for one more session of a shared instance",
        "PersistentCGISharedSessions",
    ),
}


class Judge:
    """`decide` is what a Call asks."""

    def __init__(self, registry: Registry, log: ErrorLog) -> None:
        self._registry, self._log = registry, log
        self._advised: set[tuple[bytes, str]] = set()
        self._suspicion = Suspicion()

    def decide(self, call: Call, head: Head) -> "asyncio.Future[None] | None":
        """Judge the gateway headers; a future while the keeper is asked."""
        session, advice = call.session, head.advice
        granted = None if session is None else session.granted
        if session is not None and granted is not None and _same_again(call, session, granted, head):
            self._registry.renew(call, session.handles.accepted[0], granted.seconds)
            call.extra_headers = granted.extra if granted.head is head else _protection(head)
            return None
        if call.exchange.first and self._registry.measures is not None:
            self._registry.measures.started(call)
        asked = self._ask(call, advice)
        for text in asked.advice:
            self._advise(call, text)
        one_more = session is None and call.instance.shared is not None
        if asked.outcome is Outcome.KEEP and (self._registry.overlap or one_more):
            return asyncio.ensure_future(self._ask_keeper(call, head, asked))
        self._apply(call, head, asked)
        return None

    def _ask(self, call: Call, advice: Advice) -> Asked:
        registry, program, session = self._registry, call.program, call.session
        limit, full = self._limit(call)
        asked = ask(
            advice,
            program.limits,
            own=None if session is None else tuple(session.handles.accepted),
            segment=call.segment,
            taken=lambda handle: registry.store.find(program.name, handle) is not None,
            full=full,
            limit=limit,
            never_kept=call.head_only or call.guest.unwelcome,
            nph=program.nph,
        )
        return self._admitted(call, asked) if session is None and asked.outcome in _WANTED else asked

    def _admitted(self, call: Call, asked: Asked) -> Asked:
        """Whether a session that is asked for may begin; that it was asked for counts in any case."""
        in_time = call.guest.ticket is None or call.guest.ticket.take()
        if asked.outcome is Outcome.LIMIT:
            return asked
        if len(call.user or b"") > LONGEST_OWNER:
            text = "HTS005 the name of the user is too long for an owner of a session"
            return asked._replace(outcome=Outcome.REFUSED, log=text)
        name = self._too_many(call) or ("" if in_time else "PersistentCGIClientRate")
        return (
            asked._replace(outcome=Outcome.LIMIT, log=f"HTS003 {name} is reached", limit=name)
            if name
            else asked
        )

    def _too_many(self, call: Call) -> str | None:
        """The limit of the newcomer's user or client that is reached (L2)."""
        program, guest, registry = call.program, call.guest, self._registry
        user, client = guest.holders
        for name, most, holder in (
            ("MaxPersistentCGIPerUser", program.most_per_user, user),
            ("MaxPersistentCGIPerClient", program.most_per_client, client),
        ):
            if most and holder and registry.quotas.sessions(holder, overlap=registry.overlap) >= most:
                return name
        return None

    def _limit(self, call: Call) -> tuple[str, Callable[[], bool]]:
        """The limit for a newcomer: of sessions if a shared instance has some, else of instances (L1, S5)."""
        registry, instance = self._registry, call.instance
        if instance.shared is not None and instance.persistent:
            held = registry.sessions[instance.id]
            return "PersistentCGISharedSessions", lambda: len(held) >= call.program.most_sessions
        return "MaxPersistentCGI", lambda: registry.persistent >= registry.limits.persistent

    async def _ask_keeper(self, call: Call, head: Head, asked: Asked) -> None:
        instance, session, name = call.instance, call.session, call.program.name
        one_more = session is None and instance.shared is not None
        message = await self._registry.link.claim(
            instance.id,
            session_key(*name, asked.handle),
            slot=session.slot if session is not None else None if one_more else instance.slot,
            common=shared_key(name).hex() if one_more else None,
            newcomer=not instance.persistent,
            limit=self._registry.limits.persistent,
        )
        answer, slot = message.fields["answer"], message.fields["slot"]
        if self._registry.store.find(name, asked.handle) not in (None, session):
            answer = "taken"  # by an instance of this front that had not to ask
        if answer == "gone" or instance.state is State.GONE:
            answer, asked = "gone", asked._replace(outcome=Outcome.END, log=unmarked(instance))
        elif answer in _REFUSALS:
            outcome, log, limit = _REFUSALS[answer]
            asked = asked._replace(outcome=outcome, log=log, limit=limit)
        if slot is not None and (answer != "ok" or instance.call is not call):
            self._registry.link.tell("leave", id=instance.id, slot=slot)
        if instance.call is call:  # it has not failed meanwhile
            self._apply(call, head, asked, slot)

    def _apply(self, call: Call, head: Head, asked: Asked, slot: int | None = None) -> None:
        call.asked = asked
        if asked.outcome is Outcome.KEEP:
            self._registry.renew(call, asked.handle, asked.timeout, slot)
            call.extra_headers = extra = _protection(head)
            if call.session is not None:
                call.session.granted = Granted(head, asked.timeout, extra)
            if call.newcomer:
                self._welcome(call, asked.handle)
        elif asked.log:
            self._refuse(call, asked)

    def _welcome(self, call: Call, handle: bytes) -> None:
        """A session has begun: its browser gets the cookie (W2); can others guess its handle (W5)?"""
        if call.guest.set_cookie is not None:
            call.extra_headers = [*call.extra_headers, (b"set-cookie", call.guest.set_cookie)]
        doubt = self._suspicion.of(call.program.name, handle)
        if doubt is not None:
            self._registry.say("warn", doubt, call.program, handle)

    def _refuse(self, call: Call, asked: Asked) -> None:
        """What is not kept is remembered where R4 says so; a session's own end is logged when it comes."""
        if call.session is None:
            level = "info" if asked.outcome is Outcome.END else "warn"
            self._registry.say(level, asked.log, call.program, asked.handle)
        if asked.outcome is Outcome.LIMIT:
            self._registry.tally.refused[asked.limit] += 1
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


def _same_again(call: Call, session: Session, granted: Granted, head: Head) -> bool:
    """Whether the response repeats what was granted last time, under the same settings."""
    advice = head.advice
    return (
        advice.handle == session.handles.accepted[0]
        and (granted.head is head or granted.head.advice == advice)
        and call.program is session.program
    )


def _protection(head: Head) -> Headers:
    """The page carries a handle: headers that keep it from leaking, unless the program set its own (W3)."""
    present = [name for name, _ in head.headers]
    return [pair for pair in _KEPT_HEADERS if pair[0] not in present]
