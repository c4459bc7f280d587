"""A program's output: ResponseReader, head and Exchange (RFC 3875, section 6; P1 to P6)."""

from __future__ import annotations

import re

from gateway.program import Limits
from gateway.protocol.events import Data, End, Event, Head, Invalid
from gateway.protocol.response import ResponseReader
from gateway.sessions.decision import Outcome, ask
from gateway.sessions.exchange import Exchange
from gateway.sessions.handle import is_valid
from tests.fuzz.target import Target, cut, options

MARK = b"0123456789abcdef"
LIMIT = 120
_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9a-z]+")
_DROPPED = {
    b"connection",
    b"keep-alive",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
    b"date",
    b"server",
}


def check(data: bytes) -> None:
    """Any cutting gives the same events; what comes out is fit for a client."""
    flags, places, output = options(data)
    bodiless, nph, framed = bool(flags & 1), bool(flags & 2), bool(flags & 4)
    whole = _read([output], bodiless, nph)
    assert _read(cut(output, places), bodiless, nph) == whole
    if not flags & 24:
        assert _read(cut(output, b""), bodiless, nph) == whole, "byte by byte"
    forwarded = _read(cut(output, places), bodiless, nph, forwarding=True)
    assert forwarded == whole or isinstance(whole[-1], Invalid), "what passes unread is of the body"
    _check_events(whole, output, bodiless)
    _check_exchange(cut(output, places), bodiless, nph, framed)


def _read(pieces: list[bytes], bodiless: bool, nph: bool, *, forwarding: bool = False) -> list[Event]:
    """The events, adjacent data as one; `forwarding`: a piece that may pass the reader by does."""
    reader = ResponseReader(MARK, head_limit=LIMIT, bodiless=bodiless, nph=nph)
    events: list[Event] = []
    for piece in pieces:
        if forwarding and reader.is_body(
            bytearray(piece + _END), len(piece)
        ):  # what an earlier read left behind
            reader.skip(len(piece))
            events.append(Data(piece))
        else:
            events += reader.feed(piece)
    events += reader.eof()
    merged: list[Event] = []
    for event in events:
        if isinstance(event, Data):
            assert event.data
            if merged and isinstance(merged[-1], Data):
                merged[-1] = Data(merged[-1].data + event.data)
                continue
        merged.append(End(event.marked) if isinstance(event, End) else event)
    return merged


def _check_events(events: list[Event], output: bytes, bodiless: bool) -> None:
    ends = [isinstance(event, (End, Invalid)) for event in events]
    assert ends == [False] * (len(events) - 1) + [True], "it ends once, and at the end"
    heads = [event for event in events if isinstance(event, Head)]
    body = b"".join(event.data for event in events if isinstance(event, Data))
    assert len(heads) == (not isinstance(events[-1], Invalid) or events[-1].after_head)
    assert body in output and b"\4" + MARK + b"\n" not in body
    for head in heads:
        _check_head(head)
        if isinstance(events[-1], End) and head.content_length is not None and body:
            assert len(body) == head.content_length, "P4"
        assert not body or not (bodiless or head.status in (204, 304) or head.local_redirect)


def _check_head(head: Head) -> None:
    assert 200 <= head.status <= 599
    for name, value in head.headers:
        assert _NAME.fullmatch(name) and name not in _DROPPED and not name.startswith(b"proxy-")
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", value), "no header can end its line"
    assert head.location is None or head.local_redirect is None
    asked = ask(
        head.advice,
        Limits(300.0, 900.0),
        own=None,
        segment=b"",
        taken=lambda handle: False,
        full=lambda: False,
        never_kept=False,
    )
    assert asked.outcome is not Outcome.KEEP or (is_valid(asked.handle) and 0 < asked.timeout <= 900)


def _check_exchange(pieces: list[bytes], bodiless: bool, nph: bool, framed: bool) -> None:
    reader = ResponseReader(MARK, head_limit=LIMIT, bodiless=bodiless, nph=nph)
    exchange = Exchange(reader, first=not framed, framed=framed)
    exchange.honoured = True
    for piece in pieces:
        exchange.received(piece)
    exchange.received_eof()
    assert exchange.over and (exchange.fault is None) != (exchange.end is None)
    verdict = exchange.verdict(unread=0)
    ended = exchange.end is not None and exchange.end.marked and not exchange.end.excess
    assert verdict.keep == ended
    assert not exchange.verdict(unread=1).keep or not framed, "B3"


_END = b"\4" + MARK + b"\n"
SEEDS = [
    b"\0\1\2\3Content-Type: text/plain\n\nhello" + _END,
    b"\4\0\0\0Accept-HTSession: a-handle\r\nHTTimeout: 5\r\nContent-Type: text/html\r\n\r\n<p>" + _END,
    b'\1\5\0\1Content-Length: 4\nETag: "x"\n\nfour' + _END,
    b"\2\5\0\1HTTP/1.1 200 OK\r\nX: y\r\n\r\nbody",
    b"\0\5\0\1Location: /elsewhere?a=b\n\n",
    b"\0\5\0\1Status: 404 Not Found\nA: b\n c\n\nlost" + _END + b"x",
]
WORDS = [
    b"Content-Type: ", b"Content-Length: ", b"Location: ", b"Status: ", b"Accept-HTSession: ", b"HTTimeout: ",
    b"Set-Cookie: a=b", b"Transfer-Encoding: chunked", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b"\4", MARK, _END,
    b"\4" + MARK, b"200", b"204", b"304", b"302 Found", b"4", b"http://a/", b"/a", b"HTTP/1.1 ", b": ", b"\n ",
]  # fmt: skip
TARGET = Target("a program's output", check, SEEDS, WORDS, longest=256)
