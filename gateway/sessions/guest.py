"""Whoever may begin a session by a request: counted as whom, known again by what."""

from typing import NamedTuple

from gateway.sessions.quotas import NOBODY as NO_HOLDER
from gateway.sessions.quotas import Holders
from gateway.sessions.rates import Ticket


class Guest(NamedTuple):
    """`holders`: the user and the client whose sessions are counted (L2); `bind`: the value of the browser's
    cookie, None where sessions are not bound to one, and `set_cookie` the header that gives it to a browser
    that has none (W2); `ticket`: what it costs of the client's rate; `unwelcome`: no session begins (L3)."""

    holders: Holders = (NO_HOLDER, NO_HOLDER)
    bind: bytes | None = None
    set_cookie: bytes | None = None
    ticket: Ticket | None = None
    unwelcome: bool = False


NOBODY = Guest()
