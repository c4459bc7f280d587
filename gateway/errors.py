"""Every way in which a request ends in an answer of the gateway's own: status, client text, log text."""

from http import HTTPStatus
from math import ceil
from typing import ClassVar

CLOSE = (b"connection", b"close")


class GatewayError(Exception):
    """A request that is answered by the gateway itself.

    `text` is for the client, `log` for the error log (empty: not logged); `headers` go with the answer. `link`:
    where to go on, with its words; empty: nowhere.
    """

    status: int = 500
    title: str = "Internal Server Error"
    text: str = "The server could not complete the request."
    link: tuple[str, str] = ("", "")
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


class Unauthorized(GatewayError):
    """A user is asked for, or was not let in (401); `challenge` is the value of WWW-Authenticate."""

    status, title = 401, "Unauthorized"
    text = "Please say who you are: this page is not for everybody."

    def __init__(self, challenge: bytes, log: str = "") -> None:
        super().__init__(log, headers=((b"www-authenticate", challenge),))


class Misconfigured(GatewayError):
    """What guards a page cannot be asked: a missing file or directive (500)."""

    status = 500


class ByDirective(GatewayError):
    """A status that a Redirect line names, from 400 to 599; 410 for `gone`."""

    level = "info"

    def __init__(self, status: int) -> None:
        super().__init__()
        known = status in HTTPStatus._value2member_map_
        self.status = status
        self.title = HTTPStatus(status).phrase if known else "Error"
        self.text = HTTPStatus(status).description if known else ""
        self.text = self.text or "There is nothing to be had at this address."


class NotFound(GatewayError):
    """No file, program or page has this address (404)."""

    status, title, level = 404, "Not Found", "info"
    text = "There is no page at this address."


class MethodNotAllowed(GatewayError):
    """A file was asked for with another method than GET or HEAD (405)."""

    status, title, level = 405, "Method Not Allowed", "info"
    text = "This page can only be fetched."


class PreconditionFailed(GatewayError):
    """A condition of the request does not hold for what the program answered (412)."""

    status, title, level = 412, "Precondition Failed", "info"
    text = "What you have is not what this page is now."


class BodyTooLarge(GatewayError):
    """The body is larger than LimitRequestBody (413)."""

    status, title, level = 413, "Content Too Large", "info"
    text = "What was sent is larger than this server takes."


class LengthRequired(GatewayError):
    """The declared length of the body is not a number (400)."""

    status, title, level = 400, "Bad Request", "info"
    text = "The length of what was sent is not a number."


class ServerOptions(GatewayError):
    """`OPTIONS *`: which methods there are (200; RFC 9110, section 9.3.7)."""

    status, title, level = 200, "OK", "info"
    text = "These methods are served: see the header Allow."


class RequestTimeout(GatewayError):
    """The head or the body did not come in time (408, RequestReadTimeout)."""

    status, title, level = 408, "Request Timeout", "info"
    text = "What was to be sent did not arrive in time."


class LineTooLong(GatewayError):
    """The request line is longer than LimitRequestLine (414)."""

    status, title, level = 414, "URI Too Long", "info"
    text = "The address of this request is longer than this server takes."


class ExpectationFailed(GatewayError):
    """An Expect header asks for something else than 100-continue (417)."""

    status, title, level = 417, "Expectation Failed", "info"
    text = "The server cannot meet what this request expects."


class HeadTooLarge(GatewayError):
    """A header is longer than LimitRequestFieldSize, or there are more than LimitRequestFields (431)."""

    status, title, level = 431, "Request Header Fields Too Large", "info"
    text = "The headers of this request are larger than this server takes."


class NotImplementedHere(GatewayError):
    """A method or a transfer coding that is not known (501; RFC 9110, section 15.6.2)."""

    status, title, level = 501, "Not Implemented", "info"
    text = "The server does not know what this request asks for."


class VersionNotSupported(GatewayError):
    """Another version than HTTP/1.0 or HTTP/1.1 (505)."""

    status, title, level = 505, "HTTP Version Not Supported", "info"
    text = "The server speaks HTTP/1.1 and HTTP/1.0."


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


class TooMany(GatewayError):
    """One client asks too often (429, Retry-After; RFC 6585, section 4)."""

    status, title, level = 429, "Too Many Requests", "warn"
    text = "You have asked for this too often. Please wait a moment, then try again."

    def __init__(self, log: str = "", *, retry_after: float = 1) -> None:
        super().__init__(log, headers=((b"retry-after", b"%d" % max(1, ceil(retry_after))),))


class NoAnswerInTime(GatewayError):
    """The program neither read nor wrote for CGIScriptTimeout (504, HTS009)."""

    status, title = 504, "Gateway Timeout"
    text = "The program behind this page did not answer in time."


class ClientGone(Exception):
    """The client left (or took and gave nothing for Timeout): nobody is there to be answered."""
