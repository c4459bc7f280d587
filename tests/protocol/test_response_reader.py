"""The response reader: whole, byte by byte, cut anywhere, with rubbish behind."""

from collections.abc import Callable, Iterable
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.protocol.events import Data, End, Event, Head, Invalid
from gateway.protocol.response import ResponseReader

MARK = b"0123456789abcdef" * 2
EOT_MARK = b"\x04" + MARK
END = EOT_MARK + b"\n"
HEAD = b"Content-Type: text/plain\n\n"


def read(
    pieces: Iterable[bytes], *, eof: bool = True, limit: int = 65536, bodiless: bool = False
) -> list[Event]:
    """All events of the pieces, neighbouring Data merged."""
    reader = ResponseReader(MARK, head_limit=limit, bodiless=bodiless)
    events = [event for piece in pieces for event in reader.feed(piece)]
    return merged(events + reader.eof() if eof else events)


def merged(events: list[Event]) -> list[Event]:
    result: list[Event] = []
    for event in events:
        if isinstance(event, Data) and result and isinstance(result[-1], Data):
            result[-1] = Data(result[-1].data + event.data)
        elif isinstance(event, End):
            result.append(End(event.marked))
        else:
            result.append(event)
    return result


def single_bytes(data: bytes) -> list[bytes]:
    return [data[i : i + 1] for i in range(len(data))]


Cutter = Callable[[bytes], list[bytes]]
both_ways = pytest.mark.parametrize(
    "pieces", [lambda data: [data], single_bytes], ids=["whole", "byte by byte"]
)


def body_of(events: list[Event]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Data))


def reason_of(events: list[Event]) -> str:
    last = events[-1]
    assert isinstance(last, Invalid)
    return last.reason


