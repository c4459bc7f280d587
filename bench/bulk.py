"""Section `bulk`: a large body down and up through a program, beside Apache's mod_cgid."""

import socket
import tempfile
import time
from functools import partial
from pathlib import Path

from bench import programs, servers
from bench.options import Options
from bench.peers import apache
from bench.results import LEAST, Book, Goal, in_turns
from bench.servers import ALL_CORES

_SIZE = 1 << 30
_BLOCK = bytes(1 << 20)
_TIMEOUT = 120.0
_UNIT = "MiB/s"


def run(options: Options, book: Book) -> None:
    """A GiB each way, in turns. Raises Missing."""
    print("1 GiB through a C program, one client")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        programs.write(folder)
        settings = f"LimitRequestBody {2 * _SIZE}\n"
        with servers.pages(folder, ALL_CORES, settings) as ours, apache.cgid(folder, ALL_CORES) as theirs:
            for label, way, goal in (("down", _down, 2.0), ("up", _up, 0.85)):
                ways = {"": partial(way, ours), "mod_cgid": partial(way, theirs)}
                found = in_turns(ways, options.rounds)
                book.beside(
                    f"1 GiB {label}", "mod_cgid", _UNIT, found[""], found["mod_cgid"], Goal(LEAST, goal)
                )


def _down(port: int) -> float:
    begin, got = time.perf_counter(), 0
    buffer = bytearray(len(_BLOCK))
    with _asked(port, f"GET /cgi-bin/bulk?{_SIZE} HTTP/1.1\r\n") as client:
        while count := client.recv_into(buffer):
            got += count
    if got < _SIZE:
        raise SystemExit(f"bench: {got} bytes of {_SIZE} came")
    return _rate(begin)


def _up(port: int) -> float:
    begin, answer = time.perf_counter(), b""
    with _asked(port, f"POST /cgi-bin/bulk?0 HTTP/1.1\r\nContent-Length: {_SIZE}\r\n") as client:
        for _ in range(_SIZE // len(_BLOCK)):
            client.sendall(_BLOCK)
        while data := client.recv(len(_BLOCK)):
            answer += data
    if str(_SIZE).encode() not in answer:
        raise SystemExit(f"bench: the program did not read all of it:\n{answer.decode()}")
    return _rate(begin)


def _asked(port: int, head: str) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), _TIMEOUT)
    client.sendall(f"{head}Host: localhost\r\nConnection: close\r\n\r\n".encode())
    return client


def _rate(begin: float) -> float:
    return _SIZE / (1 << 20) / (time.perf_counter() - begin)
