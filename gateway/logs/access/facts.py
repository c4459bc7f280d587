"""Single facts of an entry, as the codes of a format ask for them."""

import os
import re
import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from gateway.directives import table
from gateway.directives.settings import Settings
from gateway.logs.access.entry import Entry
from gateway.logs.access.masks import Masks, masked
from gateway.mapping.found import StaticFile
from gateway.program import Program
from gateway.protocol.cookies import PREFIX
from gateway.protocol.environ import Request
from gateway.request.conditional import conditions, variables_of
from gateway.sessions.lifecycle import State
from gateway.web.retired import RetiredHandle

_HOST = re.compile(rb"([A-Za-z0-9._\-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]*)?")
_UNIX = "unix:"
_NOTHING = "-"
_REMEMBERED = 1024
_OVER = (State.ENDING, State.GONE)


def request(entry: Entry, first: bool) -> Request:
    """The request as it came, or as it was redirected."""
    return entry.request if first else entry.record.request


def client(entry: Entry) -> str:
    """The client's address; `unix:` on a Unix socket, as REMOTE_ADDR."""
    address = entry.record.request.client
    return address[0] if address else _UNIX


def peer(entry: Entry) -> str:
    """The address at the other end of the connection: a proxy's, where there is one."""
    address = entry.connection.client
    return address[0] if address else _UNIX


def local(entry: Entry) -> tuple[str, int]:
    """Address and port at which the request arrived."""
    address, port = entry.request.server or (_UNIX, None)
    return address, port or (443 if entry.request.scheme == "https" else 80)


def port(entry: Entry, which: str) -> str:
    """`remote`: the client's; else that at which the request arrived."""
    if which == "remote":
        address = entry.record.request.client
        return str(address[1]) if address and address[1] else _NOTHING
    return str(local(entry)[1])


def protocol(entry: Entry) -> bytes:
    """`HTTP/1.1`."""
    return b"HTTP/" + entry.request.http_version.encode()


def query(asked: Request) -> bytes:
    """The query with its question mark, or nothing."""
    return b"?" + asked.query if asked.query else b""


def status(entry: Entry, first: bool) -> str:
    """The status; `-` when the client left before there was one."""
    before = entry.record.before
    number = before[0] if first and before else entry.status
    return _NOTHING if number is None else str(number)


def user(entry: Entry, first: bool, shown: Callable[[bytes], str]) -> str:
    """The user's name; an empty one is `""`, as in Apache."""
    before = entry.record.before
    name = before[1] if first and before else entry.record.user
    return _NOTHING if name is None else shown(name) or '""'


def end(entry: Entry) -> str:
    """`X` cut, `+` the connection may take another request, `-` it is closed (Apache, `%X`)."""
    if not entry.whole:
        return "X"
    return "+" if entry.followed or entry.connection.stays else "-"


def file(entry: Entry) -> bytes | None:
    """The file of the program, or the one that was sent."""
    matched, found = entry.record.matched, entry.record.found
    if matched is not None:
        return os.fsencode(matched[0].program.file)
    if isinstance(found, Program):
        return os.fsencode(found.file)
    return os.fsencode(found.path) if isinstance(found, StaticFile) else None


def cgi_name(entry: Entry) -> bytes | None:
    """The program's name, as written in the URL."""
    matched, found = entry.record.matched, entry.record.found
    if matched is not None:
        return matched[0].program.cgi_name
    return found.cgi_name if isinstance(found, Program) else None


def handler(entry: Entry) -> str:
    """`cgi-script` or `-`."""
    return _NOTHING if cgi_name(entry) is None else "cgi-script"


def server_name(entry: Entry) -> bytes:
    """ServerName of the host, else the address at which the request arrived."""
    name = entry.record.host.settings[table.ServerName]
    return name.encode() if name is not None else local(entry)[0].encode()


def named_host(entry: Entry) -> bytes:
    """The name that the client used for the host, else that of `server_name`."""
    given = header(entry, b"host")
    found = None if given is None else _HOST.fullmatch(given)
    return server_name(entry) if found is None else found[1]


def header(entry: Entry, name: bytes) -> bytes | None:
    """The first value of a request header."""
    return next((value for key, value in entry.record.request.headers if key == name), None)


