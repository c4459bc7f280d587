"""Who may use a living session, and to whom one that begins will belong (W1, W2, L2, L3)."""

from gateway.errors import Forbidden
from gateway.program import COOKIE, NONE, Program
from gateway.protocol.cookies import PREFIX, given, hold, set_cookie
from gateway.protocol.environ import Request
from gateway.request.incoming import Incoming, Record
from gateway.sessions.guest import Guest
from gateway.sessions.handle import HandleMint, mask
from gateway.sessions.quotas import client_number, user_number
from gateway.sessions.rates import Rates
from gateway.sessions.session import Session

_APART = 6  # characters of a value in the cookie's name: two first requests at once do not undo each other


def admit(request: Request, user: bytes | None, program: Program, session: Session, handle: bytes) -> None:
    """Let a request with this REMOTE_USER call a living session. Raises Forbidden: another user, another
    browser, a robot."""
    if session.user != user and program.binding != NONE:
        raise Forbidden(f"HTS005 the session is another user's: {program.text} {mask(handle)}")
    if session.bind is not None and program.binding == COOKIE and not hold(request.headers, session.bind):
        raise Forbidden(f"HTS005 the session is another browser's: {program.text} {mask(handle)}")
    if program.denied is not None and program.denied(_agent(request)):
        raise Forbidden(f"PersistentCGIDeny keeps this client from sessions: {program.text} {mask(handle)}")


def guest_of(on: Incoming, program: Program, mint: HandleMint, rates: Rates) -> Guest:
    """Whoever may begin a session with a program. Raises TooMany: the client has begun too many of late."""
    request = on.request
    unwelcome = on.head_only or (program.denied is not None and program.denied(_agent(request)))
    client = client_number(request.client[0] if request.client is not None else None)
    bind, header = _cookie(request, program, mint) if program.binding == COOKIE else (None, None)
    ticket = None if unwelcome else rates.ticket(program, client)
    return Guest((user_number(program.name[0], on.record.user), client), bind, header, ticket, unwelcome)


def inherited(record: Record) -> tuple[bytes, bytes] | None:
    """The Set-Cookie header of a request that has begun a session and is redirected within the gateway, so that
    the browser gets it with the answer; None: it has one, or needs none (W2)."""
    call = record.call
    if call is None or call.guest.set_cookie is None or call.session is None:
        return None
    return b"set-cookie", call.guest.set_cookie


def _cookie(request: Request, program: Program, mint: HandleMint) -> tuple[bytes, bytes | None]:
    """The value that the browser has for this cgi-name, or a new one and the header that gives it."""
    name = PREFIX + mint.tag(*program.name)
    for known, value in given(request.headers).items():
        if known.startswith(name) and mint.is_ours(value):
            return value, None
    value = mint.next()
    name += b"_" + value[:_APART]
    secure = request.scheme == "https"
    return value, set_cookie(name, value, program.cgi_name, secure=secure)


def _agent(request: Request) -> bytes:
    for name, value in request.headers:
        if name == b"user-agent":
            return value
    return b""
