"""SCGI frames on the request pipe (P7), as they are written and as they are read."""

from __future__ import annotations

from gateway.protocol.scgi import Frame, FrameReader, MalformedFrame, block, encode
from tests.fuzz.target import Target, cut, options

MARK = b"f" * 32
_OWN = {b"CONTENT_LENGTH", b"SCGI", b"HTSESSION_END"}


def check(data: bytes) -> None:
    """Any cutting gives the same frames; a frame that was read is written again; what is written is read."""
    _, places, stream = options(data)
    frames, whole = _read(cut(stream, b""))
    for pieces in ([stream], cut(stream, places)):
        again, all_read = _read(pieces)
        assert all_read == whole
        assert again == frames[: len(again)] and (not whole or len(again) == len(frames))
    for frame in frames:
        _check_again(frame)
    _check_written(stream, places)


def _read(pieces: list[bytes]) -> tuple[list[Frame], bool]:
    """The frames up to an error, and whether there was none; those before one in the same piece are lost."""
    reader, frames = FrameReader(head_limit=4096, body_limit=4096), list[Frame]()
    try:
        for piece in pieces:
            frames += reader.feed(piece)
        reader.eof()
    except MalformedFrame as error:
        assert "expected" in str(error)
        return frames, False
    return frames, True


def _check_again(frame: Frame) -> None:
    assert next(iter(frame.variables)) == b"CONTENT_LENGTH" and frame.variables[b"SCGI"] == b"1"
    assert int(frame.variables[b"CONTENT_LENGTH"]) == len(frame.body)
    [again] = FrameReader().feed(encode(frame.variables, len(frame.body), MARK) + frame.body)
    assert _others(again) == _others(frame) and again.body == frame.body


def _others(frame: Frame) -> dict[bytes, bytes]:
    return {name: value for name, value in frame.variables.items() if name not in _OWN}


def _check_written(data: bytes, places: bytes) -> None:
    """The data as variables: refused, or read as they were given."""
    pairs = [line.partition(b"=") for line in data.split(b"\n")]
    given = {name: value for name, _, value in pairs}
    half = len(given) // 2
    ahead, rest = dict(list(given.items())[:half]), dict(list(given.items())[half:])
    try:
        stream = encode(rest, len(places), MARK, [block(ahead)]) + places
    except MalformedFrame:
        others = {name: value for name, value in given.items() if name not in _OWN}
        assert any(not name or b"\0" in name + value for name, value in others.items())
        return
    [frame] = FrameReader().feed(stream)
    assert _others(frame) == {name: value for name, value in given.items() if name not in _OWN}
    assert frame.body == places and frame.variables[b"HTSESSION_END"] == MARK


SEEDS = [
    b"\0\1\2\3" + encode({b"REQUEST_METHOD": b"POST", b"PATH_INFO": b"/a"}, 3, MARK) + b"abc",
    b"\0\1\2\3" + 2 * encode({}, 0, MARK),
    b"\0\1\2\3REQUEST_METHOD=GET\nQUERY_STRING=a=b\nCONTENT_LENGTH=9",
    b"\0\1\2\x3324:CONTENT_LENGTH\x000\0SCGI\x001\0,",
]
WORDS = [
    b"24:CONTENT_LENGTH\x000\0SCGI\x001\0,", b"CONTENT_LENGTH\0", b"SCGI\x001\0", b"SCGI=1", b"HTSESSION_END=",
    b"\0", b":", b",", b"0", b"24", b"00", b"99999999999", b"4097", b"-1", b"\n", b"=",
]  # fmt: skip
TARGET = Target("SCGI frames", check, SEEDS, WORDS, longest=256)
