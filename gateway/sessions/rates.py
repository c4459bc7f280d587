"""How fast clients may begin sessions (PersistentCGIClientRate), in bounded memory however many they are."""

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar

from gateway.directives.readers.rates import Rate
from gateway.errors import TooMany
from gateway.program import Name, Program

MOST_CLIENTS = 10_000
_MOST_PROGRAMS = 1024
_SAID_AGAIN = 60.0  # seconds between two lines in the log about one client

_Who = tuple[int, Rate]
K = TypeVar("K")
V = TypeVar("V")


class _Account:
    """`due`: when the client would have come, had it kept to the rate (the generic cell rate algorithm of ITU-T
    I.371); `said`: when the log was told."""

    __slots__ = ("due", "said")

    def __init__(self) -> None:
        self.due = 0.0
        self.said: float | None = None


class Ticket:
    """The right of one request to begin a session: paid before the start of a program that is known to persist,
    of others when its response asks for a session."""

    def __init__(self, rates: "Rates", who: _Who, name: Name) -> None:
        self._rates, self._who, self._name = rates, who, name
        self._paid = self._asked = False

    def take(self) -> bool:
        """The response asks for a session: whether one may begin. The program is known to persist now."""
        self._asked = True
        self._rates.persists(self._name)
        return self.pay()

    def pay(self) -> bool:
        """Whether the client's rate has room for it."""
        self._paid = self._paid or self._rates.pay(self._who)
        return self._paid

    def settle(self) -> None:
        """The request is over; one whose response asked for no session costs nothing."""
        if self._paid and not self._asked:
            self._rates.pay_back(self._who)


class Rates:
    """The accounts of the clients that came last, and the programs that are known to persist."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._accounts: OrderedDict[_Who, _Account] = OrderedDict()
        self._persisting: OrderedDict[Name, None] = OrderedDict()

    def ticket(self, program: Program, client: int) -> Ticket | None:
        """For a request that may begin a session; None: no rate holds for it. Raises TooMany."""
        if program.rate is None or not client:
            return None
        who = client, program.rate
        ticket = Ticket(self, who, program.name)
        if program.name in self._persisting and not ticket.pay():
            raise self._refusal(who, program)
        return ticket

    def persists(self, name: Name) -> None:
        """A response of this program has asked for a session."""
        _newest(self._persisting, name, None, _MOST_PROGRAMS)

    def pay(self, who: _Who) -> bool:
        """Count one more session, if there may be one now."""
        account, now = self._account(who), self._clock()
        if self._wait(who, account, now) > 0:
            return False
        account.due = max(account.due, now) + who[1].each
        return True

    def pay_back(self, who: _Who) -> None:
        """No session was asked for."""
        self._account(who).due -= who[1].each

    def _account(self, who: _Who) -> _Account:
        return _newest(self._accounts, who, self._accounts.get(who) or _Account(), MOST_CLIENTS)

    def _wait(self, who: _Who, account: _Account, now: float) -> float:
        """Seconds until one more may begin."""
        return account.due - now - (who[1].burst - 1) * who[1].each

    def _refusal(self, who: _Who, program: Program) -> TooMany:
        account, now = self._account(who), self._clock()
        text = ""
        if account.said is None or now - account.said > _SAID_AGAIN:
            account.said = now
            text = f"HTS003 PersistentCGIClientRate is reached, nothing is started: {program.text}"
        return TooMany(text, retry_after=self._wait(who, account, now))


def _newest(known: "OrderedDict[K, V]", key: K, value: V, most: int) -> V:
    known[key] = value
    known.move_to_end(key)
    if len(known) > most:
        known.popitem(last=False)
    return value
