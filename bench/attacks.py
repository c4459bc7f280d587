"""What one client can do to a gateway, from an address of its own, until it is told to stop.

`python -m bench.attacks NAME PORT PROGRAM` does it until TERM.
"""

import contextlib
import http.client
import itertools
import os
import resource
import secrets
import selectors
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from typing import cast

ADDRESS = "127.0.0.9"  # not that of the others
IDLE = 5000
ADMITTED = 6000  # MaxConnections of a server that is to let so many in
CROWD = 7000
DRIPPING = 64
_TIMEOUT = 20.0
_PAUSE = 0.05  # seconds between two bytes of a body
_HEADER = b"X-Long: " + b"x" * 60_000 + b"\r\n"
_SPARE = 200
_AT_ONCE = 256  # connections that are opened anew before more are looked for

Attack = Callable[[int, str, threading.Event], Iterator[None]]


def sessions(port: int, program: str, stop: threading.Event) -> Iterator[None]:
    """Begin sessions as fast as can be."""
    yield from _requests(port, itertools.repeat(program), stop)


def guesses(port: int, program: str, stop: threading.Event) -> Iterator[None]:
    """Guess handles."""
    yield from _requests(port, (f"{program}/{secrets.token_urlsafe(24)}" for _ in itertools.count()), stop)


def drips(port: int, program: str, stop: threading.Event) -> Iterator[None]:
    """Send many bodies, byte by byte."""
    head = f"POST {program} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 60000\r\n\r\n".encode()
    open_now: list[socket.socket] = []
    with contextlib.ExitStack() as stack:
        while not stop.wait(_PAUSE):
            while len(open_now) < DRIPPING:
                open_now.append(stack.enter_context(_connected(port)))
                open_now[-1].sendall(head)
            for sock in list(open_now):
                try:
                    sock.sendall(b"x")
                except OSError:
                    open_now.remove(sock)
                    sock.close()
            yield


def idle(port: int, program: str, stop: threading.Event) -> Iterator[None]:
    """Hold thousands of connections that say nothing, and open anew those that are closed."""
    yield from _held(port, IDLE, stop)


def crowd(port: int, program: str, stop: threading.Event) -> Iterator[None]:
    """Hold more connections than there may be: those above are closed, and opened anew, all the time."""
    yield from _held(port, CROWD, stop)


def headers(port: int, program: str, stop: threading.Event) -> Iterator[None]:
    """Send heads of megabytes, and wait for no answer."""
    head = f"GET {program} HTTP/1.1\r\nHost: localhost\r\n".encode()
    while not stop.is_set():
        with _connected(port) as sock, contextlib.suppress(OSError):
            sock.sendall(head + _HEADER * 20)
        yield


ATTACKS: dict[str, Attack] = {
    "sessions": sessions,
    "guesses": guesses,
    "drips": drips,
    "idle": idle,
    "crowd": crowd,
    "headers": headers,
}


def _requests(port: int, paths: Iterator[str], stop: threading.Event) -> Iterator[None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT, source_address=(ADDRESS, 0))
    with contextlib.closing(connection):
        while not stop.is_set():
            connection.request("GET", next(paths))
            connection.getresponse().read()
            yield


def _held(port: int, count: int, stop: threading.Event) -> Iterator[None]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = min(count, hard - _SPARE)
    with selectors.DefaultSelector() as over:
        try:
            while not stop.is_set():
                while len(over.get_map()) < most and not stop.is_set():
                    over.register(_connected(port), selectors.EVENT_READ)
                yield
                for key, _ in over.select(_PAUSE)[:_AT_ONCE]:  # the server has turned it away, or closed it
                    over.unregister(key.fileobj)
                    cast(socket.socket, key.fileobj).close()
        finally:
            for key in over.get_map().values():
                cast(socket.socket, key.fileobj).close()


def _connected(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), _TIMEOUT, (ADDRESS, 0))


def main() -> None:
    """Attack at a low priority, since others on this machine measure, until TERM; say `begun`, and at the end
    how often."""
    os.nice(19)
    name, port, program = sys.argv[1:]
    stop, count = threading.Event(), 0
    signal.signal(signal.SIGTERM, lambda number, frame: stop.set())
    for _ in ATTACKS[name](int(port), program, stop):
        if not count:
            print("begun", flush=True)
        count += 1
    print(count, flush=True)


if __name__ == "__main__":
    main()
