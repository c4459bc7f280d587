"""One request from top to bottom; the only place where errors become answers."""

import asyncio
from collections.abc import MutableMapping
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote_from_bytes

from starlette.responses import RedirectResponse, Response

from gateway.body import MEMORY, Body, Receive
from gateway.configuration import Configuration, Host
from gateway.errors import BadRequest, Busy, ClientGone, GatewayError, NotFound, RedirectLoop
from gateway.keeper.reasons import Reason
from gateway.keeper.table import session_key
from gateway.logs import ErrorLog
from gateway.programs import FolderRedirect, Program, Programs, StaticFile
from gateway.protocol.environ import Request, UniqueIds, Variables, request_variables, session_variables
from gateway.protocol.paths import BadPath, Path, PathInfo, parse_path
from gateway.protocol.scgi import encode
from gateway.relay import Relay, Send, respond
from gateway.sessions.call import Call
from gateway.sessions.exchange import Fault
from gateway.sessions.handle import HandleMint, is_valid, mask_url
from gateway.sessions.judge import Judge
from gateway.sessions.moves import Moves
from gateway.sessions.registry import Registry
from gateway.sessions.session import Session, Use
from gateway.sessions.starter import Starter
from gateway.web import pages, static
from gateway.web.retired import RetiredHandle

MOST_REDIRECTS = 5
DEEPEST_NAME = 16  # segments of a cgi-name that is looked for after it is gone
FIRST_MEMORY = 65536  # bytes of a first request's body that are taken before the program starts
_FRESH = (Reason.TIMED_OUT, Reason.ENDED, Reason.CRASHED, Reason.STOPPED)
_BODY_HEADERS = (b"content-length", b"transfer-encoding", b"content-type", b"expect")

Scope = MutableMapping[str, Any]


class Services(NamedTuple):
    """What a request needs, made by the app."""

    configuration: Configuration
    programs: Programs
    registry: Registry
    starter: Starter
    moves: Moves
    judge: Judge
    mint: HandleMint
    ids: UniqueIds
    log: ErrorLog


class Exchanged(NamedTuple):
    """One request on its way: what came, where to, and the client's end."""

    request: Request
    host: Host
    path: Path
    body: Body
    scope: Scope
    receive: Receive
    send: Send


