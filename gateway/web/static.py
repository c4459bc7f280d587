"""Static files: ETag, Last-Modified, Range, HEAD and 304, by Starlette."""

import os

from starlette.responses import Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gateway.errors import MethodNotAllowed, NotFound

_files = StaticFiles()


def respond(path: str, scope: Scope) -> Response:
    """The response for a regular file. Raises MethodNotAllowed, NotFound (it has just been removed)."""
    if scope["method"] not in ("GET", "HEAD"):
        raise MethodNotAllowed(f"{path}: {scope['method']}", headers=((b"allow", b"GET, HEAD"),))
    try:
        return _files.file_response(path, os.stat(path), scope)
    except OSError as error:
        raise NotFound(f"{path}: {error.strerror}") from error
