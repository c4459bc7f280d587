"""The command's end of the control socket."""

import http.client
import json
import os
import socket
import struct
from typing import Any
from urllib.parse import urlencode

_BOUND = 30.0  # seconds
_CREDENTIALS = struct.Struct("iII")  # struct ucred: pid, uid, gid


class Unreachable(Exception):
    """No gateway answers; the text says why, and what to do."""


class Refused(Exception):
    """The gateway says no; its text."""


class _Connection(http.client.HTTPConnection):
    def __init__(self, path: str, bound: float) -> None:
        super().__init__("gateway", timeout=bound)
        self._path, self._bound = path, bound

    def connect(self) -> None:
        self.sock = connected(self._path, self._bound)


def ask(path: str, method: str, what: str, **fields: str) -> dict[str, Any]:
    """The answer of the gateway behind a socket. Raises Unreachable, Refused."""
    return ask_within(_BOUND, path, method, what, **fields)


def ask_within(bound: float, path: str, method: str, what: str, **fields: str) -> dict[str, Any]:
    """As `ask`, in so many seconds."""
    connection = _Connection(path, bound)
    try:
        connection.request(method, f"/{what}?{urlencode(fields)}", headers={"Connection": "close"})
        response = connection.getresponse()
        answer = json.loads(response.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Unreachable(f"{path}: the gateway does not answer ({error or type(error).__name__})") from error
    finally:
        connection.close()
    if response.status != http.client.OK:
        raise Refused(answer["error"])
    return dict(answer)


def keeper(path: str) -> int:
    """The pid of the keeper behind a socket: of the process that listens, as the kernel tells (SO_PEERCRED,
    unix(7)). It is known though no front answers. Raises Unreachable."""
    with connected(path) as sock:
        data = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid = int(_CREDENTIALS.unpack(data)[0])
    if pid <= 0:
        raise Unreachable(f"{path}: the gateway's process cannot be seen from here (another namespace)")
    return pid


def connected(path: str, bound: float = _BOUND) -> socket.socket:
    """A connection whose answers are waited for `bound` seconds. Raises Unreachable."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(bound)
    try:
        sock.connect(path)
    except OSError as error:
        sock.close()
        raise Unreachable(f"{path}: {_why(path, error)}") from error
    return sock


def _why(path: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return (
            "there is no such socket: does the gateway run? --socket or --conf name another one; a service of "
            "systemd has it in its state directory, such as /var/lib/persistent-cgi/control, or where "
            "ControlSocket says"
        )
    if isinstance(error, PermissionError):
        return (
            f"permission denied: only the user who started the gateway, and root, may (you are #{os.geteuid()})"
        )
    if isinstance(error, ConnectionRefusedError):
        return "nobody listens: the gateway has ended without removing its socket"
    return str(error.strerror or error)
