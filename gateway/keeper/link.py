"""The link: messages between keeper and front over a Unix stream socket pair.

A message is a JSON object with a key `kind`, in a frame of its length and the number of descriptors
that travel with it (SCM_RIGHTS, on the frame's first byte). Bytes are carried as latin-1 text; the key
`environ` as the bytes behind the object and a NUL: NAME NUL VALUE NUL …. `VERSION` is compared in
`hello`/`welcome`; fronts and keeper of different versions refuse each other. A message to the keeper may have a
key `done`: the numbers of instances that are gone, in whose slots this front writes no more.

front -> keeper: hello, refuse, listen, configure, ready, released, prepare, recipe, start,
start_warm, count_warm, end, want, give, leave, claim, retire, account, pong, finished
keeper -> front: welcome, listening, configured, history, activate, started, failed, gone, grant, missing,
recall, claimed, counted_warm, retired, overlap, drain, hurry, stop, reopen, ended, endings, ping
"""

import array
import errno
import json
import os
import socket
import struct
from collections import deque
from collections.abc import Sequence
from typing import Any, NamedTuple

VERSION = 9
LINK_DESCRIPTOR = 3  # in a front
_HEADER = struct.Struct("!IH")
_LIMIT = 64 * 1024 * 1024
_MOST_DESCRIPTORS = 253
_INT = array.array("i").itemsize
_READ = 4096  # bytes
_ANCILLARY = socket.CMSG_SPACE(_MOST_DESCRIPTORS * _INT)
_TRUNCATED = int(socket.MSG_CTRUNC)  # operations of an enumeration's members take microseconds
_CLOEXEC = int(socket.MSG_CMSG_CLOEXEC)
_text = json.JSONEncoder(separators=(",", ":")).encode
_object = json.JSONDecoder().decode
_GONE = -1  # in the place of all descriptors of a message


class LinkError(Exception):
    """The peer broke the framing; the link cannot be used any more."""


class Message(NamedTuple):
    """One message and the descriptors that came with it (the receiver owns them). `bare`: there were some, but
    this process may have no more (EMFILE, ENFILE), and they are gone."""

    fields: dict[str, Any]
    descriptors: tuple[int, ...] = ()
    bare: bool = False

    @property
    def kind(self) -> str:
        """What the message asks or tells."""
        return str(self.fields["kind"])


