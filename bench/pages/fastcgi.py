#!/usr/bin/env python3
"""The page of session.py by FastCGI: as little as a responder can do, so that nobody's library is measured."""

import contextlib
import io
import os
import socket
import struct

RECORD = struct.Struct("!BBHHBx")  # version, type, request, length, padding
BEGIN, ABORT, END, PARAMS, STDIN, STDOUT = 1, 2, 3, 4, 5, 6
KEEP = 1


def read_params(data: bytes) -> dict[bytes, bytes]:
    """The meta-variables of a request."""
    found, at = {}, 0
    while at < len(data):
        sizes = []
        for _ in range(2):
            size, at = data[at], at + 1
            if size > 127:
                size, at = int.from_bytes(data[at - 1 : at + 3]) & 0x7FFFFFFF, at + 3
            sizes.append(size)
        name, at = data[at : at + sizes[0]], at + sizes[0]
        found[name], at = data[at : at + sizes[1]], at + sizes[1]
    return found


def answer(request: int, count: int, params: dict[bytes, bytes]) -> bytes:
    """The records of a response."""
    os.environ.update({name.decode("latin-1"): value.decode("latin-1") for name, value in params.items()})
    handle = "abcdefghijklmnopqrstuvwxyz012345"
    page = (
        f"Content-Type: text/html\r\n\r\n<!doctype html><title>{count}</title><p>{handle}<p>{0:0120d}".encode()
    )
    return (
        RECORD.pack(1, STDOUT, request, len(page), 0) + page
        + RECORD.pack(1, STDOUT, request, 0, 0)
        + RECORD.pack(1, END, request, 8, 0) + bytes(8)
    )  # fmt: skip


def serve(stream: io.BufferedRWPair, count: int) -> int:
    """All requests of one connection; how many there were so far."""
    keep, params = 0, b""
    while head := stream.read(RECORD.size):
        _, kind, request, length, padding = RECORD.unpack(head)
        data = stream.read(length + padding)[:length]
        if kind == BEGIN:
            keep, params = data[2] & KEEP, b""
        elif kind == PARAMS:
            params += data
        elif kind == STDIN and not length:
            count += 1
            stream.write(answer(request, count, read_params(params)))
            stream.flush()
            if not keep:
                break
    return count


def main() -> None:
    """Connections come on descriptor 0."""
    listener, count = socket.socket(fileno=0), 0
    while True:
        connection, _ = listener.accept()
        with contextlib.suppress(ConnectionError), connection, connection.makefile("rwb") as stream:
            count = serve(stream, count)  # the server may give a connection up at the end of a run


main()
