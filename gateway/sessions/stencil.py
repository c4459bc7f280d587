"""What frames of a session's equal requests have in common: a later one is filled in, not made anew (P7)."""

from functools import lru_cache
from typing import NamedTuple

from gateway.program import Program
from gateway.protocol.environ import Request, connection_variables
from gateway.protocol.scgi import block


class Stencil(NamedTuple):
    """The frame of requests that are equal but for their connection, UNIQUE_ID and next handle, in the parts
    around these. `known`: by what it is recognised that they are equal; `rest`: what their URL has behind the
    handle."""

    known: object
    program: Program
    user: bytes | None
    rest: bytes
    parts: tuple[bytes, ...]

    def fits(self, known: object, program: Program, user: bytes | None) -> bool:
        """Whether it was made of an equal request."""
        return self.known is known and self.program is program and self.user == user

    def frame(self, request: Request, next_handle: bytes) -> bytes:
        """The frame of this request."""
        own, variables, between, last, end = self.parts
        connection = connection_block(request.client, request.server, request.scheme)
        parts = (own, connection, variables, request.unique_id, between, next_handle, last, next_handle, end)
        payload = b"".join(parts)
        return b"%d:%b," % (len(payload), payload)


def cut(frame: bytes, request: Request, next_handle: bytes) -> tuple[bytes, ...]:
    """The parts of a frame around what is a request's own."""
    connection = connection_block(request.client, request.server, request.scheme)
    own, _, variables = frame[:-1].partition(b":")[2].partition(connection)
    before, _, behind = variables.partition(b"\0UNIQUE_ID\0%b\0" % request.unique_id)
    between, last, end = (b"\0" + behind).split(next_handle)
    return own, before + b"\0UNIQUE_ID\0", between, last, end


@lru_cache(maxsize=1024)
def connection_block(
    client: tuple[str, int] | None, server: tuple[str, int | None] | None, scheme: str
) -> bytes:
    """The variables of a connection as they stand in a frame."""
    return block(connection_variables(client, server, scheme))