class Handler:
    """The ASGI callable for HTTP."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._registry = services.registry
        self._loop = services.registry.loop

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        try:
            await self._answer(scope, receive, send)
        except BadPath as error:
            refusal = NotFound(str(error)) if error.status == 404 else BadRequest(str(error))
            await self._refuse(refusal, scope, receive, send)
        except GatewayError as error:
            await self._refuse(error, scope, receive, send)
        except ClientGone:
            pass

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self._registry.stopping:
            raise Busy("HTS013 the gateway is stopping")
        request = _request(scope, self._services.ids)
        host = self._host(request)
        target: bytes | None = None
        for _ in range(MOST_REDIRECTS + 1):
            path = parse_path(request.raw_path)
            body = Body(request.headers, receive)
            try:
                target = await self._route(Exchanged(request, host, path, body, scope, receive, send))
            finally:
                body.close()
            if target is None:
                return
            request = _redirected(request, target)
            scope = {**scope, "method": request.method}
        shown = self._shown(host, request.raw_path)
        raise RedirectLoop(f"{shown}: more than {MOST_REDIRECTS} local redirects")

    def _shown(self, host: Host, raw_path: bytes) -> str:
        """A path for the log, the handle of a living session in it masked (W3). Raises BadPath."""
        matched = self._registry.store.match(host.key, parse_path(raw_path))
        return mask_url(raw_path, *([] if matched is None else [matched[1]]))

    def _host(self, request: Request) -> Host:
        configuration = self._services.configuration
        if not configuration.hosts:
            return configuration.server
        address, port = request.server or (None, None)
        name = next((value for header, value in request.headers if header == b"host"), b"")
        return configuration.select(address, port, name.decode("latin-1"))

    async def _route(self, on: Exchanged) -> bytes | None:
        """A living session, a program, or a file; returns the path of a local redirect."""
        matched = self._registry.store.match(on.host.key, on.path)
        if matched is not None:
            program = self._services.programs.again(matched[0].program, on.path)
            return await self._session(on, program, *matched)
        try:
            found = self._services.programs.find(on.host, on.path)
        except NotFound:
            self._vanished(on)
            raise
        if isinstance(found, Program):
            return await self._program(on, found)
        await _plain(found, on)(on.scope, on.receive, on.send)
        return None

    # ---- a living session

    async def _session(self, on: Exchanged, program: Program, session: Session, handle: bytes) -> bytes | None:
        on.body.restrict(program.body_limit)
        await on.body.take(MEMORY)
        use = self._registry.claim(session, handle)
        if use is None:
            use = await self._wait(on, session, handle)
        if use is None:
            return await self._route(on)
        info = on.path.after(program.cgi_name)
        variables = self._variables(on, program, info, session, handle, use)
        relay = Relay(on.scope["gateway.connection"], self._loop)
        call = Call(
            session.instance, program, relay, self._services.judge.decide,
            session=session, handle=handle, head_only=on.request.method == "HEAD",
        )  # fmt: skip
        frame = encode(variables, on.body.length or 0, session.instance.mark)
        return await self._exchange(on, call, relay, frame)

    async def _wait(self, on: Exchanged, session: Session, handle: bytes) -> Use | None:
        """Wait in the session's queue, unless it has ended by now."""
        if self._registry.store.find(session.name, handle) is not session:
            return None
        gone: asyncio.Future[None] = self._loop.create_future()
        connection = on.scope["gateway.connection"]
        connection.on_lost = gone.cancel
        return await self._registry.wait(session, handle, gone)

    # ---- a fresh start

    async def _program(self, on: Exchanged, program: Program) -> bytes | None:
        info = on.path.after(program.cgi_name)
        on.body.restrict(program.body_limit)
        expired = False
        if info.segment is not None and is_valid(info.segment):
            elsewhere = self._services.moves.elsewhere(program.name, info.segment)
            if elsewhere is not None:
                await on.body.take(MEMORY)
                await self._services.moves.borrow(elsewhere, program.queue_timeout)
                return await self._route(on)
            expired = self._retired(program, info.segment)
        await on.body.take(FIRST_MEMORY)
        variables = self._variables(on, program, info, expired=expired)
        if on.body.length:
            variables[b"CONTENT_LENGTH"] = b"%d" % on.body.length
        instance = await self._services.starter.start(program, variables, body=bool(on.body.length))
        relay = Relay(on.scope["gateway.connection"], self._loop)
        call = Call(
            instance, program, relay, self._services.judge.decide,
            segment=info.segment or b"", head_only=on.request.method == "HEAD",
        )  # fmt: skip
        return await self._exchange(on, call, relay, b"")

    def _retired(self, program: Program, segment: bytes) -> bool:
        """Whether the URL's handle has expired and a fresh start is wanted (R4). Raises RetiredHandle."""
        key = session_key(*program.name, segment)
        entry = self._registry.store.retired.find(key)
        if entry is None and not self._services.mint.is_ours(segment):
            return False
        reason = Reason(entry.reason) if entry is not None else Reason.ENDED
        if program.fresh_when_expired and reason in _FRESH:
            return True
        raise RetiredHandle(entry, quote_from_bytes(program.cgi_name))

    def _vanished(self, on: Exchanged) -> None:
        """The path of a session whose cgi-name is gone after a reload (R4). Raises RetiredHandle."""
        for cgi_name, segment in islice(on.path.splits(), DEEPEST_NAME):
            entry = self._registry.store.retired.find(session_key(on.host.key, cgi_name, segment))
            if entry is not None:
                raise RetiredHandle(entry, "/")

    # ---- both

    def _variables(
        self,
        on: Exchanged,
        program: Program,
        info: PathInfo,
        session: Session | None = None,
        handle: bytes | None = None,
        use: Use | None = None,
        *,
        expired: bool = False,
    ) -> Variables:
        variables = request_variables(
            on.request, program.variables, path_info=info.path_info, content_length=on.body.length or None
        )
        stale = session is not None and use is not None and use.stale
        variables.update(
            session_variables(
                timeout=program.limits.timeout,
                max_timeout=program.limits.max_timeout,
                next_handle=self._services.mint.next(),
                handle=handle,
                rest=info.rest,
                current_handle=session.handles.current if stale and session is not None else None,
                retry=use is not None and use.retry,
                expired=expired,
            )
        )
        return variables

    async def _exchange(self, on: Exchanged, call: Call, relay: Relay, frame: bytes) -> bytes | None:
        relay.call = call
        connection = relay.connection
        connection.on_lost = relay.lost
        self._registry.calls.add(call)
        upload: asyncio.Task[None] | None = None
        delivered = False
        try:
            if connection.lost:
                relay.lost()
            whole, taken = on.body.whole, on.body.in_memory
            if len(taken) < FIRST_MEMORY:  # one write; a copy costs less than a second write
                call.send(frame + taken, more=not whole)
            else:
                call.send(frame, more=True)
                call.send(taken, more=not whole)
            if not whole:
                upload = asyncio.create_task(_upload(on.body, call, relay))
            target = await respond(call, relay, on.send)
            delivered = target is not None or (relay.delivered and on.request.method != "HEAD")
            return target
        finally:
            connection.on_lost = None
            if upload is not None:
                upload.cancel()
            if not call.exchange.over:
                call.exchange.fail(Fault(Reason.CRASHED, "HTS007 the request was given up", "term"))
            self._registry.finish(call, delivered=delivered)

    # ---- answers of our own

    async def _refuse(self, error: GatewayError, scope: Scope, receive: Receive, send: Send) -> None:
        if error.log:
            client = scope["client"]
            where = f"{client[0]}:{client[1]}" if client else None
            self._services.log(error.level, error.log, client=where)
        page = error.page if isinstance(error, RetiredHandle) else pages.of_error(error)
        accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        await pages.render(page, accept.decode("latin-1"), error.headers)(scope, receive, send)


