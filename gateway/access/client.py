"""The client behind a proxy: RemoteIPHeader and RemoteIPTrustedProxy (Apache's mod_remoteip)."""

from __future__ import annotations

from collections.abc import Iterable

from gateway.configuration.load import Host
from gateway.directives import table
from gateway.directives.readers.proxies import Proxies, client_of
from gateway.protocol.environ import Request


class Clients:
    """Finds the client of a request; there is none where no host has a RemoteIPHeader (`clients`)."""

    def __init__(self, rules: dict[str, tuple[bytes, Proxies]]) -> None:
        self._rules = rules

    def find(self, host: Host, request: Request) -> None:
        """Put the client's address in the place of a trusted proxy's, and take what was used from the header.

        Its port is not known: 0.
        """
        rule = self._rules.get(host.key)
        if rule is None:
            return
        name, proxies = rule
        lines = [value.decode("latin-1") for header, value in request.headers if header == name]
        peer = None if request.client is None else request.client[0]
        found = client_of(peer, ", ".join(lines), proxies) if lines else None
        if found is None:
            return
        request.client = (found.address, 0)
        others = [pair for pair in request.headers if pair[0] != name]
        request.headers = [*others, (name, found.rest.encode("latin-1"))] if found.rest else others


def clients(hosts: Iterable[Host]) -> Clients | None:
    """What finds the clients of these hosts."""
    rules = {}
    for host in hosts:
        name = host.settings[table.RemoteIPHeader]
        if name is not None:
            rules[host.key] = name.lower().encode("ascii"), host.settings[table.RemoteIPTrustedProxy]
    return Clients(rules) if rules else None
