"""One request from top to bottom; the only place where errors become answers (`Refusals`)."""

import time
from itertools import islice
from typing import Any, NamedTuple

from gateway.access.client import clients
from gateway.access.guard import Guard
from gateway.configuration.load import Configuration, Host
from gateway.directives.access import access_of
from gateway.directives.settings import Settings
from gateway.errors import Busy, ClientGone, GatewayError, NotFound, RedirectLoop
from gateway.keeper.table import session_key
from gateway.logs.access.logs import AccessLogs
from gateway.logs.access.masks import Masks
from gateway.logs.error import ErrorLog
from gateway.mapping.found import Folder, OwnPage, Refused
from gateway.mapping.programs import Programs
from gateway.program import Program
from gateway.protocol.environ import Request, UniqueIds
from gateway.protocol.events import Head
from gateway.protocol.paths import BadPath, parse_path
from gateway.request import redirects
from gateway.request.body import Body, Receive
from gateway.request.brake import Brake
from gateway.request.caller import Caller, LookAgain
from gateway.request.incoming import Asgi, Incoming, Known, Record, Scope, Send, request_of
from gateway.request.newcomer import Newcomers
from gateway.request.order import Ahead
from gateway.request.refusal import Refusals
from gateway.request.relay import Relay
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session
from gateway.web.own import OwnPages
from gateway.web.plain import plain
from gateway.web.retired import RetiredHandle

MOST_REDIRECTS = 5
DEEPEST_NAME = 16  # segments of a cgi-name that is looked for after it is gone


class Services(NamedTuple):
    """What a request needs, made by the app."""

    configuration: Configuration
    programs: Programs
    registry: Registry
    caller: Caller
    newcomers: Newcomers
    ids: UniqueIds
    log: ErrorLog
    access: AccessLogs | None
    masks: Masks
    own: OwnPages


class Begun(NamedTuple):
    """A request of which the session has been called."""

    on: Incoming
    relay: Relay


