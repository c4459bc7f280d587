"""What a program is told of a request: variables for the environment, a frame for the request pipe (P7)."""

from functools import lru_cache
from typing import NamedTuple

from gateway.program import Program
from gateway.protocol.environ import Variables, authorization, connection_variables, message_variables
from gateway.protocol.paths import PathInfo
from gateway.protocol.scgi import block, encode
from gateway.request.conditional import add_conditional
from gateway.request.incoming import Incoming, Known


def message_of(on: Incoming, program: Program, info: PathInfo) -> Variables:
    """The variables that are this request's own; the session's come beside them."""
    user = on.record.user
    variables = message_variables(
        on.request,
        program.variables,
        path_info=info.path_info,
        content_length=on.body.length or None,
        translate=program.translate,
        called=program.called,
        remote_user=user,
        auth_type=None if user is None else b"Basic",
    )
    if program.pass_auth:
        variables |= authorization(on.request.headers)
    if program.conditions:
        add_conditional(variables, program.conditions, on.request, program.variables)
    return variables


def frame_of(on: Incoming, program: Program, variables: Variables, mark: bytes) -> bytes:
    """A request as it goes over the request pipe; its body follows."""
    request = on.request
    connection = _connection_block(request.client, request.server, request.scheme)
    return encode(variables, on.body.length or 0, mark, (program.block, connection))


class Stencil(NamedTuple):
    """The frame of a session's requests that are equal but for their connection, UNIQUE_ID and next handle, in
    the parts around these. `rest`: what their URL has behind the handle."""

    known: Known
    program: Program
    user: bytes | None
    rest: bytes
    parts: tuple[bytes, ...]

    def fits(self, on: Incoming, program: Program) -> bool:
        """Whether it was made of an equal request."""
        return self.known is on.known and self.program is program and self.user == on.record.user

    def frame(self, on: Incoming, next_handle: bytes) -> bytes:
        """The frame of this request."""
        request, (own, variables, between, last, end) = on.request, self.parts
        connection = _connection_block(request.client, request.server, request.scheme)
        parts = (own, connection, variables, request.unique_id, between, next_handle, last, next_handle, end)
        payload = b"".join(parts)
        return b"%d:%b," % (len(payload), payload)


def stencil_of(on: Incoming, program: Program, rest: bytes, frame: bytes, next_handle: bytes) -> Stencil | None:
    """What a frame has in common with those of equal requests; None when it is not known whether they come."""
    if on.known is None or not program.steady:
        return None
    request = on.request
    connection = _connection_block(request.client, request.server, request.scheme)
    own, _, variables = frame[:-1].partition(b":")[2].partition(connection)
    before, _, behind = variables.partition(b"\0UNIQUE_ID\0%b\0" % request.unique_id)
    between, last, end = (b"\0" + behind).split(next_handle)
    parts = own, before + b"\0UNIQUE_ID\0", between, last, end
    return Stencil(on.known, program, on.record.user, rest, parts)


@lru_cache(maxsize=1024)
def _connection_block(
    client: tuple[str, int] | None, server: tuple[str, int | None] | None, scheme: str
) -> bytes:
    return block(connection_variables(client, server, scheme))