BODIES = {
    "empty": b"",
    "text": b"hello",
    "every byte": bytes(range(256)),
    "bare mark without EOT": MARK + b"\n",
    "EOT alone": b"\x04",
    "many EOT": b"\x04" * 100,
    "mark without line feed": EOT_MARK + b" and more",
    "mark with CRLF": EOT_MARK + b"\r\n",
    "half a mark": b"x" + EOT_MARK[:17],
    "half a mark, then EOT": EOT_MARK[:17] + b"\x04",
    "another mark": b"\x04" + b"f" * 32 + b"\n",
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
@both_ways
def test_P1_only_EOT_mark_line_feed_ends_and_the_body_is_exact(body: bytes, pieces: Cutter) -> None:
    events = read(pieces(HEAD + body + END), eof=False)
    assert isinstance(events[0], Head)
    assert body_of(events) == body
    assert events[-1] == End(marked=True)


def test_P1_mark_then_end_of_file_ends() -> None:
    assert read([HEAD + b"body" + EOT_MARK])[1:] == [Data(b"body"), End(marked=True)]


@pytest.mark.parametrize("tail", [b"", b"\x04", EOT_MARK[:-1], EOT_MARK + b"x"])
def test_P2_end_of_file_ends_and_a_part_of_a_mark_is_body(tail: bytes) -> None:
    events = read([HEAD + b"body" + tail])
    assert body_of(events) == b"body" + tail
    assert events[-1] == End(marked=False)


@pytest.mark.parametrize("cut", range(1, len(END)))
def test_P6_mark_split_over_reads(cut: int) -> None:
    reader = ResponseReader(MARK)
    reader.feed(HEAD)
    assert reader.feed(b"body" + END[:cut]) == [Data(b"body")]
    assert reader.feed(END[cut:]) == [End(marked=True)]


def test_P6_everything_that_cannot_begin_a_mark_is_handed_out_at_once() -> None:
    reader = ResponseReader(MARK)
    reader.feed(HEAD)
    assert reader.feed(b"data: 1\n\n") == [Data(b"data: 1\n\n")]
    assert reader.feed(b"a\x04b") == [Data(b"a\x04b")]
    assert reader.feed(b"\x040123") == []
    assert reader.feed(b"!") == [Data(b"\x040123!")]


def test_P5_bytes_behind_the_mark_in_the_same_read_are_told() -> None:
    events = ResponseReader(MARK).feed(HEAD + END + b"x")
    assert events[-1] == End(marked=True, excess=True)


def test_P5_nothing_comes_out_after_the_end() -> None:
    reader = ResponseReader(MARK)
    assert reader.feed(HEAD + END)[-1] == End(marked=True, excess=False)
    assert reader.feed(b"HTTP rubbish" + HEAD + END) == []
    assert reader.eof() == []


@both_ways
def test_P4_too_many_bytes_are_refused_after_the_promised_ones(pieces: Cutter) -> None:
    events = read(pieces(b"Content-Length: 4\n\nfour!" + END), eof=False)
    assert events[1:] == [Data(b"four"), Invalid("expected 4 bytes of body (Content-Length), found more", True)]


@pytest.mark.parametrize("tail", [END, EOT_MARK, b""])
def test_P4_too_few_bytes_are_refused(tail: bytes) -> None:
    events = read([b"Content-Length: 9\n\nfour" + tail])
    assert events[1:] == [Data(b"four"), Invalid("expected 9 bytes of body (Content-Length), found 4", True)]


def test_P4_the_promised_bytes_are_passed_on() -> None:
    assert read([b"Content-Length: 4\n\nfour" + END])[1:] == [Data(b"four"), End(marked=True)]
    assert read([b"Content-Length: 0\n\n" + END])[1:] == [End(marked=True)]


@pytest.mark.parametrize("first", [b"Status: 204", b"Status: 304", b"Location: /elsewhere"])
def test_RFC3875_6_2_bodiless_answers_drop_body_bytes(first: bytes) -> None:
    assert read([first + b"\nContent-Length: 9\n\nbody" + END])[1:] == [End(marked=True)]


def test_RFC9110_9_3_2_answer_to_HEAD_drops_the_body_and_keeps_the_length() -> None:
    head, *rest = read([b"Content-Length: 9\n\nbo\x04dy" + END], bodiless=True)
    assert isinstance(head, Head)
    assert (b"content-length", b"9") in head.headers
    assert rest == [End(marked=True)]


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        (b"", "found no output"),
        (END, "found no output"),
        (b"Content-Type: text/plain\n", "expected a blank line after the header block"),
        (b"Content-Type: text/plain\n" + END, "expected a blank line after the header block"),
        (b"\nhello", "expected a header line before the blank line"),
        (b"\r\nhello", "expected a header line before the blank line"),
        (b"hello world\n\n", "expected a header line 'Name: value', found 'hello world'"),
    ],
)
def test_RFC3875_6_output_without_a_header_block_is_refused(output: bytes, reason: str) -> None:
    for pieces in ([output], single_bytes(output)):
        events = read(pieces)
        assert len(events) == 1
        assert reason in reason_of(events)


@pytest.mark.parametrize("size", [99, 100, 101])
@both_ways
def test_head_limit_counts_the_blank_line(size: int, pieces: Cutter) -> None:
    head = b"A: " + b"b" * (size - 5) + b"\n\n"
    events = read(pieces(head + b"body" + END), limit=100)
    if size <= 100:
        assert body_of(events) == b"body"
    else:
        assert "expected a blank line within 100 bytes" in reason_of(events)


def test_W3_a_refused_head_does_not_show_the_handle() -> None:
    reason = reason_of(read([b"Accept-HTSession: 8f3a-secret\nLocation: /cgi/8f3a-secret\n"]))
    assert "8f3a" in reason
    assert "secret" not in reason


def test_mark_of_other_characters_is_refused() -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        ResponseReader(b"a\x04b")


def pieces_of(data: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cut % (len(data) + 1) for cut in cuts), len(data)]
    return [data[start:stop] for start, stop in pairwise(places)]


