"""The meta-variables of a request (RFC 3875, section 4.1; names beyond it as in Apache)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from gateway import __version__
from gateway.protocol.cookies import PREFIX, without_own
from gateway.protocol.redirection import Redirection
from gateway.protocol.redirection import Variables as Variables

_HOST = re.compile(rb"([A-Za-z0-9._\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]*)?")
_HEADER = re.compile(rb"[a-z0-9\-]+")
_LONGEST_MEMOISED = 64
# Credentials are checked by the server (RFC 3875, section 9.2); `Proxy` would pose as HTTP_PROXY; a chunked
# body has become one of known length (P10).
_WITHHELD = {b"authorization", b"proxy-authorization", b"proxy", b"content-length", b"transfer-encoding"}


# What each request sets anew, whatever SetEnv says
_OF_REQUEST = frozenset(
    b"REQUEST_METHOD QUERY_STRING REQUEST_URI SERVER_PROTOCOL UNIQUE_ID PATH_INFO PATH_TRANSLATED "
    b"CONTENT_LENGTH REMOTE_USER AUTH_TYPE SERVER_ADDR SERVER_PORT REQUEST_SCHEME HTTPS REMOTE_ADDR "
    b"REMOTE_PORT QZHBNEXT_SESSION_HANDLE".split()
)


@dataclass(slots=True)
class Request:
    """A request as it came: `raw_path` not decoded, `headers` with lower-case names.

    `client` and `server` are (address, port), None on a Unix socket. `unique_id` is UNIQUE_ID. `came_by`: how
    it came out of another request within the gateway.
    """

    method: str
    raw_path: bytes
    query: bytes
    http_version: str
    headers: Sequence[tuple[bytes, bytes]]
    client: tuple[str, int] | None
    server: tuple[str, int | None] | None
    scheme: str
    unique_id: bytes
    came_by: Redirection | None = None

    @property
    def uri(self) -> bytes:
        """REQUEST_URI: what the client asked for."""
        if self.came_by is not None:
            return self.came_by.uri
        return self.raw_path + b"?" + self.query if self.query else self.raw_path


class UniqueIds:
    """Identifiers of requests: a seed of the process, then a count."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed.hex().encode()
        self._count = 0

    def next(self) -> bytes:
        """An identifier never given before with this seed."""
        self._count += 1
        return b"%b-%x" % (self._seed, self._count)


def fixed_variables(
    *,
    script_name: bytes,
    script_filename: bytes,
    document_root: bytes,
    server_name: bytes | None = None,
    server_admin: bytes | None = None,
    context_prefix: bytes | None = None,
    context_document_root: bytes | None = None,
) -> Variables:
    """The variables that are the same for every request to one cgi-name."""
    optional = {
        b"SERVER_NAME": server_name,
        b"SERVER_ADMIN": server_admin,
        b"CONTEXT_PREFIX": context_prefix,
        b"CONTEXT_DOCUMENT_ROOT": context_document_root,
    }
    return {
        b"GATEWAY_INTERFACE": b"CGI/1.1",
        b"SERVER_SOFTWARE": b"persistent-cgi/" + __version__.encode(),
        b"SCRIPT_NAME": script_name,
        b"SCRIPT_FILENAME": script_filename,
        b"DOCUMENT_ROOT": document_root,
    } | {name: value for name, value in optional.items() if value is not None}


def lasting(fixed: Variables) -> Variables:
    """Those of `fixed` that no request replaces."""
    return {
        name: value
        for name, value in fixed.items()
        if name not in _OF_REQUEST and not name.startswith(b"HTSESSION_")
    }


def request_variables(request: Request, fixed: Variables, message: Variables) -> Variables:
    """All variables of a request but the session's; `message` are its `message_variables`."""
    return {**fixed, **connection_variables(request.client, request.server, request.scheme), **message}


def message_variables(
    request: Request,
    fixed: Variables,
    *,
    path_info: bytes,
    content_length: int | None,
    translate: Callable[[bytes], bytes] | None = None,
    called: Callable[[bytes], bytes] | None = None,
    remote_user: bytes | None = None,
    auth_type: bytes | None = None,
) -> Variables:
    """What a request has beyond `fixed` and its connection; `fixed` wins over headers of the same spelling.

    `content_length` None means no body: CONTENT_LENGTH is absent. `path_info` is decoded; absent when empty.
    `called` gives SERVER_NAME for a Host header where it is not in `fixed`; without it any valid name counts.
    `translate` finds the file of a URL path (PATH_TRANSLATED, absent when it is empty); without it that lies
    below DOCUMENT_ROOT.
    """
    variables = _header_variables(request.headers, fixed)
    variables[b"REQUEST_METHOD"] = request.method.encode()
    variables[b"QUERY_STRING"] = request.query
    variables[b"REQUEST_URI"] = request.uri
    variables[b"SERVER_PROTOCOL"] = b"HTTP/" + request.http_version.encode()
    variables[b"UNIQUE_ID"] = request.unique_id
    if called is not None:
        variables[b"SERVER_NAME"] = called(variables.get(b"HTTP_HOST", b""))
    elif b"SERVER_NAME" not in fixed:
        address = "" if request.server is None else request.server[0]
        variables[b"SERVER_NAME"] = server_name(variables.get(b"HTTP_HOST", b"")) or _literal(address)
    if path_info:
        variables[b"PATH_INFO"] = path_info
        if translate is None:
            variables[b"PATH_TRANSLATED"] = fixed[b"DOCUMENT_ROOT"].rstrip(b"/") + path_info
        elif file := translate(path_info):
            variables[b"PATH_TRANSLATED"] = file
    if content_length is not None:
        variables[b"CONTENT_LENGTH"] = b"%d" % content_length
    if remote_user is not None:
        variables[b"REMOTE_USER"] = remote_user
    if auth_type is not None:
        variables[b"AUTH_TYPE"] = auth_type
    if request.came_by is not None:
        before = request.came_by.variables
        variables |= {name: value for name, value in before.items() if name not in fixed}
    return variables


