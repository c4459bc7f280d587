"""Answers without a program: files, and redirects to another URL."""

from urllib.parse import quote_from_bytes

from starlette.responses import Response

from gateway.mapping.found import ClientRedirect, FolderRedirect, OwnPage, StaticFile
from gateway.protocol.redirection import Redirection
from gateway.request.incoming import Incoming, Scope
from gateway.web import static
from gateway.web.own import OwnPages

_IN_A_PATH = "/:@!$&'()*+,;=~"  # as they are (RFC 3986, section 3.3)
_IN_A_QUERY = _IN_A_PATH + "?%[]"


async def plain(
    found: StaticFile | FolderRedirect | ClientRedirect | OwnPage, on: Incoming, scope: Scope, own: OwnPages
) -> Response:
    """The response for what was found. Raises MethodNotAllowed, NotFound, and what `OwnPages` refuses."""
    if isinstance(found, StaticFile):
        response = static.respond(found.path, scope, found.kind)
    elif isinstance(found, OwnPage):
        response = await own.respond(found.name, on)
    elif isinstance(found, FolderRedirect):
        response = _redirect(301, quote_from_bytes(found.location, _IN_A_PATH), on.request.query)
    else:
        response = _redirect(found.status, found.location, on.request.query)
    if on.request.came_by is not None:
        _after(on.request.came_by, response)
    return response


def _redirect(status: int, location: str, query: bytes) -> Response:
    """To a URL, or to a path: the client's own idea of this server's name is not asked for (Host)."""
    if query and "?" not in location:
        address, mark, fragment = location.partition("#")
        location = f"{address}?{quote_from_bytes(query, _IN_A_QUERY)}{mark}{fragment}"
    return Response(status_code=status, headers={"location": location})


def _after(came_by: Redirection, response: Response) -> None:
    """The answer to a request that came out of another one."""
    if response.status_code == 200:
        response.status_code = came_by.status
    for name, value in came_by.missing_in([pair[0] for pair in response.raw_headers]):
        response.raw_headers.append((name, value))
