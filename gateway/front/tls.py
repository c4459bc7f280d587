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
_AT_ONCE = 100  # connections that are accepted before others get their turn
_PAUSE = 0.5  # seconds, when no descriptor is free


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


class Acceptor:
    """Accepts connections of one socket and shakes hands, within a bound; meanwhile they are guests.

    The loop's own TLS server would not say how many handshakes are under way.
    """

    def __init__(
        self,
        sock: socket.socket,
        crowd: "Crowd",
        contexts: Certificates,
        made: Callable[[], asyncio.BaseProtocol],
    ) -> None:
        """Accept from now on."""
        self._sock, self._crowd, self._contexts, self._made = sock, crowd, contexts, made
        self._loop = asyncio.get_running_loop()
        self._closed = False
        sock.setblocking(False)
        self._listen()

    def close(self) -> None:
        """Accept no more; handshakes under way go on."""
        if not self._closed:
            self._closed = True
            self._loop.remove_reader(self._sock)

    def _listen(self) -> None:
        if not self._closed:
            self._loop.add_reader(self._sock, self._accept)

    def _accept(self) -> None:
        for _ in range(_AT_ONCE):
            try:
                sock, _ = self._sock.accept()
            except (BlockingIOError, ConnectionAbortedError):
                return  # another front was quicker, or the client has left
            except OSError:  # no descriptor is free (accept(2)); other connections give some back
                self._loop.remove_reader(self._sock)
                self._loop.call_later(_PAUSE, self._listen)
                return
            if self._crowd.room():
                task = self._loop.create_task(self._shake(sock))
                self._crowd.guests.add(task)
                task.add_done_callback(self._crowd.guests.discard)
            else:
                sock.close()

    async def _shake(self, sock: socket.socket) -> None:
        try:
            sock.setblocking(False)
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
        except (OSError, ssl.SSLError):
            sock.close()  # it was no client, or spoke no TLS