class Decoder:
    """Bytes and descriptors in, messages out (no IO)."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._descriptors: deque[int] = deque()

    def feed(self, data: bytes, descriptors: Sequence[int] = (), *, truncated: bool = False) -> list[Message]:
        """The messages completed by `data`. `truncated`: descriptors of the one message among these bytes that
        has some are gone, and so are its others now. Raises LinkError; then `close` owns what came in."""
        self._buffer += data
        if truncated:
            _close(descriptors)
            descriptors = (_GONE,)
        self._descriptors.extend(descriptors)
        messages = []
        while (message := self._next()) is not None:
            messages.append(message)
        return messages

    def _next(self) -> Message | None:
        if len(self._buffer) < _HEADER.size:
            return None
        length, count = _HEADER.unpack_from(self._buffer)
        if length > _LIMIT or count > _MOST_DESCRIPTORS:
            raise LinkError(f"a frame of {length} bytes and {count} descriptors")
        end = _HEADER.size + length
        if len(self._buffer) < end:
            return None
        bare = bool(count and self._descriptors and self._descriptors[0] == _GONE)
        if bare:
            self._descriptors.popleft()
            count = 0
        if len(self._descriptors) < count:
            raise LinkError(f"a message with {count} descriptors brought {len(self._descriptors)}")
        fields = _parse(bytes(self._buffer[_HEADER.size : end]))
        del self._buffer[:end]
        return Message(fields, tuple([self._descriptors.popleft() for _ in range(count)]), bare)

    def close(self) -> None:
        """Close descriptors whose message never came."""
        _close([descriptor for descriptor in self._descriptors if descriptor != _GONE])
        self._descriptors.clear()


def encode(fields: dict[str, Any], descriptors: int) -> bytes:
    """The frame of one message that travels with so many descriptors."""
    environ = fields.get("environ")
    if isinstance(environ, bytes):
        body = b"%b\0%b" % (_text({**fields, "environ": 0}).encode(), environ)
    else:
        body = _text(fields).encode()
    return _HEADER.pack(len(body), descriptors) + body


def _parse(body: bytes) -> dict[str, Any]:
    head, behind, environ = body.partition(b"\0")
    try:
        fields = _object(head.decode())
    except (ValueError, RecursionError) as error:
        raise LinkError(f"not JSON: {body[:40]!r}") from error
    if not isinstance(fields, dict) or not isinstance(fields.get("kind"), str):
        raise LinkError(f"not a message: {body[:40]!r}")
    if behind:
        fields["environ"] = environ
    return fields


class Link:
    """One end of the link. Non-blocking: what cannot be sent at once waits for `flush`."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self.sock = sock
        self._decoder = Decoder()
        self._outgoing: deque[tuple[memoryview, tuple[int, ...]]] = deque()

    def fileno(self) -> int:
        """The socket's descriptor, for selectors and event loops."""
        return self.sock.fileno()

    @property
    def pending(self) -> bool:
        """Whether something waits until the socket can be written again."""
        return bool(self._outgoing)

    def send(self, kind: str, descriptors: Sequence[int] = (), **fields: Any) -> None:
        """Queue a message and send what goes. Descriptors are duplicated: the caller keeps its own. Raises
        OSError when that cannot be; then nothing of the message has gone."""
        fields["kind"] = kind
        owned: tuple[int, ...] = ()
        if self._outgoing:
            owned = tuple(os.dup(descriptor) for descriptor in descriptors)
            self._outgoing.append((memoryview(encode(fields, len(owned))), owned))
            return
        data = memoryview(encode(fields, len(descriptors)))
        sent = self._send(data, descriptors)
        if sent == 0 and descriptors:
            owned = tuple(os.dup(descriptor) for descriptor in descriptors)
        if sent < len(data):
            self._outgoing.append((data[sent:], owned))

    def flush(self) -> None:
        """Send what waits, as far as it goes."""
        while self._outgoing:
            data, descriptors = self._outgoing[0]
            sent = self._send(data, descriptors)
            if sent:
                _close(descriptors)
                self._outgoing[0] = (data[sent:], ())
            if sent < len(data):
                return
            self._outgoing.popleft()

    def receive(self) -> list[Message] | None:
        """The messages that one read completes; None at end of file (or a reset). More may be there: whoever is
        told much does other things in between."""
        try:
            data, ancillary, flags, _ = self.sock.recvmsg(_READ, _ANCILLARY, _CLOEXEC)
        except (BlockingIOError, InterruptedError):
            return []
        except OSError:
            return None
        if not data:
            return None
        truncated = bool(flags & _TRUNCATED)  # unix(7): a read ends with the bytes of one message's
        descriptors = _descriptors(ancillary) if ancillary else ()
        return self._decoder.feed(data, descriptors, truncated=truncated)

    def close(self) -> None:
        """Close the socket and every descriptor under way."""
        self._decoder.close()
        for _, descriptors in self._outgoing:
            _close(descriptors)
        self._outgoing.clear()
        self.sock.close()

    def _send(self, data: memoryview, descriptors: Sequence[int]) -> int:
        ancillary = []
        if descriptors:
            ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        try:
            return self.sock.sendmsg([data], ancillary)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError as error:
            if error.errno == errno.ETOOMANYREFS:  # descriptors under way are limited for a plain user
                return 0
            return len(data)  # the peer is gone; its end of file is on the way to us


def _descriptors(ancillary: list[tuple[int, int, bytes]]) -> list[int]:
    found = array.array("i")
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == socket.SCM_RIGHTS:
            found.frombytes(data[: len(data) - len(data) % _INT])
    return found.tolist()


def _close(descriptors: Sequence[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
