"""What the shared table tells of a session."""

from hashlib import blake2b
from typing import NamedTuple

from gateway.keeper.ring import KEY_SIZE

Holders = tuple[int, int]  # the numbers of a user and of a client (L2); 0: nobody


def session_key(host: str, cgi_name: bytes, handle: bytes) -> bytes:
    """The 16-byte name of (virtual host, cgi-name, handle) in the table and the rings."""
    return blake2b(b"%s\0%s\0%s" % (host.encode(), cgi_name, handle), digest_size=KEY_SIZE).digest()


class Handles(NamedTuple):
    """The handles by which a session can be reached, the current one first; `lost`: R7, the second
    one is accepted until the first is used."""

    texts: tuple[bytes, ...]
    lost: bool


class Facts(NamedTuple):
    """For people: `began` (seconds since 1970; 0.0: there is no session, or it was told already that it is
    over), bytes of requests' bodies and of what the program wrote, seconds in which a request ran, and what the
    URL of the last request had behind the handle."""

    began: float
    bytes_in: int
    bytes_out: int
    busy: float
    last: bytes


def parsed(text: bytes) -> Handles:
    """Handles as the table holds them: a count, whether one is lost, the handles with their lengths. What is
    cut off, because somebody wrote it who means harm, is left out."""
    count, lost, at = text[0], text[1], 2
    handles = []
    for _ in range(count):
        end = at + 1 + text[at] if at < len(text) else len(text) + 1
        if end > len(text):
            break
        handles.append(text[at + 1 : end])
        at = end
    return Handles(tuple(handles), bool(lost))
