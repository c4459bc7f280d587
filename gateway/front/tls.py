"""TLS: which certificate a connection gets, and the handshake before a connection is one."""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import TYPE_CHECKING

from gateway.configuration import certificates
from gateway.configuration.load import Configuration, Host
from gateway.directives import encryption, table
from gateway.directives.readers.addresses import Listener, normal_ip

if TYPE_CHECKING:
    from gateway.front.crowd import Crowd

_NOBODY = "0.0.0.0"  # an address that no virtual host has: only those with a wildcard answer there
_SHUTDOWN = 5.0  # seconds for the good-bye of TLS
_NO_BOUND = 86400.0  # seconds; `handshake=0`


class Certificates:
    """The contexts of all TLS addresses, made before the front gives up the right to read keys."""

    def __init__(self, configuration: Configuration) -> None:
        """Raises BadCertificate."""
        self._configuration = configuration
        self._by_host: dict[Host, ssl.SSLContext] = {}
        self._by_address: dict[tuple[str, int], ssl.SSLContext] = {}
        named = {address.ip for host in configuration.hosts for address in host.addresses if address.ip}
        for listener in configuration.listeners:
            if listener.scheme == "https":
                for host in encryption.hosts_of(listener, configuration.server, configuration.hosts):
                    if host not in self._by_host and host.settings[table.SSLCertificateFile] is not None:
                        self._by_host[host] = certificates.context(host.settings)
                for ip in _addresses(listener, named):
                    self._by_address[ip, listener.port] = self._entrance(ip, listener.port)

    def of(self, address: str, port: int) -> ssl.SSLContext:
        """What a connection to this local address begins with."""
        ip = normal_ip(address) or address
        return self._by_address.get((ip, port)) or self._by_address[_NOBODY, port]

    def _entrance(self, ip: str, port: int) -> ssl.SSLContext:
        """The first host's, until the client has named another one (SNI; RFC 6066, section 3)."""
        entrance = certificates.context(self._configuration.select(ip, port, None).settings)

        def choose(connection: ssl.SSLObject, name: str | None, context: ssl.SSLContext) -> None:
            host = self._configuration.select(ip, port, name)
            connection.context = self._by_host.get(host, context)

        entrance.sni_callback = choose
        return entrance


def _addresses(listener: Listener, named: set[str]) -> set[str]:
    wild = listener.address in ("", "0.0.0.0", "::")
    return {_NOBODY, *named} if wild else {normal_ip(listener.address) or listener.address}


class Handshakes:
    """Shakes hands with those who were accepted, within a bound; meanwhile they are guests.

    The loop's own TLS server would not say how many handshakes are under way.
    """

    def __init__(
        self, crowd: "Crowd", contexts: Certificates, made: Callable[[], asyncio.BaseProtocol]
    ) -> None:
        self._crowd, self._contexts, self._made = crowd, contexts, made
        self._loop = asyncio.get_running_loop()

    async def begin(self, sock: socket.socket) -> None:
        """Make it a connection, or close it."""
        if not self._crowd.room():
            sock.close()
            return
        self._crowd.guests.add(sock)
        try:
            await self._shake(sock)
        except ssl.SSLError:
            sock.close()  # it spoke no TLS
        finally:
            self._crowd.guests.discard(sock)

    async def _shake(self, sock: socket.socket) -> None:
        address, port = sock.getsockname()[:2]
        bound = self._crowd.limits.find((address, port)).handshake.first
        context = self._contexts.of(address, port)
        await self._loop.connect_accepted_socket(
            self._made,
            sock,
            ssl=context,
            ssl_handshake_timeout=bound or _NO_BOUND,
            ssl_shutdown_timeout=_SHUTDOWN,
        )