class Handler:
    """The ASGI callable for HTTP. `guard` lets requests in, `brake` holds up whoever is above a limit; `ahead`
    are those that are about to come in."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._registry = services.registry
        self.guard = Guard(self._shown)
        configuration = services.configuration
        self._clients = clients((configuration.server, *configuration.hosts))
        self._access = services.access
        self._measures = services.registry.measures
        self.ids, self.whole = services.ids, services.registry.whole
        self.remembers = self._clients is None  # else the address of a client depends on more than its bytes
        self.brake, self.ahead = Brake(), Ahead()
        self._refusals = Refusals(services.log, self._measures, self.brake, self._answer)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        self.ahead.begins(scope["raw_path"])
        request = request_of(scope, self.ids)
        record = self._opened(request, self._host(request), scope["gateway.connection"])
        await self._answered(record, Asgi(scope, receive, send), None)

    def known(self, request: Request) -> Known | None:
        """What can be said of a request once for all; None when it cannot be served."""
        try:
            return Known(request, self._host(request), parse_path(request.raw_path))
        except BadPath:
            return None

    def at_once(
        self, known: Known, request: Request, body: Body, relay: Relay, *, again: bool = False
    ) -> Incoming | None:
        """Call a living session, or start a program, if nothing has to be waited for. The relay takes the
        response, ends it by `over` and `close`, or `go_on`. None: nothing is done; `again`: it came once."""
        if self._registry.stopping:
            return None
        _, host, path = known
        matched = self._registry.store.match(host.key, path)
        if matched is None:
            return self._start(known, request, body, relay, again)
        if matched[1] in self.ahead.segments:  # R5: behind whoever came before
            return None
        record = self._opened(request, host, relay.connection)
        on = Incoming(record, request, host, path, body, relay.connection, known if again else None)
        program = self._called(on, matched)
        if program.access is not None and not self.guard.lets_in(program.access, on):
            return None
        return on if self._services.caller.at_once(on, program, *matched, relay) else None

    def _start(self, known: Known, request: Request, body: Body, relay: Relay, again: bool) -> Incoming | None:
        _, host, path = known
        program = self._services.programs.known(host, path)
        if program is None:
            return None
        record = self._opened(request, host, relay.connection)
        record.found, record.settings = program, program.settings
        on = Incoming(record, request, host, path, body, relay.connection, known if again else None)
        if program.access is not None and not self.guard.lets_in(program.access, on):
            return None
        return on if self._services.newcomers.at_once(on, program, relay) else None

    async def go_on(self, on: Incoming, relay: Relay, asgi: Asgi) -> None:
        """Answer a request of which `at_once` has called the session."""
        await self._answered(on.record, asgi, Begun(on, relay))

    def over(self, relay: Relay, *, delivered: bool = True) -> None:
        """The response of a call that `at_once` has begun is whole: about to be sent, or `delivered`."""
        call = relay.call
        self._registry.tally.in_lane += call is not None and not call.newcomer
        self._services.caller.over(relay, delivered=delivered)

    def close(self, record: Record) -> None:
        """The request is over."""
        if record.logged is not None:
            record.logged.close()
        if self._measures is not None:
            self._measures.answered(record, record.came)

    def _opened(self, request: Request, host: Host, connection: Any) -> Record:
        record = Record(host, request)
        if self._measures is not None:
            record.came = time.monotonic()
        if self._clients is not None:
            self._clients.find(host, request)
        if self._access is not None:
            record.logged = self._access.follow(record, connection)
        return record

    async def _answered(self, record: Record, asgi: Asgi, begun: Begun | None) -> None:
        if record.logged is not None:
            asgi = asgi._replace(send=record.logged.through(asgi.send))
        try:
            await self._answer(record, asgi, begun)
        except (BadPath, GatewayError) as error:
            await self._refusals.refuse(error, record, asgi)
        except ClientGone:
            pass
        finally:
            self.close(record)

    async def _answer(self, record: Record, asgi: Asgi, begun: Begun | None = None) -> None:
        if "gateway.refusal" in asgi.scope:
            raise asgi.scope["gateway.refusal"]
        request, host = record.request, record.host
        if begun is None and self._registry.stopping and not self._asks_gateway(request, host):
            raise Busy("HTS013 the gateway is stopping")
        head: Head | None = None
        for _ in range(MOST_REDIRECTS + 1):
            if begun is not None:
                head, begun = await self._services.caller.answer(*begun, asgi.send), None
            else:
                head = await self._routed(record, request, host, asgi)
            if head is None:
                return
            request = redirects.by_program(record, head)
            record.redirect(request, 200)
            asgi = asgi._replace(scope={**asgi.scope, "method": request.method})
        shown = self._shown(host, request.raw_path)
        raise RedirectLoop(f"{shown}: more than {MOST_REDIRECTS} local redirects")

    async def _routed(self, record: Record, request: Request, host: Host, asgi: Asgi) -> Head | None:
        path = parse_path(request.raw_path)
        body = Body(request.headers, asgi.receive)
        on = Incoming(record, request, host, path, body, asgi.scope["gateway.connection"])
        try:
            return await self._route(on, asgi)
        finally:
            body.close()

    def _asks_gateway(self, request: Request, host: Host) -> bool:
        """Whether it is about the gateway itself: answered as long as it runs. Raises BadPath."""
        return isinstance(self._services.programs.find(host, parse_path(request.raw_path)), OwnPage)

    async def _route(self, on: Incoming, asgi: Asgi) -> Head | None:
        """Find what the URL means until it does not change any more; returns the head of a local redirect."""
        while True:
            try:
                return await self._serve(on, asgi)
            except LookAgain:
                continue

    def _called(self, on: Incoming, matched: tuple[Session, bytes]) -> Program:
        """The program of a living session, with the settings of this very URL."""
        on.record.matched = matched
        program = self._services.programs.again(matched[0].program, on.path)
        on.record.settings = program.settings
        return program

    async def _serve(self, on: Incoming, asgi: Asgi) -> Head | None:
        """A living session, a program, or a file."""
        matched = self._registry.store.match(on.host.key, on.path)
        if matched is not None:
            program = self._called(on, matched)
            if program.access is not None:
                on.record.user = await self.guard.admit(program.access, on)
            return await self._services.caller.session(on, program, *matched, asgi.send)
        found = on.record.found = self._services.programs.find(on.host, on.path)
        await self._admit(on, found.settings)
        while isinstance(found, Folder):
            on = on._replace(path=found.path)
            found = on.record.found = found.index
            await self._admit(on, found.settings)
        if isinstance(found, Program):
            return await self._services.newcomers.start(on, found, asgi.send)
        if isinstance(found, Refused):
            if isinstance(found.error, NotFound):
                self._vanished(on)
            raise found.error
        response = await plain(found, on, asgi.scope, self._services.own)
        await response(*asgi)
        return None

    async def _admit(self, on: Incoming, settings: Settings) -> None:
        """These settings hold from here on; access is asked for before anything else is told."""
        on.record.settings = settings
        access = access_of(settings)
        on.record.user = None if access is None else await self.guard.admit(access, on)

    def _vanished(self, on: Incoming) -> None:
        """The path of a session whose cgi-name is gone after a reload (R4). Raises RetiredHandle."""
        for cgi_name, segment in islice(on.path.splits(), DEEPEST_NAME):
            entry = self._registry.store.retired.find(session_key(on.host.key, cgi_name, segment))
            if entry is not None:
                raise RetiredHandle(entry, "/")

    def _host(self, request: Request) -> Host:
        configuration = self._services.configuration
        if not configuration.hosts:
            return configuration.server
        address, port = request.server or (None, None)
        name = next((value for header, value in request.headers if header == b"host"), b"")
        return configuration.select(address, port, name.decode("latin-1"))

    def _shown(self, host: Host, raw_path: bytes) -> str:
        """A path for the log, handles of sessions in it masked, living or retired (W3)."""
        return self._services.masks.path(host.key, raw_path).decode("latin-1")
