"""How often one client is told that a session is over (W4): who guesses handles is stopped."""

import time
from collections import OrderedDict
from collections.abc import Callable

from gateway.directives import table
from gateway.errors import GatewayError, TooMany
from gateway.request.incoming import Record
from gateway.sessions.quotas import client_number
from gateway.web.retired import RetiredHandle

WINDOW = 60.0  # seconds
MOST_CLIENTS = 10_000


class Lookups:
    """Counts the answers of R4 of the clients that came last, each in a minute that its first one begins."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._known: OrderedDict[int, tuple[float, int]] = OrderedDict()  # when it began, how many

    def judge(self, error: RetiredHandle, record: Record) -> GatewayError:
        """The answer itself, or TooMany in its place."""
        most, address = record.settings[table.PersistentCGILookupLimit], record.request.client
        client = client_number(address[0] if address is not None else None)
        if not most or not client:
            return error
        now = self._clock()
        began, count = self._known.get(client, (now, 0))
        if now - began >= WINDOW:
            began, count = now, 0
        self._known[client] = began, count + 1
        self._known.move_to_end(client)
        if len(self._known) > MOST_CLIENTS:
            self._known.popitem(last=False)
        if count < most:
            return error
        text = f"PersistentCGILookupLimit {most} is reached by a client" if count == most else ""
        return TooMany(text, retry_after=began + WINDOW - now)
