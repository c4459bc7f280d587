"""All connections of a front together: how many there may be, and who is too many."""

import resource
import time
from collections import Counter
from email.utils import formatdate
from itertools import islice

from gateway.configuration.load import Configuration
from gateway.directives import table
from gateway.front.client import Client
from gateway.front.limits import LimitsByAddress
from gateway.front.slow import Sweeper
from gateway.logs.error import ErrorLog

_OWN = 64  # descriptors of the front itself: logs, links, listening sockets
_OF_JOB = 3  # pipes of a program, and its body on its way to it
_OF_CONNECTION = 2  # the socket, and a file that is sent or a body that is spooled
_TURNED_AWAY = 64  # connections beyond the limit that are still told so
_SAID_AGAIN = 60.0  # seconds between two lines in the log
_GIVING_WAY = 64  # idle connections that are closed at once
_COUNTED_AGAIN = 0.25  # seconds
_RETRY_AFTER = 5
_MANY = 1 << 30


class Crowd:
    """`connections` are those that have been made, `guests` those that are not yet (TLS handshakes)."""

    def __init__(self, configuration: Configuration, log: ErrorLog) -> None:
        self.connections: set[Client] = set()
        self.guests: set[object] = set()
        self.limits = LimitsByAddress(configuration)
        self.sweeper = Sweeper(self.connections, self.limits.quickest)
        self._counts = Counter[str]()  # connections of each address
        self._log, self._said = log, 0.0
        self._greediest: str | None = None  # the address that had the most connections, good until then
        self._until = 0.0
        settings = configuration.server.settings
        wanted = settings[table.MaxConnections]
        self.most = min(wanted, _possible(settings[table.MaxCGIJobs]))
        if self.most < wanted:
            text = f"MaxConnections {wanted} is lowered to {self.most}: RLIMIT_NOFILE allows no more"
            log("notice", text, module="http")

    def room(self) -> bool:
        """Whether one more can be spoken to at all."""
        return len(self.connections) + len(self.guests) < self.most + _TURNED_AWAY

    def shuts_out(self, address: str | None) -> bool:
        """Whether a connection from there would be cut at once, so that it need not be made at all."""
        if self.room() or address is None or address != self._greediest:
            return False
        return time.monotonic() < self._until

    def admit(self, connection: Client) -> None:
        """A connection was made: let it in, or tell it to come again."""
        self.sweeper.wake()
        if (address := _address(connection)) is not None:
            self._counts[address] += 1
        count = len(self.connections) + len(self.guests)
        if count <= self.most or self._made_room(connection):
            return
        now = time.monotonic()
        if not self._said or now - self._said > _SAID_AGAIN:
            self._said = now
            text = f"MaxConnections {self.most} reached: clients are turned away (503)"
            self._log("warn", text, module="http")
        if count > self.most + _TURNED_AWAY:
            connection.transport.abort()
        else:
            connection.turn_away(_refusal())

    def leave(self, connection: Client) -> None:
        """A connection that was made is over."""
        if (address := _address(connection)) is not None:
            self._counts[address] -= 1
            if not self._counts[address]:
                del self._counts[address]

    def _made_room(self, newcomer: Client) -> bool:
        """Whether idle connections of the address that has the most give way to one of another address, so that
        nobody keeps all others out by mere connections."""
        address, now = _address(newcomer), time.monotonic()
        if address is None or (address == self._greediest and now < self._until):
            return False
        self._greediest, most = self._counts.most_common(1)[0]
        self._until = now + _COUNTED_AGAIN
        if address == self._greediest or self._counts[address] >= most // 2:
            return False
        theirs = (one for one in self.connections if _address(one) == self._greediest)
        quiet = (one for one in theirs if one.is_idle() and not one.transport.is_closing())
        idle = list(islice(quiet, _GIVING_WAY))
        for connection in idle:
            connection.transport.close()
        return bool(idle)


def _address(connection: Client) -> str | None:
    """Where a client connects from; None for a Unix socket, where a proxy connects for many."""
    return None if connection.client is None else connection.client[0]


def _possible(jobs: int) -> int:
    """How many connections the limit of open files allows, raised as far as it goes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    if hard == resource.RLIM_INFINITY:
        return _MANY
    return max(1, (hard - _OWN - _OF_JOB * jobs) // _OF_CONNECTION - _TURNED_AWAY)


def _refusal() -> bytes:
    text = b"503 Service Unavailable\n\nThe server has too many visitors. Please try again in a moment.\n"
    date = formatdate(usegmt=True).encode()
    return (
        b"HTTP/1.1 503 Service Unavailable\r\ndate: %b\r\nserver: persistent-cgi\r\nretry-after: %d\r\n"
        b"content-type: text/plain; charset=utf-8\r\ncontent-length: %d\r\nconnection: close\r\n\r\n%b"
        % (date, _RETRY_AFTER, len(text), text)
    )