HEADS = [
    HEAD,
    b"A: b\r\nC: d\r\n\n",
    b"Content-Length: 7\n\n",
    b"bad\n\n",
    b"A: b\n c\n\r\n",
    b"\n",
    b"Status: 204\r\n\r\n",
]
fragments = st.one_of(
    st.sampled_from([*HEADS, END, EOT_MARK, b"\x04", MARK, EOT_MARK[:9], b"\n", b"\r", b"1234567"]),
    st.binary(max_size=20),
)
cut_places = st.lists(st.integers(0, 10_000), max_size=12)


@example(b"A: b\n\r\n", b"\n\nbody", [], False)
@given(st.sampled_from([*HEADS, b""]), st.lists(fragments, max_size=8).map(b"".join), cut_places, st.booleans())
def test_P6_any_cutting_gives_the_same_events(
    head: bytes, rest: bytes, cuts: list[int], bodiless: bool
) -> None:
    output = head + rest
    whole = read([output], limit=80, bodiless=bodiless)
    assert read(pieces_of(output, cuts), limit=80, bodiless=bodiless) == whole
    assert read(single_bytes(output), limit=80, bodiless=bodiless) == whole


@given(st.lists(st.binary(max_size=50), max_size=10))
def test_random_bytes_never_raise_and_end_once(pieces: list[bytes]) -> None:
    events = read(pieces)
    assert [isinstance(event, (End, Invalid)) for event in events] == [False] * (len(events) - 1) + [True]


@pytest.mark.parametrize(
    "filler", [b"<p>text</p>\n", bytes(range(256)), EOT_MARK], ids=["text", "binary", "marks"]
)
def test_P1_mark_is_found_behind_a_long_body(filler: bytes) -> None:
    body = filler * (200_000 // len(filler)) + b"."
    assert read([HEAD + body + END], eof=False)[1:] == [Data(body), End(marked=True)]


@given(st.binary(max_size=300), cut_places)
def test_P1_any_body_without_the_end_mark_comes_through(body: bytes, cuts: list[int]) -> None:
    assert body_of(read(pieces_of(HEAD + body + END, cuts), eof=False)) == body


@given(
    st.lists(st.sampled_from([EOT_MARK, b"\4", END[:20], b"x" * 40, b"\n", END[:-1] + b"\r\n"]), max_size=6),
    st.sampled_from([None, -3, 0, 3]),
    st.lists(st.integers(0, 300)),
    st.booleans(),
)
def test_P1_P4_bytes_that_are_forwarded_are_those_that_would_come_out(
    parts: list[bytes], wrong: int | None, cuts: list[int], marked: bool
) -> None:
    body = b"".join(parts)
    promise = b"" if wrong is None else b"Content-Length: %d\n" % max(0, len(body) + wrong)
    output = promise + HEAD + body + (END if marked else b"")
    places = sorted({0, len(output), *(cut % (len(output) + 1) for cut in cuts)})
    pieces = [output[begin:end] for begin, end in pairwise(places)]
    reader, events = ResponseReader(MARK), list[Event]()
    for piece in pieces:
        if reader.is_body(bytearray(piece + END), len(piece)):
            reader.skip(len(piece))
            events.append(Data(piece))
        else:
            events += reader.feed(piece)
    assert merged(events + reader.eof()) == read(pieces)


def test_P4_a_mark_too_early_in_a_response_that_is_forwarded_is_found_at_the_end() -> None:
    reader = ResponseReader(MARK)
    reader.feed(b"Content-Length: 1000\n" + HEAD)
    assert reader.is_body(bytearray(b"x" * 500), 500)
    reader.skip(500)
    assert not reader.is_body(bytearray(b"x" * 300 + END), 300 + len(END))
    assert "expected 1000 bytes" in reason_of(reader.feed(b"x" * 300 + END))