async def _upload(body: Body, call: Call, relay: Relay) -> None:
    """Send the part of the body that is not in memory, while output flows."""
    try:
        pieces = body.pieces()
        while True:
            call.waits_for_body = body.streams
            piece = await anext(pieces, None)
            call.waits_for_body = False
            call.touched()
            if piece is None or call.exchange.over:
                break
            call.send(piece, more=True)
            await relay.room(call)
        if not call.exchange.over:
            call.send(b"")
    except ClientGone:
        how = "term" if call.exchange.first else "kill"
        call.fail(Fault(Reason.PROTOCOL, "HTS011 the client left while its body was being written (B3)", how))


def _request(scope: Scope, ids: UniqueIds) -> Request:
    return Request(
        scope["method"],
        scope["raw_path"],
        scope["query_string"],
        scope["http_version"],
        scope["headers"],
        scope["client"],
        scope["server"],
        scope["scheme"],
        ids.next(),
    )


def _redirected(request: Request, target: bytes) -> Request:
    """The request of a local redirect: GET, without a body (RFC 3875, section 6.2.2)."""
    raw_path, _, query = target.partition(b"#")[0].partition(b"?")
    headers = [pair for pair in request.headers if pair[0] not in _BODY_HEADERS]
    return Request(
        "HEAD" if request.method == "HEAD" else "GET",
        raw_path,
        query,
        request.http_version,
        headers,
        request.client,
        request.server,
        request.scheme,
        request.unique_id,
    )


def _plain(found: StaticFile | FolderRedirect, on: Exchanged) -> Response:
    if isinstance(found, StaticFile):
        return static.respond(found.path, on.scope)
    query = b"?" + on.request.query if on.request.query else b""
    return RedirectResponse(quote_from_bytes(found.location) + query.decode("latin-1"), 301)
