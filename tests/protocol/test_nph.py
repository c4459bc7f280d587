"""Output of non-parsed-header programs (RFC 3875, section 5), read and emitted anew."""

from gateway.protocol.events import Head, Invalid
from gateway.protocol.response import ResponseReader

MARK = b"0123456789abcdef0123456789abcdef"


def test_section_5_the_status_line_becomes_the_status() -> None:
    events = ResponseReader(MARK, nph=True).feed(b"HTTP/1.0 404 Not here\r\nContent-Type: text/plain\r\n\r\nno")
    assert isinstance(events[0], Head)
    assert (events[0].status, events[0].headers) == (404, [(b"content-type", b"text/plain")])


def test_H2_gateway_headers_of_nph_output_are_stripped() -> None:
    events = ResponseReader(MARK, nph=True).feed(b"HTTP/1.1 200 OK\nAccept-HTSession: abc\nX-A: 1\n\n")
    assert isinstance(events[0], Head)
    assert events[0].headers == [(b"x-a", b"1")]
    assert events[0].advice.handle == b"abc"


def test_section_5_output_without_a_status_line_is_malformed() -> None:
    (event,) = ResponseReader(MARK, nph=True).feed(b"Content-Type: text/plain\n\nx")
    assert isinstance(event, Invalid)
    assert "HTTP/1.1" in event.reason
