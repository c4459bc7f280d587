"""`RemoteIPHeader` and the trusted proxies: readers, and the walk through the header (mod_remoteip; pure)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from gateway.directives.directive import Merging, Words
from gateway.directives.problems import Malformed, shown
from gateway.directives.readers.addresses import normal_ip
from gateway.directives.readers.networks import holds, spelled
from gateway.directives.readers.values import only

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^`|~-]+")  # RFC 9110, section 5.6.2, but for the underscore
_WITH_PORT = re.compile(r"([0-9.]+)(?::[0-9]{1,5})?|\[([0-9A-Fa-f:.]+)\](?::[0-9]{1,5})?")
_NO_PROXY = ("authorization", "connection", "content-length", "cookie", "host", "transfer-encoding")
# What Apache calls private, in both families
_PRIVATE = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "127.0.0.0/8")
_GLOBAL_IPV6 = ("2000::/3",)


class Proxies(NamedTuple):
    """Networks of proxies. What `internal` ones say may be a private address."""

    trusted: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()


def _combined(values: Sequence[Proxies]) -> Proxies:
    return Proxies(
        tuple(one for value in values for one in value.trusted),
        tuple(one for value in values for one in value.internal),
    )


MERGED: Merging[Proxies] = Merging(
    "RemoteIPTrustedProxy and RemoteIPInternalProxy add up; a virtual host's replace the main server's, both",
    _combined,
    lambda outer, inner: inner,
    inherits=False,
)


class HeaderReader(NamedTuple):
    """The name of a header."""

    syntax: str = "name"

    def read(self, words: Words, root: str) -> str:
        """The name as it was written."""
        word = only(words, "one name of a header")
        if not _TOKEN.fullmatch(word) or word.lower() in _NO_PROXY:
            raise Malformed("a header such as X-Forwarded-For", shown(words))
        return word

    def lines(self, value: str | None) -> Iterable[Words]:
        """One word; none where there is no header."""
        return [] if value is None else [[value]]


class ProxyReader(NamedTuple):
    """Networks."""

    internal: bool
    syntax: str = "net …"

    def read(self, words: Words, root: str) -> Proxies:
        """The networks; names are not looked up."""
        if not words:
            raise Malformed("one network or more", shown(words))
        networks = spelled(words)
        return Proxies(internal=networks) if self.internal else Proxies(networks)

    def lines(self, value: Proxies) -> Iterable[Words]:
        """One line, or nothing."""
        networks = value.internal if self.internal else value.trusted
        return [networks] if networks else []


class Found(NamedTuple):
    """The client's address, and what of the header's list was not used: the addresses before it."""

    address: str
    rest: str


def client_of(peer: str | None, header: str, proxies: Proxies) -> Found | None:
    """Walk a list of addresses from its end as long as whoever spoke is trusted; None if nobody was.

    `peer` None is a Unix socket and trusted. An entry that is no address, or a private one of a proxy that is
    not internal, ends the walk.
    """
    entries = [entry.strip() for entry in header.split(",")]
    found: str | None = None
    speaker, internal = peer, peer is None
    while entries:
        internal = internal if speaker is None else holds(proxies.internal, speaker)
        if speaker is not None and not internal and not holds(proxies.trusted, speaker):
            break
        address = _address(entries[-1])
        if address is None or not (internal or _public(address)):
            break
        found = speaker = address
        entries.pop()
    return None if found is None else Found(found, ", ".join(entries))


def _address(entry: str) -> str | None:
    if "%" in entry:  # a zone of another machine
        return None
    match = _WITH_PORT.fullmatch(entry)
    return normal_ip((match[1] or match[2]) if match else entry)


def _public(address: str) -> bool:
    return holds(_GLOBAL_IPV6, address) if ":" in address else not holds(_PRIVATE, address)
