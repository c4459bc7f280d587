"""Frames of the link between keeper and front."""

from __future__ import annotations

from typing import Any

from gateway.keeper.link import Decoder, LinkError, Message, encode
from tests.fuzz.target import Target, cut, options

DESCRIPTORS = range(1000, 1006)  # numbers to tell apart; nothing is done with them


def check(data: bytes) -> None:
    """Any cutting gives the same messages, each with its own descriptors; a message is sent and comes again."""
    flags, places, stream = options(data)
    descriptors = DESCRIPTORS[: flags % len(DESCRIPTORS)]
    whole = _read(cut(stream, b""), descriptors)
    for pieces in ([stream], cut(stream, places)):
        others = _read(pieces, descriptors)
        assert repr(others) == repr(whole[: len(others)])
    for message in whole:
        fields = message.fields
        [again] = Decoder().feed(encode(fields, len(message.descriptors)), message.descriptors)
        assert repr(again.fields) == repr(fields) and again.descriptors == message.descriptors
        assert isinstance(message.kind, str)
    got = [number for message in whole for number in message.descriptors]
    assert got == list(descriptors[: len(got)])
    _check_text(stream)


def _read(pieces: list[bytes], descriptors: range) -> list[Message]:
    """The messages up to an error; those before it in the same piece are lost."""
    decoder, messages = Decoder(), list[Message]()
    try:
        for number, piece in enumerate(pieces):
            messages += decoder.feed(piece, descriptors if number == 0 else ())
    except LinkError:
        pass
    return messages


def _check_text(data: bytes) -> None:
    """Bytes travel as Latin-1."""
    fields: dict[str, Any] = {"kind": "test", "text": data.decode("latin-1"), "numbers": list(data[:4])}
    [message] = Decoder().feed(encode(fields | {"environ": data}, 0))
    assert message.fields.pop("environ") == data
    assert message.fields == fields


def _framed(body: bytes, descriptors: int = 0) -> bytes:
    return len(body).to_bytes(4, "big") + descriptors.to_bytes(2, "big") + body


SEEDS = [
    b"\0\1\2\3" + _framed(b'{"kind":"hello","version":5,"pid":1}'),
    b"\2\1\2\3"
    + _framed(b'{"kind":"started","tag":1,"id":2,"pid":3,"slot":4}', 2)
    + _framed(b'{"kind":"ping"}'),
    b"\0\1\2\3" + _framed(b'{"kind":"prepare","id":"g","environ":"x"}\0A\0b\0'),
    b"\0\1\2\3" + _framed(b"[]"),
]
WORDS = [
    _framed(b'{"kind":"ping"}'), _framed(b'{"kind":"x"}', 1), b'{"kind":"', b'"}', b"{", b"}", b"[", b"]",
    b"1e999",
    b"NaN", b'"\\ud800"', b"\0\0\0\2\0\0{}", b"\0\0\0\0\0\0", b"\xff\xff\xff\xff", b'"kind"', b":", b",", b"-1",
]  # fmt: skip
TARGET = Target("frames of the keeper's link", check, SEEDS, WORDS)
