"""How many sessions a user and a client have (L2), told by numbers that stand for them."""

import ipaddress
from collections import Counter, defaultdict
from functools import lru_cache
from hashlib import blake2b

from gateway.keeper.table import Holders as Holders
from gateway.keeper.table import Table

NOBODY = 0
_REMEMBERED = 4096
_IPV6_NETWORK = 8  # bytes: what one subscriber has


def user_number(host: str, user: bytes | None) -> int:
    """The number of a user of a virtual host; NOBODY without a user."""
    return NOBODY if user is None else _number(b"user\0%b\0%b" % (host.encode(), user))


@lru_cache(_REMEMBERED)
def client_number(address: str | None) -> int:
    """The number of a client: an IPv4 address, or 64 bits of an IPv6 address; NOBODY without an address."""
    if address is None:
        return NOBODY
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return NOBODY
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    return _number(b"client\0" + ip.packed[: _IPV6_NETWORK if ip.version == 6 else 4])


def _number(text: bytes) -> int:
    return int.from_bytes(blake2b(text, digest_size=8).digest(), "little") or 1


class Quotas:
    """Counts the sessions of this front's instances: an instance's last one until the process is reaped, as L1
    does. While another front serves too the shared table is asked, in which all are."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self._held: Counter[int] = Counter()
        self._by_instance: defaultdict[int, list[Holders]] = defaultdict(list)

    def hold(self, instance: int, holders: Holders) -> None:
        """A session begins, or is adopted."""
        self._by_instance[instance].append(holders)
        self._held.update(filter(None, holders))

    def leave(self, instance: int, holders: Holders) -> None:
        """One session of an instance is over that lives on."""
        self._by_instance[instance].remove(holders)
        self._drop(holders)

    def free(self, instance: int) -> None:
        """An instance has been reaped, or is another front's."""
        for holders in self._by_instance.pop(instance, ()):
            self._drop(holders)

    def sessions(self, holder: int, *, overlap: bool) -> int:
        """How many sessions a user or client has; `overlap`: another front serves too."""
        return self._table.held_by(holder) if overlap else self._held[holder]

    def _drop(self, holders: Holders) -> None:
        for holder in filter(None, holders):
            self._held[holder] -= 1
            if not self._held[holder]:
                del self._held[holder]
