"""A request's body on its way to the program."""

import time

from gateway.errors import BadAnswer, ClientGone, GatewayError
from gateway.keeper.reasons import Reason
from gateway.program import Program
from gateway.request.body import Body
from gateway.request.incoming import Incoming
from gateway.request.relay import Relay
from gateway.sessions.call import Call
from gateway.sessions.exchange import Fault

_LARGE = 1 << 18  # bytes of a body that are still to come


async def take(on: Incoming, program: Program, memory: int, *, spool: bool = False) -> None:
    """Take the body; a large one streams, or goes to a file (`spool`), so that nobody who leaves meanwhile
    costs the sessions of others (B3, S5). A client that gives nothing for Timeout counts as gone (T4)."""
    if on.body.length == 0:
        return
    since = time.monotonic()
    try:
        await on.body.take(memory, program.timeout, spool=spool)
    except TimeoutError:
        on.connection.abort()
        raise ClientGone from None
    finally:
        on.record.received += time.monotonic() - since


async def upload_rest(body: Body, call: Call, relay: Relay) -> None:
    """Send the part of the body that is not in memory, while output flows; most of a large one goes to the
    program unread."""
    connection, pours = relay.connection, True
    try:
        pieces = body.pieces()
        while True:
            call.waits_for_body = body.missing > 0
            piece = await anext(pieces, None)
            call.waits_for_body = False
            call.touched()
            if piece is None or call.exchange.over:
                break
            pours = pours and body.missing > _LARGE and connection.hold(body.missing)
            call.send(piece, more=True)
            await relay.room(call)
            if pours and not call.exchange.over:
                moved = await connection.pour(call)
                body.skip(moved)
                pours = moved > 0
        if not call.exchange.over:
            call.send(b"")
    except (ClientGone, GatewayError) as error:
        how = "kill" if call.exchange.framed else "term"
        answer: type[GatewayError] = BadAnswer
        what = "the client left"
        if isinstance(error, GatewayError):
            answer, what = type(error), error.log
        call.fail(Fault(Reason.PROTOCOL, f"HTS011 {what} while its body was being written (B3)", how, answer))
