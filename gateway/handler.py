"""One request from top to bottom; the only place where errors become answers."""

from itertools import islice
from typing import NamedTuple
from urllib.parse import quote_from_bytes

from starlette.responses import RedirectResponse, Response

from gateway.body import Body, Receive
from gateway.caller import Caller, LookAgain
from gateway.configuration import Configuration, Host
from gateway.errors import BadRequest, Busy, ClientGone, GatewayError, NotFound, RedirectLoop
from gateway.incoming import Incoming, Record, Scope, Send, redirected, request_of
from gateway.keeper.table import session_key
from gateway.logs import ErrorLog
from gateway.program import Program
from gateway.programs import Folder, FolderRedirect, Programs, Refused, StaticFile
from gateway.protocol.environ import Request, UniqueIds
from gateway.protocol.paths import BadPath, parse_path
from gateway.sessions.handle import mask_url
from gateway.sessions.registry import Registry
from gateway.web import pages, static
from gateway.web.retired import RetiredHandle

MOST_REDIRECTS = 5
DEEPEST_NAME = 16  # segments of a cgi-name that is looked for after it is gone


class Services(NamedTuple):
    """What a request needs, made by the app."""

    configuration: Configuration
    programs: Programs
    registry: Registry
    caller: Caller
    ids: UniqueIds
    log: ErrorLog


class Handler:
    """The ASGI callable for HTTP."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._registry = services.registry

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
        request = request_of(scope, self._services.ids)
        host = self._host(request)
        record = Record(host)
        target: bytes | None = None
        for _ in range(MOST_REDIRECTS + 1):
            path = parse_path(request.raw_path)
            body = Body(request.headers, receive)
            try:
                target = await self._route(Incoming(record, request, host, path, body, scope, receive, send))
            finally:
                body.close()
            if target is None:
                return
            request = redirected(request, target)
            scope = {**scope, "method": request.method}
        shown = self._shown(host, request.raw_path)
        raise RedirectLoop(f"{shown}: more than {MOST_REDIRECTS} local redirects")

    async def _route(self, on: Incoming) -> bytes | None:
        """Find what the URL means until it does not change any more; returns the path of a local redirect."""
        while True:
            try:
                return await self._serve(on)
            except LookAgain:
                continue

    async def _serve(self, on: Incoming) -> bytes | None:
        """A living session, a program, or a file."""
        matched = self._registry.store.match(on.host.key, on.path)
        if matched is not None:
            program = self._services.programs.again(matched[0].program, on.path)
            on.record.settings = program.settings
            return await self._services.caller.session(on, program, *matched)
        found = self._services.programs.find(on.host, on.path)
        on.record.settings = found.settings
        while isinstance(found, Folder):
            found = found.index
            on.record.settings = found.settings
        if isinstance(found, Program):
            return await self._services.caller.start(on, found)
        if isinstance(found, Refused):
            if isinstance(found.error, NotFound):
                self._vanished(on)
            raise found.error
        await _plain(found, on)(on.scope, on.receive, on.send)
        return None

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
        """A path for the log, the handle of a living session in it masked (W3). Raises BadPath."""
        matched = self._registry.store.match(host.key, parse_path(raw_path))
        return mask_url(raw_path, *([] if matched is None else [matched[1]]))

    async def _refuse(self, error: GatewayError, scope: Scope, receive: Receive, send: Send) -> None:
        if error.log:
            client = scope["client"]
            where = f"{client[0]}:{client[1]}" if client else None
            self._services.log(error.level, error.log, client=where)
        page = error.page if isinstance(error, RetiredHandle) else pages.of_error(error)
        accept = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        await pages.render(page, accept.decode("latin-1"), error.headers)(scope, receive, send)


def _plain(found: StaticFile | FolderRedirect, on: Incoming) -> Response:
    if isinstance(found, StaticFile):
        return static.respond(found.path, on.scope)
    query = b"?" + on.request.query if on.request.query else b""
    return RedirectResponse(quote_from_bytes(found.location) + query.decode("latin-1"), 301)
