"""Static files: ETag, Last-Modified, Range, HEAD and 304, by Starlette."""

import os

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.errors import MethodNotAllowed, NotFound

_files = StaticFiles()


def respond(path: str, scope: Scope, kind: str | None = None) -> Response:
    """The response for a regular file; `kind` is its Content-Type, None to go by its name. Raises
    MethodNotAllowed, NotFound (it has just been removed)."""
    if scope["method"] not in ("GET", "HEAD"):
        raise MethodNotAllowed(f"{path}: {scope['method']}", headers=((b"allow", b"GET, HEAD"),))
    try:
        response = _files.file_response(path, os.stat(path), scope)
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}") from error
    if isinstance(response, FileResponse):  # which would call every text UTF-8, whatever the page itself says
        response.headers["content-type"] = kind or str(response.media_type)
    return response
