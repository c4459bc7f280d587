"""What a connection may do: the settings of the first host of its address, once for each address."""

from functools import lru_cache
from typing import NamedTuple

from gateway.configuration.load import Configuration
from gateway.directives import table
from gateway.directives.readers.pace import PACES, Pace
from gateway.directives.settings import Settings

LARGEST_HEAD = 1 << 20  # bytes of a head where LimitRequestFields is 0


class Limits(NamedTuple):
    """Sizes in bytes, times in seconds. `fields` is never 0; `smallest` is a size that no rule forbids.
    `requests` 0: as many as come; `free`: neither that nor KeepAlive ends a connection."""

    line: int
    field: int
    fields: int
    smallest: int
    keep_alive: bool
    keep_alive_timeout: float
    requests: int
    free: bool
    handshake: Pace
    header: Pace
    body: Pace
    timeout: float

    @property
    def quickest(self) -> float:
        """The shortest of the times, which says how often to look."""
        paces = [pace.first for pace in (self.header, self.body) if pace.first]
        return min(self.keep_alive_timeout, self.timeout, *paces)


class LimitsByAddress:
    """Finds the limits of a local address: (IP address, port), or the path of a Unix socket and None."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self.find = lru_cache(1024)(self._find)
        hosts = (configuration.server, *configuration.hosts)
        self.quickest = min(limits(host.settings).quickest for host in hosts)

    def _find(self, server: tuple[str, int | None] | None) -> Limits:
        address, port = server or (None, None)
        return limits(self._configuration.select(address, port, None).settings)


def limits(settings: Settings) -> Limits:
    """The limits that these settings give."""
    line, field = settings[table.LimitRequestLine], settings[table.LimitRequestFieldSize]
    fields = settings[table.LimitRequestFields] or LARGEST_HEAD
    paces = {**PACES, **settings[table.RequestReadTimeout]}
    return Limits(
        line,
        field,
        fields,
        min(line, field),
        settings[table.KeepAlive] == "On",
        settings[table.KeepAliveTimeout],
        settings[table.MaxKeepAliveRequests],
        settings[table.KeepAlive] == "On" and not settings[table.MaxKeepAliveRequests],
        paces["handshake"],
        paces["header"],
        paces["body"],
        settings[table.Timeout],
    )
