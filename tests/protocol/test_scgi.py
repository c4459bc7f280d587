"""SCGI frames: what is encoded is read again, and nothing else is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.protocol.scgi import Frame, FrameReader, MalformedFrame, encode

MARK = b"f" * 32
texts = st.binary(max_size=30).map(lambda text: text.replace(b"\0", b""))
reserved = (b"CONTENT_LENGTH", b"SCGI", b"HTSESSION_END")
names = texts.filter(lambda name: name != b"" and name not in reserved)


def netstring(*parts: bytes) -> bytes:
    payload = b"".join(part + b"\0" for part in parts)
    return b"%d:%b," % (len(payload), payload)


def test_P7_frame_is_a_netstring_with_content_length_first() -> None:
    frame = encode({b"REQUEST_METHOD": b"POST"}, 3, b"mark")
    assert frame == b"63:CONTENT_LENGTH\x003\0SCGI\x001\0HTSESSION_END\0mark\0REQUEST_METHOD\0POST\0,"


def test_P7_frame_without_a_body_says_0() -> None:
    [frame] = FrameReader().feed(encode({}, 0, MARK))
    assert frame == Frame({b"CONTENT_LENGTH": b"0", b"SCGI": b"1", b"HTSESSION_END": MARK}, b"")


def test_P7_variables_cannot_replace_the_frame_s_own() -> None:
    own = {b"HTSESSION_END": b"forged", b"X": b"y", b"SCGI": b"2", b"CONTENT_LENGTH": b"99"}
    [frame] = FrameReader().feed(encode(own, 2, MARK) + b"ab")
    assert next(iter(frame.variables)) == b"CONTENT_LENGTH"
    assert frame.variables == {b"CONTENT_LENGTH": b"2", b"SCGI": b"1", b"HTSESSION_END": MARK, b"X": b"y"}


@pytest.mark.parametrize("pair", [(b"A\0B", b"c"), (b"A", b"b\0"), (b"", b"x"), (b"\0", b"")])
def test_P7_NUL_or_an_empty_name_is_refused(pair: tuple[bytes, bytes]) -> None:
    with pytest.raises(MalformedFrame, match="expected a name and a value without NUL"):
        encode({b"X": b"y", pair[0]: pair[1]}, 0, MARK)


@given(
    st.lists(st.tuples(st.dictionaries(names, texts, max_size=5), st.binary(max_size=40)), max_size=4),
    st.integers(1, 50),
)
def test_P7_frames_are_read_again_however_cut(
    requests: list[tuple[dict[bytes, bytes], bytes]], step: int
) -> None:
    stream = b"".join(encode(variables, len(body), MARK) + body for variables, body in requests)
    reader = FrameReader()
    frames = [frame for at in range(0, len(stream), step) for frame in reader.feed(stream[at : at + step])]
    reader.eof()
    assert [frame.body for frame in frames] == [body for _, body in requests]
    for frame, (variables, body) in zip(frames, requests, strict=True):
        own = {b"CONTENT_LENGTH": b"%d" % len(body), b"SCGI": b"1", b"HTSESSION_END": MARK}
        assert frame.variables == own | variables


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"GET / HTTP/1.1", "netstring"),
        (b"12345678901", "netstring"),
        (b":", "netstring"),
        (b"024:", "netstring"),
        (b"9999999999:", "expected at most"),
        (b"2:a\0;", "expected ','"),
        (b"0:,", "CONTENT_LENGTH first"),
        (b"4:a\0b\0,", "CONTENT_LENGTH first"),
        (b"3:a\0b,", "NAME NUL VALUE NUL"),
        (b"2:a\0,", "NAME NUL VALUE NUL"),
        (netstring(b"CONTENT_LENGTH", b"0", b"A", b"b"), "SCGI=1"),
        (netstring(b"SCGI", b"1", b"CONTENT_LENGTH", b"0"), "CONTENT_LENGTH first"),
        (netstring(b"CONTENT_LENGTH", b"0", b"SCGI", b"1", b"SCGI", b"1"), "names that differ"),
        (netstring(b"CONTENT_LENGTH", b"-1", b"SCGI", b"1"), "expected CONTENT_LENGTH up to"),
        (netstring(b"CONTENT_LENGTH", b"9" * 10, b"SCGI", b"1"), "expected CONTENT_LENGTH up to"),
    ],
)
def test_P7_what_is_not_a_frame_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(MalformedFrame, match=reason):
        FrameReader().feed(data)


def test_P8_end_of_file_between_frames_only() -> None:
    reader = FrameReader()
    reader.eof()
    reader.feed(encode({}, 5, MARK) + b"1234")
    with pytest.raises(MalformedFrame, match="end of file"):
        reader.eof()


@given(
    st.lists(
        st.binary(max_size=40) | st.sampled_from([b"24:", b"CONTENT_LENGTH\x000\0SCGI\x001\0", b","]),
        max_size=6,
    )
)
def test_random_bytes_raise_nothing_but_MalformedFrame(pieces: list[bytes]) -> None:
    reader = FrameReader(head_limit=1000, body_limit=1000)
    try:
        for piece in pieces:
            reader.feed(piece)
        reader.eof()
    except MalformedFrame:
        pass
