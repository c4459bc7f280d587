"""Addresses of `Listen` and `<VirtualHost>`."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.directives.directive import Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.values import absolute

_ADDRESS = re.compile(
    r"(?P<host>\*|_default_|\[[^\]]*\]|[^:\[\]]+)?(?::(?P<port>[0-9]{1,5}|\*))?", re.IGNORECASE
)


class Address(NamedTuple):
    """An IP address (None: any) and a port (None: any) of a virtual host."""

    ip: str | None
    port: int | None

    def __str__(self) -> str:
        host = "*" if self.ip is None else f"[{self.ip}]" if ":" in self.ip else self.ip
        return f"{host}:{'*' if self.port is None else self.port}"


class Listener(NamedTuple):
    """A socket to listen on: an address ("" is every address) and a port, or a Unix path."""

    address: str
    port: int
    unix_path: str | None
    scheme: str

    def __str__(self) -> str:
        if self.unix_path is not None:
            return f"unix:{self.unix_path}"
        host = f"[{self.address}]" if ":" in self.address else self.address or "*"
        return f"{host}:{self.port}"

    @property
    def loopback(self) -> bool:
        """True if nobody beyond this machine can connect."""
        return self.unix_path is not None or (
            self.address != "" and ipaddress.ip_address(self.address).is_loopback
        )


def normal_ip(text: str) -> str | None:
    """The one spelling of an IP address (IPv4 within IPv6 becomes IPv4); None if it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def parse_address(word: str) -> Address:
    """The address of a virtual host: `*:80`, `192.0.2.1:80`, `[::1]:8080`, `_default_`, `*`."""
    match = _ADDRESS.fullmatch(word)
    host = match and match["host"]
    if match is None or not host:
        raise Malformed("an IP address, * or _default_, with or without :port", shown([word]))
    wild = host == "*" or host.lower() == "_default_"
    return Address(None if wild else _ip(host), None if match["port"] in (None, "*") else _port(match["port"]))


def _ip(host: str) -> str:
    ip = normal_ip(host.strip("[]"))
    if ip is None:
        raise Malformed("an IP address (names are not looked up)", shown([host]))
    return ip


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise Malformed("a port from 1 to 65535", shown([text]))
    return int(text)


class ListenReader(NamedTuple):
    """`Listen [addr:]port [http|https]` or `Listen unix:path`."""

    syntax: str = "[addr:]port [http|https] | unix:path"

    def read(self, words: Words, root: str) -> tuple[Listener, ...]:
        """One listener."""
        if not words or len(words) > 2:
            raise Malformed(self.syntax, shown(words))
        scheme = words[1].lower() if words[1:] else "http"
        if scheme not in ("http", "https"):
            raise Malformed("http or https after the port", shown(words[1:]))
        if words[0].lower().startswith("unix:"):
            if scheme == "https":
                raise Malformed("http: a Unix socket does not leave the machine", shown(words[1:]))
            return (Listener("", 0, absolute(words[0][5:], root), "http"),)
        return (self._inet(words[0], scheme),)

    def _inet(self, word: str, scheme: str) -> Listener:
        match = (re.fullmatch(r"[0-9]{1,5}", word) and _ADDRESS.fullmatch(f"*:{word}")) or _ADDRESS.fullmatch(
            word
        )
        host, port = (match["host"], match["port"]) if match else (None, None)
        if not host or not port:
            raise Malformed(self.syntax, shown([word]))
        return Listener("" if host == "*" else _ip(host), _port(port), None, scheme)

    def lines(self, value: Sequence[Listener]) -> Iterable[Words]:
        """One line for each listener."""
        return [[str(one), "https"] if one.scheme == "https" else [str(one)] for one in value]


class HostNames:
    """Names of one host; `*` and `?` in them are wildcards."""

    def __init__(self, names: Iterable[str]) -> None:
        self._exact = frozenset(names)
        wild = [re.escape(name) for name in self._exact if "*" in name or "?" in name]
        self._wild = "|".join(wild).replace(r"\*", ".*").replace(r"\?", ".")

    def __contains__(self, name: str) -> bool:
        return name in self._exact or (self._wild != "" and re.fullmatch(self._wild, name) is not None)
