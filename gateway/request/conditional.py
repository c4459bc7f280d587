"""The variables that SetEnvIf and BrowserMatch give a request."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from gateway.directives import table
from gateway.directives.readers.setenvif import Conditions, Subject, active, evaluate
from gateway.directives.settings import Settings
from gateway.protocol.environ import Request, Variables, connection_variables

_NOTHING: Mapping[str, str] = {}


@lru_cache(maxsize=1024)
def conditions(settings: Settings) -> Conditions:
    """The lines that can set something there."""
    return active(settings[table.SetEnvIf])


def variables_of(lines: Conditions, request: Request) -> Mapping[str, str]:
    """What the lines say of a request; bytes beyond UTF-8 are kept as surrogates."""
    if not lines:
        return _NOTHING
    aspects = {
        "remote_addr": request.client[0] if request.client else "",
        "server_addr": request.server[0] if request.server else "",
        "request_method": request.method,
        "request_protocol": f"HTTP/{request.http_version}",
        "request_uri": _text(unquote_to_bytes(request.raw_path)),
    }
    headers = [(name.decode("latin-1"), _text(value)) for name, value in request.headers]
    return evaluate(lines, Subject(headers, aspects))


def add_conditional(variables: Variables, lines: Conditions, request: Request, fixed: Variables) -> None:
    """Add them to a request's variables, but for those that SetEnv gives or the request has itself, and values
    that none can have: a URL with %00 is refused, but what answers may be a program (ErrorDocument)."""
    connection = connection_variables(request.client, request.server, request.scheme)
    for name, value in variables_of(lines, request).items():
        key = _bytes(name)
        if key not in variables and key not in fixed and key not in connection and "\0" not in value:
            variables[key] = _bytes(value)


def _text(value: bytes) -> str:
    return value.decode("utf-8", "surrogateescape")


def _bytes(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")
