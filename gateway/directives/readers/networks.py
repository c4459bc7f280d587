"""Networks of `Require ip`, `Allow from` and `RemoteIPTrustedProxy`: which addresses they hold."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from functools import lru_cache

from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.addresses import normal_ip

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
EXPECTED = (
    "an address, the beginning of one (10.1), a network (10.1.0.0/16, 10.1.0.0/255.255.0.0, 2001:db8::/32)"
)

_PARTIAL = re.compile(r"[0-9]{1,3}(?:\.[0-9]{1,3}){0,2}\.?")
_REMEMBERED = 1024


def network(word: str) -> str:
    """The one spelling of a network: a bare address, or address/length; names are not looked up. Raises
    Malformed."""
    if _PARTIAL.fullmatch(word):
        parts = word.rstrip(".").split(".")
        word = ".".join([*parts, *["0"] * (4 - len(parts))]) + f"/{8 * len(parts)}"
    try:
        found = ipaddress.ip_network(word, strict=False)
    except ValueError:
        raise Malformed(f"{EXPECTED}; host names are not looked up", shown([word])) from None
    mask = word.partition("/")[2]
    if "%" in word or ("." in mask and mask != str(found.netmask)):  # 0.0.0.255 is none of Apache's masks
        raise Malformed(EXPECTED, shown([word]))
    found = _unmapped(found)
    return str(found.network_address) if found.prefixlen == found.max_prefixlen else str(found)


def _unmapped(found: Network) -> Network:
    """An IPv4 network that is written as a part of ::ffff:0:0/96 (as `normal_ip` does with addresses)."""
    mapped = found.network_address.ipv4_mapped if isinstance(found, ipaddress.IPv6Network) else None
    if mapped is None or found.prefixlen < 96:
        return found
    return ipaddress.IPv4Network((mapped, found.prefixlen - 96))


@lru_cache(maxsize=_REMEMBERED)
def _parsed(networks: tuple[str, ...]) -> tuple[Network, ...]:
    return tuple(map(ipaddress.ip_network, networks))


@lru_cache(maxsize=_REMEMBERED)
def holds(networks: tuple[str, ...], address: str | None) -> bool:
    """Whether one of the networks (as `network` spells them) has the address; None, no address, is in none."""
    ip = None if address is None else normal_ip(address.partition("%")[0])
    if ip is None:
        return False
    parsed = ipaddress.ip_address(ip)
    return any(parsed in one for one in _parsed(networks))


def spelled(words: Iterable[str]) -> tuple[str, ...]:
    """Each word as `network` spells it. Raises Malformed."""
    return tuple(map(network, words))
