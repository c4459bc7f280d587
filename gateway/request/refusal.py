"""Where an error becomes an answer: the page of the gateway's own, or what ErrorDocument says."""

from collections.abc import Awaitable, Callable

from gateway.directives import table
from gateway.directives.readers.redirects import Document
from gateway.errors import CLOSE, BadRequest, ClientGone, GatewayError, NotFound, TooMany
from gateway.logs.error import ErrorLog
from gateway.measure.measures import Measures
from gateway.protocol.paths import BadPath
from gateway.request import redirects
from gateway.request.brake import Brake
from gateway.request.incoming import Asgi, Connection, Record
from gateway.request.lookups import Lookups
from gateway.sessions.quotas import client_number
from gateway.web import pages
from gateway.web.pages import Page
from gateway.web.retired import RetiredHandle


class Refusals:
    """Answers requests that end with an error. `brake` holds up whoever is above a limit; `answer` serves the
    request that an ErrorDocument asks for, and raises what that one ends with."""

    def __init__(
        self,
        log: ErrorLog,
        measures: Measures | None,
        brake: Brake,
        answer: Callable[[Record, Asgi], Awaitable[None]],
    ) -> None:
        self._log, self._measures, self._brake, self._answer = log, measures, brake, answer
        self._lookups = Lookups()

    async def refuse(self, error: BadPath | GatewayError, record: Record, asgi: Asgi) -> None:
        """Send the answer, and log what is worth it."""
        if isinstance(error, BadPath):
            error = NotFound(str(error)) if error.status == 404 else BadRequest(str(error))
        elif isinstance(error, RetiredHandle):
            error = self._lookups.judge(error, record)
        record.error = error
        if error.log:
            client = record.request.client
            where = ":".join(str(part) for part in client if part) if client else None
            self._log(error.level, error.log, client=where, host=record.host.key)
        if isinstance(error, TooMany):
            await self._hold(error, record, asgi.scope["gateway.connection"])
        page = error.page if isinstance(error, RetiredHandle) else pages.of_error(error)
        if self._measures is not None:
            self._measures.refusals[page.status] += 1
        document = record.settings[table.ErrorDocument].get(page.status)
        if document is not None and await self._documented(document, page, record, asgi):
            return
        accept = next((value for name, value in asgi.scope["headers"] if name == b"accept"), b"")
        await pages.render(page, accept.decode("latin-1"), error.headers)(*asgi)

    async def _hold(self, error: TooMany, record: Record, connection: Connection) -> None:
        client = record.request.client
        if client is not None and not await self._brake.hold(client_number(client[0]), connection):
            error.headers += (CLOSE,)

    async def _documented(self, document: Document, page: Page, record: Record, asgi: Asgi) -> bool:
        """Send what ErrorDocument says. False when the gateway's own page is meant, or when this fails too."""
        headers = record.error.headers if record.error is not None else ()
        if document.kind == "default":
            return False
        if document.kind != "path":
            await pages.of_document(document, page.status, headers)(*asgi)
            return True
        request = redirects.by_error(record, document.value, page.status, page.heading, headers)
        record.redirect(request, page.status)
        scope = {**asgi.scope, "method": request.method, "headers": request.headers}
        scope.pop("gateway.refusal", None)
        try:
            await self._answer(record, asgi._replace(scope=scope))
        except (BadPath, GatewayError) as error:
            text = f"ErrorDocument {page.status} {document.value}: {error}"
            self._log("error", text, host=record.host.key)
            return False
        except ClientGone:
            pass
        return True
