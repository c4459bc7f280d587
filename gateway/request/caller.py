"""One call of a program: of a living session, or a fresh start."""

import asyncio
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from gateway.errors import Busy, CannotStart, Forbidden, GatewayError, NotFound
from gateway.keeper.reasons import NORMAL, Reason
from gateway.keeper.table import session_key
from gateway.logs.script import ScriptLogs
from gateway.program import Program
from gateway.protocol.environ import (
    Variables,
    request_variables,
    session_variables,
)
from gateway.protocol.events import Head
from gateway.protocol.isindex import search_words
from gateway.protocol.paths import PathInfo
from gateway.request.body import MEMORY
from gateway.request.holder import admit, guest_of
from gateway.request.incoming import Incoming, Send
from gateway.request.message import frame_of, message_of, stencil_of
from gateway.request.relay import Relay, respond
from gateway.request.upload import take, upload_rest
from gateway.request.warning import answer, left, wish_of
from gateway.sessions.call import Call
from gateway.sessions.exchange import Fault
from gateway.sessions.guest import Guest
from gateway.sessions.handle import HandleMint, is_valid
from gateway.sessions.handles import Use
from gateway.sessions.instance import Instance
from gateway.sessions.judge import Judge
from gateway.sessions.moves import Moves
from gateway.sessions.queue import waiting
from gateway.sessions.rates import Rates
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.sessions.sharing import Sharing
from gateway.sessions.starter import Starter
from gateway.web.retired import RetiredHandle

FIRST_MEMORY = 65536  # bytes of a first request's body that are taken before the program starts
_FRESH = NORMAL | {Reason.CRASHED, Reason.STOPPED}


class LookAgain(Exception):
    """The session has ended, or come, while the request waited: its URL means something else now."""


class Engine(NamedTuple):
    """The parts of the session engine that a call needs."""

    registry: Registry
    starter: Starter
    moves: Moves
    judge: Judge
    mint: HandleMint


