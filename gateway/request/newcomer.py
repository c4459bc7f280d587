"""First requests: a program is started, or one that is shared is entered; perhaps a session begins."""

import asyncio
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from gateway.errors import Busy, CannotStart, NotFound
from gateway.keeper.reasons import NORMAL, Reason
from gateway.keeper.table import session_key
from gateway.logs.script import ScriptLogs
from gateway.program import Program
from gateway.protocol.environ import Variables, connection_variables, session_variables
from gateway.protocol.events import Head
from gateway.protocol.isindex import search_words
from gateway.protocol.paths import PathInfo
from gateway.request.body import MEMORY
from gateway.request.caller import FIRST_MEMORY, Caller, Engine, LookAgain
from gateway.request.holder import guest_of
from gateway.request.incoming import Incoming, Send
from gateway.request.message import frame_of, message_of
from gateway.request.relay import Relay
from gateway.request.upload import take
from gateway.request.warning import wish_of
from gateway.sessions.call import Call
from gateway.sessions.guest import Guest
from gateway.sessions.handle import is_valid
from gateway.sessions.instance import Instance
from gateway.sessions.queue import waiting
from gateway.sessions.rates import Rates
from gateway.sessions.sharing import Sharing
from gateway.sessions.starter import Cold
from gateway.web.retired import RetiredHandle

_FRESH = NORMAL | {Reason.CRASHED, Reason.STOPPED}


class First(NamedTuple):
    """A first request: what follows the cgi-name, who may begin a session, the variables of the request and
    those of sessions."""

    on: Incoming
    program: Program
    info: PathInfo
    guest: Guest
    message: Variables
    own: Variables

    @property
    def variables(self) -> Variables:
        """What a frame says, beyond what is the same for every request."""
        return self.message | self.own


class Newcomers:
    """Has first requests answered; `caller` takes over when a process is there."""

    def __init__(self, engine: Engine, scripts: ScriptLogs, caller: Caller) -> None:
        self._engine, self._scripts, self._caller = engine, scripts, caller
        self._registry = engine.registry
        self._sharing = Sharing(engine.registry, engine.moves)
        self._rates = Rates()

    async def start(self, on: Incoming, program: Program, send: Send) -> Head | None:
        """Start a program, unless the URL is one of a session that is over, or another front's. Returns the
        head of a local redirect, or None when the response was sent. Raises RetiredHandle, LookAgain, NotFound
        (AcceptPathInfo Off), Busy, TooMany."""
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
            await take(on, program, MEMORY if program.shared else FIRST_MEMORY, spool=program.shared)
            return await self._answer(self._first(on, program, info, guest, expired=expired), send)
        finally:
            if guest.ticket is not None:
                guest.ticket.settle()

    def at_once(self, on: Incoming, program: Program, relay: Relay) -> bool:
        """Start a program, if nothing has to be waited for and nobody to be asked; its body is in memory. The
        relay is called, or `failed`. False: nothing was done, `start` has to see to it."""
        info = on.path.after(program.cgi_name)
        if info.path_info or program.shared or program.warning or program.rate is not None:
            return False
        if program.body_limit and len(on.body.in_memory) > program.body_limit:
            return False
        starter = self._engine.starter
        if self._registry.store.table.closing or not starter.free:
            return False
        guest = guest_of(on, program, self._engine.mint, self._rates)
        first = self._first(on, program, info, guest, expired=False)

        def started(result: Instance | Busy | CannotStart) -> None:
            if isinstance(result, Instance):
                self._call(first, result, relay)
                if relay.connection.lost:
                    relay.lost()
                return
            if isinstance(result, CannotStart):
                self._scripts.cannot_start(on, program, result)
            relay.failed(result)

        starter.at_once(program, lambda: _cold(first), started)
        return True

    def _first(self, on: Incoming, program: Program, info: PathInfo, guest: Guest, *, expired: bool) -> First:
        own = session_variables(
            timeout=program.limits.timeout,
            max_timeout=program.limits.max_timeout,
            next_handle=self._engine.mint.next(),
            expired=expired,
        )
        return First(on, program, info, guest, message_of(on, program, info), own)

    async def _answer(self, first: First, send: Send) -> Head | None:
        enter = self._shared if first.program.shared else self._instance
        instance = await enter(first)
        relay = Relay(first.on.connection, self._registry.loop, self._registry.whole)
        self._call(first, instance, relay)
        return await self._caller.answer(first.on, relay, send)

    def _call(self, first: First, instance: Instance, relay: Relay) -> None:
        """Call an instance that has no session for this request."""
        on, program, info = first.on, first.program, first.info
        call = Call(
            instance, program, relay, self._engine.judge.decide, segment=info.segment or b"",
            path_info=info.path_info, head_only=on.head_only, user=on.record.user, guest=first.guest,
        )  # fmt: skip
        frame = frame_of(on, program, first.variables, instance.mark) if instance.framed else b""
        self._caller.begin(on, call, relay, frame)

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

    async def _shared(self, first: First) -> Instance:
        """The program's shared instance, handed out; it is started when there is none (S1)."""
        on, program = first.on, first.program
        instance = await self._sharing.enter(program, self._caller.gone(on), on.record)
        if instance is None:
            try:
                return await self._instance(first)
            finally:
                self._sharing.started(program.name)
        if instance.shared is not None and (ended := instance.shared.tell()):
            first.own[b"HTSESSION_ENDED"] = ended
        return instance

    async def _instance(self, first: First) -> Instance:
        """A new instance. A body that is not in memory goes to a cold one, which can read it while it comes."""
        on, program, starter = first.on, first.program, self._engine.starter
        gone: asyncio.Future[None] = self._caller.gone(on)
        if program.ahead is not None and on.body.whole:
            warm = await starter.start_warm(program, program.ahead, gone, on.record)
            if warm is not None:
                return warm
        try:
            return await starter.start(program, _cold(first), gone, on.record)
        except CannotStart as error:
            self._scripts.cannot_start(on, program, error)
            raise


def _cold(first: First) -> Cold:
    """What a program gets that is started for this request."""
    on, program = first.on, first.program
    connection = connection_variables(on.request.client, on.request.server, on.request.scheme)
    words = () if program.hosted else search_words(on.request.method, on.request.query)
    return Cold({**connection, **first.message, **first.own}, words, body=bool(on.body.length))
