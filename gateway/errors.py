"""Every way in which a request ends in an answer of the gateway's own: status, client text, log text."""

from typing import ClassVar


class GatewayError(Exception):
    """A request that is answered by the gateway itself.

    `text` is for the client, `log` for the error log (empty: not logged); `headers` go with the answer.
    """

    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal Server Error"
    text: ClassVar[str] = "The server could not complete the request."
    level: ClassVar[str] = "error"

    def __init__(self, log: str = "", *, headers: tuple[tuple[bytes, bytes], ...] = ()) -> None:
        super().__init__(log or self.title)
        self.log = log
        self.headers = headers


class BadRequest(GatewayError):
    """The request line or a header cannot be meant (400)."""

    status, title, level = 400, "Bad Request", "info"
    text = "The server could not understand the address or a header of this request."


class Forbidden(GatewayError):
    """The program exists and may not be called (403)."""

    status, title = 403, "Forbidden"
    text = "You may not have this page."


class NotFound(GatewayError):
    """No file, program or page has this address (404)."""

    status, title, level = 404, "Not Found", "info"
    text = "There is no page at this address."


class MethodNotAllowed(GatewayError):
    """A file was asked for with another method than GET or HEAD (405)."""

    status, title, level = 405, "Method Not Allowed", "info"
    text = "This page can only be fetched."


class BodyTooLarge(GatewayError):
    """The body is larger than LimitRequestBody (413)."""

    status, title, level = 413, "Content Too Large", "info"
    text = "What was sent is larger than this server takes."


class LengthRequired(GatewayError):
    """The declared length of the body is not a number (400)."""

    status, title, level = 400, "Bad Request", "info"
    text = "The length of what was sent is not a number."


class CannotStart(GatewayError):
    """The program could not be started (500)."""

    status = 500
    text = "The program behind this page could not be started."


class RedirectLoop(GatewayError):
    """Local redirects came back more often than allowed (500)."""

    status = 500
    text = "The programs behind this page refer to each other without end."


class BadAnswer(GatewayError):
    """No header, a malformed one, or the program died before it sent one (502)."""

    status, title = 502, "Bad Gateway"
    text = "The program behind this page did not answer properly."


class Busy(GatewayError):
    """A queue is full, waiting took too long, or a limit is reached (503, Retry-After)."""

    status, title, level = 503, "Service Unavailable", "warn"
    text = "The server is busy. Please try again in a moment."

    def __init__(self, log: str = "", *, retry_after: float = 5) -> None:
        super().__init__(log, headers=((b"retry-after", b"%d" % max(1, round(retry_after))),))


class NoAnswerInTime(GatewayError):
    """The program neither read nor wrote for CGIScriptTimeout (504, HTS009)."""

    status, title = 504, "Gateway Timeout"
    text = "The program behind this page did not answer in time."


class ClientGone(Exception):
    """The client left (or took and gave nothing for Timeout): nobody is there to be answered."""
