"""What a program is told of a request: variables for the environment, a frame for the request pipe (P7)."""

from gateway.program import Program
from gateway.protocol.environ import Variables, authorization, message_variables
from gateway.protocol.paths import PathInfo
from gateway.protocol.scgi import encode
from gateway.request.conditional import add_conditional
from gateway.request.incoming import Incoming
from gateway.sessions.stencil import Stencil, connection_block, cut


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
    connection = connection_block(request.client, request.server, request.scheme)
    return encode(variables, on.body.length or 0, mark, (program.block, connection))


def stencil_of(on: Incoming, program: Program, rest: bytes, frame: bytes, next_handle: bytes) -> Stencil | None:
    """What a frame has in common with those of equal requests; None when it is not known whether they come."""
    if on.known is None or not program.steady:
        return None
    parts = cut(frame, on.request, next_handle)
    return Stencil(on.known, program, on.record.user, rest, parts)
