"""Which listeners speak TLS, and with whose certificates: `Listen … https` and `SSLEngine` together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gateway.directives import table
from gateway.directives.hosts import Configuration, Host
from gateway.directives.problems import Notice, Place, Problem
from gateway.directives.readers.addresses import Address, Listener


def hosts_of(listener: Listener, server: Host, hosts: Sequence[Host]) -> list[Host]:
    """Who may answer what arrives there; the first one answers clients that name nobody."""
    if listener.unix_path is not None:
        return []
    found = [host for host in hosts if any(_fits(address, listener) for address in host.addresses)]
    return found or [server]


def _fits(address: Address, listener: Listener) -> bool:
    same = address.ip is None or listener.address in ("", "0.0.0.0", "::", address.ip)
    return same and address.port in (None, listener.port)


def listeners(server: Host, hosts: Sequence[Host]) -> tuple[Listener, ...]:
    """The listeners with their real schemes: https where Listen or a host says so."""
    return tuple(
        one._replace(scheme="https") if any(map(wanted, hosts_of(one, server, hosts))) else one
        for one in server.settings[table.Listen]
    )


def wanted(host: Host) -> bool:
    """Whether a host says `SSLEngine On`."""
    return host.settings[table.SSLEngine] == "On"


def problems(configuration: Configuration) -> Iterator[Problem]:
    """Hosts that say Off on a port of TLS, ports of TLS without a certificate."""
    for listener in configuration.listeners:
        if listener.scheme == "https":
            served = hosts_of(listener, configuration.server, configuration.hosts)
            yield from _refusing(listener, served)
            if served[0].settings[table.SSLCertificateFile] is None:
                place = _place(configuration, listener, served)
                expected = f"expected SSLCertificateFile in the {_named(served[0])}, found none"
                yield Problem(place, f"{listener} is a port of TLS: {expected}")
    for host in (configuration.server, *configuration.hosts):
        if host.settings[table.SSLCertificateKeyFile] and not host.settings[table.SSLCertificateFile]:
            place = host.settings.place(table.SSLCertificateKeyFile)
            yield Problem(place, "expected SSLCertificateFile with the key, found none")


def _refusing(listener: Listener, served: Sequence[Host]) -> Iterator[Problem]:
    for host in served:
        if table.SSLEngine in host.settings and not wanted(host):
            text = f"SSLEngine: expected On, since {listener} is a port of TLS, found Off"
            yield Problem(host.settings.place(table.SSLEngine), text)


def notices(configuration: Configuration) -> Iterator[Notice]:
    """Hosts that say On and that no listener leads to; hosts that come under TLS through a neighbour."""
    reached: list[Host] = []
    for listener in configuration.listeners:
        served = hosts_of(listener, configuration.server, configuration.hosts)
        reached += served
        places = [host.settings.place(table.SSLEngine) for host in served if wanted(host)]
        for host in served if places else ():
            if not wanted(host):
                text = f"the {_named(host)}, without SSLEngine On, is encrypted too"
                yield Notice(places[0], f"{listener} is a port of TLS: {text}")
    for host in configuration.hosts:
        if wanted(host) and host not in reached:
            yield Notice(host.settings.place(table.SSLEngine), f"no Listen leads to the {_named(host)}")


def _place(configuration: Configuration, listener: Listener, served: Sequence[Host]) -> Place:
    said = next((host.settings for host in served if wanted(host)), None)
    if said is not None:
        return said.place(table.SSLEngine)
    settings = configuration.server.settings
    return settings.place(table.Listen) if table.Listen in settings else Place(configuration.path, 0)


def _named(host: Host) -> str:
    name = host.settings[table.ServerName]
    return f"{host.title} {name}" if name else host.title
