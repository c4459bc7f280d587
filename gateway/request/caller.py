"""One call of a program."""

import asyncio
from typing import NamedTuple

from gateway.errors import Forbidden, GatewayError
from gateway.keeper.reasons import Reason
from gateway.logs.script import ScriptLogs
from gateway.program import Program
from gateway.protocol.environ import session_variables
from gateway.protocol.events import Head
from gateway.request.body import MEMORY
from gateway.request.holder import admit
from gateway.request.incoming import Incoming, Send
from gateway.request.message import frame_of, message_of, stencil_of
from gateway.request.relay import Relay, respond
from gateway.request.upload import take, upload_rest
from gateway.request.warning import answer, left, wish_of
from gateway.sessions.call import Call
from gateway.sessions.exchange import Fault
from gateway.sessions.handle import HandleMint
from gateway.sessions.handles import Use
from gateway.sessions.judge import Judge
from gateway.sessions.moves import Moves
from gateway.sessions.queue import waiting
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.sessions.starter import Starter

FIRST_MEMORY = 65536  # bytes of a first request's body that are taken before the program starts


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
    """Calls programs. `session` and `answer` return the head of a local redirect, or None when the response was
    sent."""

    def __init__(self, engine: Engine, scripts: ScriptLogs) -> None:
        self._engine, self._scripts = engine, scripts
        self._registry = engine.registry
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
        self.begin(on, call, relay, self._frame(on, program, session, handle, use))

    def _frame(self, on: Incoming, program: Program, session: Session, handle: bytes, use: Use) -> bytes:
        stencil, next_handle, plain = session.stencil, self._engine.mint.next(), not use.stale and not use.retry
        if stencil is not None and plain and stencil.fits(on.known, program, on.record.user):
            self._visit(session, stencil.rest)
            return stencil.frame(on.request, next_handle)
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
            return await self._registry.wait(session, handle, self.gone(on))

    def gone(self, on: Incoming) -> "asyncio.Future[None]":
        """Done when the client leaves."""
        gone: asyncio.Future[None] = self._loop.create_future()
        on.connection.on_lost = gone.cancel
        return gone

    def begin(self, on: Incoming, call: Call, relay: Relay, frame: bytes) -> None:
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