class Caller:
    """Calls programs; both ways return the head of a local redirect, or None when the response was sent."""

    def __init__(self, engine: Engine, scripts: ScriptLogs) -> None:
        self._engine, self._scripts = engine, scripts
        self._registry = engine.registry
        self._sharing = Sharing(engine.registry, engine.moves)
        self._rates = Rates()
        self._loop = engine.registry.loop

    def at_once(self, on: Incoming, program: Program, session: Session, handle: bytes, relay: Relay) -> bool:
        """Call a living session that can be had now, with a body that is in memory. False: nothing was done,
        `session` has to see to it."""
        if program.warning or session.instance.shared is not None:
            return False
        if program.body_limit and len(on.body.in_memory) > program.body_limit:
            return False
        try:
            admit(on.request, on.record.user, program, session, handle)
        except Forbidden:
            return False
        use = self._registry.claim(session, handle)
        if use is None:
            return False
        self._call(on, program, session, handle, use, relay)
        return True

    async def session(
        self, on: Incoming, program: Program, session: Session, handle: bytes, send: Send
    ) -> Head | None:
        """Call a living session. Raises LookAgain, Forbidden (W1, W2, L3)."""
        admit(on.request, on.record.user, program, session, handle)
        if program.warning and (wish := wish_of(on.request)) is not None:
            await answer(send, left(self._registry, session, wish))
            return None
        on.body.restrict(program.body_limit)
        await take(on, program, MEMORY, spool=session.instance.shared is not None)
        use = self._registry.claim(session, handle)
        if use is None:
            use = await self._wait(on, session, handle)
        if use is None:
            raise LookAgain
        relay = Relay(on.connection, self._loop, self._registry.whole)
        self._call(on, program, session, handle, use, relay)
        return await self.answer(on, relay, send)

    def _call(
        self, on: Incoming, program: Program, session: Session, handle: bytes, use: Use, relay: Relay
    ) -> None:
        """Call a session that has been handed out."""
        call = Call(
            session.instance, program, relay, self._engine.judge.decide,
            session=session, handle=handle, head_only=on.head_only,
        )  # fmt: skip
        self._begin(on, call, relay, self._frame(on, program, session, handle, use))

    def _frame(self, on: Incoming, program: Program, session: Session, handle: bytes, use: Use) -> bytes:
        stencil, next_handle, plain = session.stencil, self._engine.mint.next(), not use.stale and not use.retry
        if stencil is not None and plain and stencil.fits(on, program):
            self._visit(session, stencil.rest)
            return stencil.frame(on, next_handle)
        info = on.path.after(program.cgi_name)
        self._visit(session, info.rest)
        variables = message_of(on, program, info)
        variables |= session_variables(
            timeout=program.limits.timeout,
            max_timeout=program.limits.max_timeout,
            next_handle=next_handle,
            handle=handle,
            rest=info.rest,
            current_handle=session.handles.current if use.stale else None,
            retry=use.retry,
            ended=b"" if session.instance.shared is None else session.instance.shared.tell(),
        )
        frame = frame_of(on, program, variables, session.instance.mark)
        session.stencil = stencil_of(on, program, info.rest, frame, next_handle) if plain else None
        return frame

    def _visit(self, session: Session, rest: bytes) -> None:
        if rest != session.last:
            self._registry.visit(session, rest)

    async def _wait(self, on: Incoming, session: Session, handle: bytes) -> Use | None:
        """Wait in the session's queue, unless it has ended by now."""
        if self._registry.store.find(session.name, handle) is not session:
            return None
        with waiting(on.record):
            return await self._registry.wait(session, handle, self._gone(on))

    def _gone(self, on: Incoming) -> "asyncio.Future[None]":
        """Done when the client leaves."""
        gone: asyncio.Future[None] = self._loop.create_future()
        on.connection.on_lost = gone.cancel
        return gone

    async def start(self, on: Incoming, program: Program, send: Send) -> Head | None:
        """Start a program, unless the URL is one of a session that is over, or another front's. Raises
        RetiredHandle, LookAgain, NotFound (AcceptPathInfo Off), Busy, TooMany."""
        info = on.path.after(program.cgi_name)
        on.body.restrict(program.body_limit)
        expired = False
        if info.segment is not None and is_valid(info.segment):
            elsewhere = self._engine.moves.elsewhere(program.name, info.segment)
            if elsewhere is not None:
                await take(on, program, MEMORY)
                with waiting(on.record):
                    await self._engine.moves.borrow(elsewhere, program.queue_timeout)
                raise LookAgain
            asks = bool(program.warning) and wish_of(on.request) is not None
            expired = self._retired(program, info.segment, asks=asks)
        if info.path_info and not program.path_info:
            raise NotFound(f"{program.text} takes no path info (AcceptPathInfo Off)")
        if self._registry.store.table.closing:
            raise Busy(f"HTS013 the gateway is draining, no session begins: {program.text}")
        guest = guest_of(on, program, self._engine.mint, self._rates)
        try:
            return await self._first(on, program, info, guest, send, expired=expired)
        finally:
            if guest.ticket is not None:
                call = on.record.call
                guest.ticket.settle(began=call is not None and call.session is not None)

    async def _first(
        self, on: Incoming, program: Program, info: PathInfo, guest: Guest, send: Send, *, expired: bool
    ) -> Head | None:
        """A first request: perhaps a session begins with its response."""
        await take(on, program, MEMORY if program.shared else FIRST_MEMORY, spool=program.shared)
        message = message_of(on, program, info)
        own = self._own(program, expired=expired)
        enter = self._shared if program.shared else self._instance
        instance, frame = await enter(on, program, message, own)
        relay = Relay(on.connection, self._loop, self._registry.whole)
        self._call_new(on, program, info, guest, instance, relay, frame)
        return await self.answer(on, relay, send)

    def start_at_once(self, on: Incoming, program: Program, relay: Relay) -> bool:
        """Start a program, if nothing has to be waited for and nobody to be asked; its body is in memory. The
        relay is called, or `failed`. False: nothing was done, `start` has to see to it."""
        info = on.path.after(program.cgi_name)
        if info.path_info or program.shared or program.warning or program.ahead is not None:
            return False
        if program.rate is not None or self._registry.store.table.closing:
            return False
        if program.body_limit and len(on.body.in_memory) > program.body_limit:
            return False
        guest = guest_of(on, program, self._engine.mint, self._rates)
        own = self._own(program, expired=False)
        variables, words = self._environment(on, program, message_of(on, program, info), own)

        def started(result: Instance | Busy | CannotStart) -> None:
            if isinstance(result, Instance):
                self._call_new(on, program, info, guest, result, relay, b"")
                if relay.connection.lost:
                    relay.lost()
                return
            if isinstance(result, CannotStart):
                self._scripts.cannot_start(on, program, result)
            relay.failed(result)

        body = bool(on.body.length)
        return self._engine.starter.at_once(program, variables, started, body=body, words=words)

    def _own(self, program: Program, *, expired: bool) -> Variables:
        """What a first request says of sessions."""
        return session_variables(
            timeout=program.limits.timeout,
            max_timeout=program.limits.max_timeout,
            next_handle=self._engine.mint.next(),
            expired=expired,
        )

    def _call_new(
        self,
        on: Incoming,
        program: Program,
        info: PathInfo,
        guest: Guest,
        instance: Instance,
        relay: Relay,
        frame: bytes,
    ) -> None:
        """Call an instance that has no session for this request."""
        call = Call(
            instance, program, relay, self._engine.judge.decide, segment=info.segment or b"",
            path_info=info.path_info, head_only=on.head_only, user=on.record.user, guest=guest,
        )  # fmt: skip
        self._begin(on, call, relay, frame)

    def _retired(self, program: Program, segment: bytes, *, asks: bool) -> bool:
        """Whether the URL's handle has expired and a fresh start is wanted (R4), never by a page that only asks
        how long its session lives. Raises RetiredHandle."""
        key = session_key(*program.name, segment)
        entry = self._registry.store.retired.find(key)
        if entry is None and not asks and not self._engine.mint.is_ours(segment):
            return False
        reason = Reason(entry.reason) if entry is not None else Reason.ENDED
        if program.fresh_when_expired and reason in _FRESH and not asks:
            return True
        raise RetiredHandle(entry, quote_from_bytes(program.cgi_name))

    async def _shared(
        self, on: Incoming, program: Program, message: Variables, own: Variables
    ) -> tuple[Instance, bytes]:
        """The program's shared instance, handed out, and the frame; it is started when there is none (S1)."""
        instance = await self._sharing.enter(program, self._gone(on), on.record)
        if instance is None:
            try:
                return await self._instance(on, program, message, own)
            finally:
                self._sharing.started(program.name)
        if instance.shared is not None and (ended := instance.shared.tell()):
            own[b"HTSESSION_ENDED"] = ended
        return instance, frame_of(on, program, message | own, instance.mark)

    async def _instance(
        self, on: Incoming, program: Program, message: Variables, own: Variables
    ) -> tuple[Instance, bytes]:
        """A new instance and the frame of its first request: empty when that is plain CGI. A body that is not
        in memory goes to a cold one, which can read it while it comes."""
        starter, gone = self._engine.starter, self._gone(on)
        if program.ahead is not None and on.body.whole:
            warm = await starter.start_warm(program, program.ahead, gone, on.record)
            if warm is not None:
                return warm, frame_of(on, program, message | own, warm.mark)
        variables, words = self._environment(on, program, message, own)
        try:
            cold = await starter.start(
                program, variables, gone, body=bool(on.body.length), words=words, request=on.record
            )
        except CannotStart as error:
            self._scripts.cannot_start(on, program, error)
            raise
        return cold, b""

    def _environment(
        self, on: Incoming, program: Program, message: Variables, own: Variables
    ) -> tuple[Variables, tuple[bytes, ...]]:
        """The variables of a program that is started cold, and its arguments."""
        variables = request_variables(on.request, program.variables, message) | own
        return variables, () if program.hosted else search_words(on.request.method, on.request.query)

    def _begin(self, on: Incoming, call: Call, relay: Relay, frame: bytes) -> None:
        """The request goes to the program, as far as it is in memory."""
        relay.call = call
        on.record.call = call
        call.bytes_in = on.body.length or 0
        relay.connection.on_lost = relay.lost
        self._registry.calls.add(call)
        if call.program.keeps_output:
            call.output = bytearray()
        whole, taken = on.body.whole, on.body.in_memory
        if len(taken) < FIRST_MEMORY:  # one write; a copy costs less than a second write
            call.send(frame + taken, more=not whole)
        else:
            call.send(frame, more=True)
            call.send(taken, more=not whole)

    async def answer(self, on: Incoming, relay: Relay, send: Send) -> Head | None:
        """Send the response of a call that has begun."""
        if relay.failure is not None:
            raise relay.failure
        call = relay.call
        assert call is not None
        upload: asyncio.Task[None] | None = None
        delivered = False
        if relay.connection.lost:
            relay.lost()
        try:
            if not on.body.whole:
                upload = asyncio.create_task(upload_rest(on.body, call, relay))
            redirect = await respond(call, relay, send, on.request)
            delivered = redirect is not None or (relay.delivered and not on.head_only)
            return redirect
        except GatewayError as error:
            if call.output is not None:
                self._scripts.failed(on, call, error)
            raise
        finally:
            if upload is not None:
                upload.cancel()
            if not call.exchange.over:
                call.exchange.fail(Fault(Reason.CRASHED, "HTS007 the request was given up", "term"))
            if call.newcomer:
                on.record.started = call.session
            self.over(relay, delivered=delivered)

    def over(self, relay: Relay, *, delivered: bool) -> None:
        """The response of a call is over; `delivered`: the client's connection has it whole."""
        call = relay.call
        assert call is not None
        relay.connection.on_lost = None
        relay.call = None  # no cycle: the parts of a request go when it is over, not at the next collection
        if call.newcomer:
            self._engine.starter.ended(call)
        self._registry.finish(call, delivered=delivered)