@lru_cache(maxsize=1024)
def connection_variables(
    client: tuple[str, int] | None, server: tuple[str, int | None] | None, scheme: str
) -> Mapping[bytes, bytes]:
    """Both ends of the connection. Without addresses (a Unix socket) REMOTE_ADDR is `unix:`, as in nginx;
    the port of a client behind a proxy is not known (0)."""
    address, port = server or ("", None)
    variables = {
        b"SERVER_ADDR": address.encode(),
        b"SERVER_PORT": b"%d" % (port or (443 if scheme == "https" else 80)),
        b"REQUEST_SCHEME": scheme.encode(),
    }
    if scheme == "https":
        variables[b"HTTPS"] = b"on"
    if client is None:
        variables[b"REMOTE_ADDR"] = b"unix:"
    else:
        variables[b"REMOTE_ADDR"] = client[0].encode()
        if client[1]:
            variables[b"REMOTE_PORT"] = b"%d" % client[1]
    return variables


def authorization(headers: Sequence[tuple[bytes, bytes]]) -> Variables:
    """HTTP_AUTHORIZATION, for programs that check it themselves (CGIPassAuth)."""
    values = [value for name, value in headers if name == b"authorization"]
    return {b"HTTP_AUTHORIZATION": b", ".join(values)} if values else {}


def session_variables(
    *,
    timeout: float,
    max_timeout: float,
    next_handle: bytes,
    handle: bytes | None = None,
    rest: bytes = b"",
    current_handle: bytes | None = None,
    retry: bool = False,
    expired: bool = False,
    ended: bytes = b"",
) -> Variables:
    """The HTSESSION_ variables (R4, R6, R7, R8, H11); times in seconds, `handle` None on a fresh start.

    `ended` names the sessions of a shared instance that are over (S4).
    `current_handle` is given when `handle` is a previous one (R6): the call is then HTSESSION_STALE.
    """
    variables = {
        b"HTSESSION_NEXT_HANDLE": next_handle,
        b"QZHBNEXT_SESSION_HANDLE": next_handle,
        b"HTSESSION_TIMEOUT": b"%d" % timeout,
        b"HTSESSION_MAX_TIMEOUT": b"%d" % max_timeout,
    }
    if handle is not None:
        variables[b"HTSESSION_HANDLE"] = handle
        variables[b"HTSESSION_PATH_INFO"] = rest
    if current_handle is not None:
        variables[b"HTSESSION_STALE"] = b"1"
        variables[b"HTSESSION_CURRENT_HANDLE"] = current_handle
    if retry:
        variables[b"HTSESSION_RETRY"] = b"1"
    if expired:
        variables[b"HTSESSION_STATUS"] = b"expired"
    if ended:
        variables[b"HTSESSION_ENDED"] = ended
    return variables


def _header_variables(headers: Sequence[tuple[bytes, bytes]], fixed: Variables) -> Variables:
    """HTTP_* and CONTENT_TYPE; repeated headers joined (RFC 3875, section 4.1.18; RFC 6265, section 5.4)."""
    variables: Variables = {}
    for name, value in headers:
        variable = _variable(name) if len(name) <= _LONGEST_MEMOISED else _variable.__wrapped__(name)
        if variable is None or variable in fixed:
            continue
        if variable in variables:
            separator = b"; " if variable == b"HTTP_COOKIE" else b", "
            variables[variable] += separator + value
        else:
            variables[variable] = value
    cookie = variables.get(b"HTTP_COOKIE")
    if cookie is not None and PREFIX in cookie:  # the gateway's own (W2)
        variables[b"HTTP_COOKIE"] = without_own(cookie)
        if not variables[b"HTTP_COOKIE"]:
            del variables[b"HTTP_COOKIE"]
    return variables


@lru_cache(maxsize=1024)
def _variable(header: bytes) -> bytes | None:
    """A header's variable; None when withheld, or when it could pose as another's (`a_b`, `a-b`)."""
    if header in _WITHHELD or not _HEADER.fullmatch(header):
        return None
    name = header.upper().replace(b"-", b"_")
    return name if name == b"CONTENT_TYPE" else b"HTTP_" + name


@lru_cache(maxsize=256)
def server_name(host: bytes) -> bytes | None:
    """The name in a Host header in lower case, without the port; None when it is not a host name or address."""
    found = _HOST.fullmatch(host)
    return found[1].lower() if found else None


def _literal(address: str) -> bytes:
    """A local address as SERVER_NAME (RFC 3875, section 4.1.14)."""
    return f"[{address}]".encode() if ":" in address else address.encode() or b"localhost"
