"""The listening sockets: opened once, here, and inherited by every front."""

import os
import socket
import stat
from collections.abc import Sequence
from typing import Any

from gateway.keeper.fronts import Front

BACKLOG = 1024
Address = tuple[str, str, int]  # ("tcp", "unix" or "control", address or path, port)
_OWNER_ONLY = 0o177  # a mask: nobody else may connect


class Sockets:
    """Open listening sockets by address; a reload keeps those that are still wanted."""

    def __init__(self) -> None:
        self._open: dict[Address, socket.socket] = {}
        self._asked: dict[int, list[Address]] = {}  # by the pid of a front

    def listen(self, front: Front, fields: dict[str, Any]) -> None:
        """`listen`: what a front will serve, or more of it; answered by `listening` with the sockets, or an
        error."""
        front.require_unconfigured()
        wanted = [(str(kind), str(where), int(port)) for kind, where, port in fields["addresses"]]
        try:
            sockets = self._provide(wanted)
        except OSError as error:
            front.send("listening", error=str(error.strerror or error))
            return
        self._asked.setdefault(front.pid, []).extend(wanted)
        front.send("listening", [sock.fileno() for sock in sockets])

    def serve(self, front: Front) -> None:
        """This front serves now: close what it has not asked for."""
        self._keep_only(self._asked.get(front.pid, ()))

    def forget(self, front: Front) -> None:
        """The front is gone."""
        self._asked.pop(front.pid, None)

    def close(self) -> None:
        """Listen no more."""
        self._keep_only(())

    def _provide(self, wanted: Sequence[Address]) -> list[socket.socket]:
        """The sockets for these addresses, opened when they are new. Raises OSError, then nothing new stays."""
        fresh: dict[Address, socket.socket] = {}
        try:
            for address in wanted:
                if address not in self._open and address not in fresh:
                    fresh[address] = _listen(address)
        except OSError:
            for address, sock in fresh.items():
                _close(address, sock)
            raise
        self._open.update(fresh)
        return [self._open[address] for address in wanted]

    def _keep_only(self, wanted: Sequence[Address]) -> None:
        """Close the sockets that the directives file does not name any more."""
        for address in set(self._open) - set(wanted):
            _close(address, self._open.pop(address))


def _listen(address: Address) -> socket.socket:
    kind, where, port = address
    if kind == "unix":
        return _listen_unix(where)
    if kind == "control":
        before = os.umask(_OWNER_ONLY)
        try:
            return _listen_unix(where)
        finally:
            os.umask(before)
    family = socket.AF_INET6 if ":" in where else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind((where, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {where}:{port}: {error.strerror}") from error
    return sock


def _listen_unix(path: str) -> socket.socket:
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_stale(path):
            os.unlink(path)
        sock.bind(path)
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(error.errno, f"cannot listen on {path}: {error.strerror or error}") from error
    return sock


def _is_stale(path: str) -> bool:
    """A socket file that nobody listens on any more (its server was killed)."""
    try:
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            return False
    except FileNotFoundError:
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            return True
    return False


def _close(address: Address, sock: socket.socket) -> None:
    sock.close()
    if address[0] != "tcp":
        try:
            os.unlink(address[1])
        except FileNotFoundError:
            pass