def cookie(entry: Entry, name: bytes) -> bytes | None:
    """The value of a cookie, but for the gateway's own (W2)."""
    for key, value in entry.record.request.headers:
        if key == b"cookie":
            for pair in value.split(b";"):
                own, _, text = pair.strip().partition(b"=")
                if own == name and not own.startswith(PREFIX):
                    return text
    return None


def variable(entry: Entry, name: str, first: bool = False) -> bytes | None:
    """A variable of SetEnv or PassEnv, else of SetEnvIf; of the `first` request those of its host."""
    record, asked = entry.record, request(entry, first)
    settings = record.settings if asked is record.request else record.host.settings
    value = _variables(settings).get(name)
    lines = conditions(settings)
    if value is None and lines:
        value = variables_of(lines, asked).get(name)
    return None if value is None else os.fsencode(value)


@lru_cache(_REMEMBERED)
def _variables(settings: Settings) -> Mapping[str, str]:
    return settings[table.SetEnv].effective(os.environ)


def tls(entry: Entry, name: str) -> str:
    """SSL_PROTOCOL, SSL_CIPHER or HTTPS of a connection by TLS; `-` for all others."""
    secured = entry.connection.transport.get_extra_info("ssl_object")
    if secured is None:
        return _NOTHING
    known = {"HTTPS": "on", "SSL_PROTOCOL": secured.version(), "SSL_CIPHER": (secured.cipher() or (None,))[0]}
    return known.get(name) or _NOTHING


def number(entry: Entry) -> int | None:
    """The request's number within its session; the one that began it is 1."""
    call = entry.record.call
    return None if call is None or call.session is None else call.number


def program_time(entry: Entry) -> int | None:
    """Microseconds from when the program was handed out until its response was over; None: no program was."""
    call = entry.record.call
    return None if call is None else int(((call.ended or time.monotonic()) - call.began) * 1_000_000)


def queue_time(entry: Entry) -> int:
    """Microseconds in the queues of a session (R5), of a shared instance (S5), of MaxCGIJobs (L2)."""
    return int(entry.record.waited * 1_000_000)


class Facts:
    """What has a URL in it: handles are masked (W3)."""

    def __init__(self, masks: Masks) -> None:
        self._masks = masks

    def target(self, entry: Entry, first: bool) -> bytes:
        """Path and query of the request, encoded as they came."""
        return self.raw_path(entry, first) + query(request(entry, first))

    def raw_path(self, entry: Entry, first: bool) -> bytes:
        """The path, encoded as it came."""
        record, path = entry.record, request(entry, first).raw_path
        shown = entry.shown.get(path)
        if shown is None:
            own = record.matched is not None and path == record.request.raw_path
            known = (record.matched[1],) if own and record.matched is not None else ()
            shown = entry.shown[path] = self._masks.path(record.host.key, path, known)
        return shown

    def path(self, entry: Entry, first: bool) -> bytes:
        """The path, decoded."""
        return unquote_to_bytes(self.raw_path(entry, first))

    def request_line(self, entry: Entry, first: bool) -> bytes:
        """The first line of the request; `-` when none came (Apache logs a 408 so)."""
        asked = request(entry, first)
        if not asked.raw_path:
            return b"-"
        return b"%b %b %b" % (asked.method.encode(), self.target(entry, first), protocol(entry))

    def url(self, entry: Entry, url: bytes) -> bytes:
        """A URL out of a header."""
        return self._masks.url(entry.record.host.key, url)

    def session(self, entry: Entry) -> tuple[str | None, str | None]:
        """The masked handle of the request's session, and what became of it: `started`, `continued`, `ended`;
        of one that was over already, why (R4)."""
        record = entry.record
        if record.matched is not None:
            session, handle = record.matched
            return _masked(handle), "ended" if session.instance.state in _OVER else "continued"
        if record.started is not None:
            return _masked(record.started.handles.current), "started"
        if isinstance(record.error, RetiredHandle):
            handles = self._masks.handles(record.host.key, record.request.raw_path)
            return _masked(handles[0]) if handles else None, record.error.reason.word
        return None, None


def _masked(handle: bytes) -> str:
    return masked(handle).decode("ascii", "replace")
