"""All connections of a front together: how many there may be, and who is too many."""

import resource
import time
from email.utils import formatdate

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
_RETRY_AFTER = 5
_MANY = 1 << 30


class Crowd:
    """`connections` are those that have been made, `guests` those that are not yet (TLS handshakes)."""

    def __init__(self, configuration: Configuration, log: ErrorLog) -> None:
        self.connections: set[Client] = set()
        self.guests: set[object] = set()
        self.limits = LimitsByAddress(configuration)
        self.sweeper = Sweeper(self.connections, self.limits.quickest)
        self._log, self._said = log, 0.0
        settings = configuration.server.settings
        wanted = settings[table.MaxConnections]
        self.most = min(wanted, _possible(settings[table.MaxCGIJobs]))
        if self.most < wanted:
            text = f"MaxConnections {wanted} is lowered to {self.most}: RLIMIT_NOFILE allows no more"
            log("notice", text, module="http")

    def room(self) -> bool:
        """Whether one more can be spoken to at all."""
        return len(self.connections) + len(self.guests) < self.most + _TURNED_AWAY

    def admit(self, connection: Client) -> None:
        """A connection was made: let it in, or tell it to come again."""
        self.sweeper.wake()
        count = len(self.connections) + len(self.guests)
        if count <= self.most:
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
